"""The fixed words of a notice in the product's languages. A notice is a document, so its words travel with its maker."""

from pack.model import Language

WORDS: dict[str, dict[Language, str]] = {
    "title": {"zh": "一次性告知单", "ko": "일차성고지서", "en": "One-time notice"},
    "demonstration": {
        "zh": "演示内容，事项和电话均为虚构",
        "ko": "시범내용이며 사항과 전화번호는 모두 가상입니다",
        "en": "Demonstration: services and phone numbers are invented",
    },
    "valid": {
        "zh": "按本单备齐材料，一次办好；材料有变化时以窗口告知为准。",
        "ko": "이 고지서대로 자료를 준비하시면 한번에 처리됩니다. 변경이 있으면 창구의 안내에 따르십시오.",
        "en": "Bring what is listed and it is done in one visit. If anything has changed, the window will tell you.",
    },
    "issued": {
        "zh": "出具日期：{year}年{month}月{day}日",
        "ko": "발급날자: {year}년 {month}월 {day}일",
        "en": "Issued on {year}-{month:02d}-{day:02d}",
    },
    "conditions": {"zh": "我能不能办", "ko": "신청할수 있는 경우", "en": "Who can apply"},
    "materials": {"zh": "带什么", "ko": "준비할 자료", "en": "What to bring"},
    "ask_materials": {
        "zh": "材料清单尚未录入，请到窗口或打电话询问。",
        "ko": "자료목록이 아직 입력되지 않았습니다. 창구나 전화로 문의하십시오.",
        "en": "No list has been recorded yet. Please ask at the window or by phone.",
    },
    "where": {"zh": "去哪儿", "ko": "찾아가실 곳", "en": "Where to go"},
    "time": {"zh": "多久", "ko": "처리기간", "en": "How long it takes"},
    "money": {"zh": "多少钱", "ko": "료금", "en": "What it costs"},
    "steps": {"zh": "怎么走", "ko": "처리절차", "en": "Steps"},
    "result": {"zh": "办理结果", "ko": "처리결과", "en": "What you get"},
    "not_accepted": {"zh": "不予受理的情形", "ko": "접수하지 않는 경우", "en": "When it is not accepted"},
    "legal_basis": {"zh": "设定依据", "ko": "법적근거", "en": "Legal basis"},
    "place": {"zh": "地点", "ko": "장소", "en": "Place"},
    "windows": {"zh": "{numbers}号窗口", "ko": "{numbers}번 창구", "en": "window {numbers}"},
    "hours": {"zh": "时间", "ko": "시간", "en": "Hours"},
    "phone": {"zh": "咨询电话", "ko": "상담전화", "en": "Questions"},
    "complaint_phone": {"zh": "投诉电话", "ko": "신소전화", "en": "Complaints"},
    "promise": {"zh": "承诺时限", "ko": "승낙기한", "en": "Promised time"},
    "legal_limit": {"zh": "法定时限", "ko": "법정기한", "en": "Legal limit"},
    "due": {"zh": "今日受理，最迟办结", "ko": "오늘 접수하면 늦어도", "en": "If accepted today, at the latest"},
    "date": {"zh": "{year}年{month}月{day}日", "ko": "{year}년 {month}월 {day}일", "en": "{year}-{month:02d}-{day:02d}"},
    "fee": {"zh": "收费", "ko": "료금", "en": "Fee"},
    "free": {"zh": "不收费", "ko": "무료", "en": "Free of charge"},
    "fee_ask": {
        "zh": "收费，标准请咨询窗口",
        "ko": "유료, 표준은 창구에 문의하십시오",
        "en": "There is a charge; please ask the window",
    },
    "basis": {"zh": "（依据：{text}）", "ko": "(근거: {text})", "en": "(basis: {text})"},
    "within": {"zh": "（{text}）", "ko": " ({text})", "en": " ({text})"},
    "yuan": {"zh": "{amount}元", "ko": "{amount}원", "en": "{amount} yuan"},
    "colon": {"zh": "：", "ko": ": ", "en": ": "},
    "joint": {"zh": "、", "ko": ", ", "en": ", "},
    "copies": {"zh": "{amount}份", "ko": "{amount}부", "en": "{amount} copies"},
    "kind.original": {"zh": "原件", "ko": "원본", "en": "original"},
    "kind.copy": {"zh": "复印件", "ko": "복사본", "en": "copy"},
    "kind.original_and_copy": {"zh": "原件和复印件", "ko": "원본과 복사본", "en": "original and copy"},
    "form.paper": {"zh": "纸质", "ko": "종이", "en": "on paper"},
    "form.electronic": {"zh": "电子", "ko": "전자", "en": "electronic"},
    "form.paper_or_electronic": {"zh": "纸质或电子", "ko": "종이 또는 전자", "en": "on paper or electronic"},
    "need.conditional": {"zh": "符合情形时提供", "ko": "해당되는 경우 제출", "en": "only if it applies to you"},
    "need.later": {"zh": "可以容缺后补", "ko": "나중에 보충 가능", "en": "may follow later"},
    "exempt": {
        "zh": "免提交，由大厅读取电子证照",
        "ko": "제출하지 않으며 대청에서 전자증명을 조회합니다",
        "en": "no need to bring it: the hall reads the electronic one",
    },
    "source.government": {"zh": "政府部门核发", "ko": "정부부문에서 발급", "en": "issued by a government office"},
    "source.intermediary": {"zh": "中介机构出具", "ko": "중개기구에서 발급", "en": "issued by an agency"},
    "source.hall": {"zh": "大厅提供表样", "ko": "대청에서 양식 제공", "en": "form available in the hall"},
    "duration.at_once.one": {"zh": "即时办结", "ko": "즉시 처리", "en": "at once"},
    "duration.at_once.many": {"zh": "即时办结", "ko": "즉시 처리", "en": "at once"},
    "duration.hour.one": {"zh": "{amount}小时", "ko": "{amount}시간", "en": "{amount} hour"},
    "duration.hour.many": {"zh": "{amount}小时", "ko": "{amount}시간", "en": "{amount} hours"},
    "duration.working_day.one": {"zh": "{amount}个工作日", "ko": "{amount}근무일", "en": "{amount} working day"},
    "duration.working_day.many": {"zh": "{amount}个工作日", "ko": "{amount}근무일", "en": "{amount} working days"},
    "duration.day.one": {"zh": "{amount}天", "ko": "{amount}일", "en": "{amount} day"},
    "duration.day.many": {"zh": "{amount}天", "ko": "{amount}일", "en": "{amount} days"},
    "duration.month.one": {"zh": "{amount}个月", "ko": "{amount}개월", "en": "{amount} month"},
    "duration.month.many": {"zh": "{amount}个月", "ko": "{amount}개월", "en": "{amount} months"},
}


def word(key: str, language: Language, **values: object) -> str:
    """The fixed text `key` in `language`, with its values filled in."""
    return WORDS[key][language].format(**values)
