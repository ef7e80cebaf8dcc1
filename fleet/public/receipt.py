"""`/receipt`: a citizen types the code from screen or paper and learns whether the rating was counted, never which."""

from html import escape

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from fleet.access.limits import Limiter
from fleet.public.ledger import mount_ledger
from fleet.services import Fleet
from wire.codec import Malformed

WORDS = {
    "title": {"zh": "我的评价计入了吗？", "ko": "내 평가가 집계되였습니까?", "en": "Was my rating counted?"},
    "code": {"zh": "评价凭证码", "ko": "평가 확인코드", "en": "Receipt code"},
    "ask": {"zh": "查询", "ko": "조회", "en": "Look up"},
    "counted": {"zh": "已计入 {day} 的统计", "ko": "{day} 통계에 집계되였습니다", "en": "Counted in the figures of {day}"},
    "apart": {
        "zh": "{day} 收到，单独登记，不计入统计",
        "ko": "{day}에 받았으나 따로 기록하고 통계에는 넣지 않습니다",
        "en": "Received on {day}, kept apart from the figures",
    },
    "unknown": {
        "zh": "还没有收到。设备离线时会稍后送达，请过一天再查。",
        "ko": "아직 도착하지 않았습니다. 하루 뒤에 다시 확인하십시오.",
        "en": "Not received yet. A device that is offline sends it later; try again tomorrow.",
    },
    "malformed": {
        "zh": "凭证码不对，请逐字核对（9 位，例如 7K3M-P0XW-9）。",
        "ko": "코드가 맞지 않습니다. 한자한자 확인하십시오(9자).",
        "en": "Not a receipt code. Compare it letter by letter (9 characters).",
    },
    "busy": {
        "zh": "查询太频繁，请稍后再试。",
        "ko": "조회가 너무 많습니다. 잠시후 다시 시도하십시오.",
        "en": "Too many requests; try again in a minute.",
    },
    "sealed": {
        "zh": "已密封记入公开账本，未被改动：第 {position} 条，{day} 入账，账本共 {size} 条",
        "ko": "공개장부에 봉인되여 기록되였고 변경되지 않았습니다: {position}번째, {day} 기록, 총 {size}건",
        "en": "Sealed in the public ledger and unaltered: entry {position}, of {day}, among {size}",
    },
    "soon": {
        "zh": "次日凌晨记入公开账本",
        "ko": "다음날 새벽에 공개장부에 기록됩니다",
        "en": "It enters the public ledger in the coming night",
    },
    "broken": {
        "zh": "账本核对失败：这一条与已签名的账本不符。请告知监督部门。",
        "ko": "장부 확인에 실패했습니다. 이 기록은 서명된 장부와 맞지 않습니다. 감독부문에 알려 주십시오.",
        "en": "The ledger does not verify: this entry is not what was signed. Please tell the supervising office.",
    },
    "ledger": {"zh": "公开账本", "ko": "공개장부", "en": "Public ledger"},
    "proof": {"zh": "证明数据", "ko": "증명자료", "en": "Proof data"},
    "private": {
        "zh": "这里不会显示您按了什么。",
        "ko": "무엇을 눌렀는지는 여기에 표시되지 않습니다.",
        "en": "What you pressed is not shown here.",
    },
}
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/style.css"></head>
<body class="login"><main class="card"><h1>{title}</h1>{result}
<form method="get" action="/receipt" style="display:flex;flex-direction:column;gap:16px">
<input type="hidden" name="lang" value="{code_lang}">
<label class="field"><span>{label}</span>
<input name="code" value="{code}" maxlength="40" autocapitalize="characters" autocomplete="off" required></label>
<button class="btn main-act" type="submit">{ask}</button></form><p class="small soft">{private}</p>
<p class="small"><a href="/ledger?lang={code_lang}">{ledger}</a></p>
<p class="small"><a href="/receipt?lang=zh">中文</a> · <a href="/receipt?lang=ko">한국어</a> ·
<a href="/receipt?lang=en">English</a></p>
</main></body></html>"""


def mount_public(app: FastAPI, fleet: Fleet) -> None:
    """Add the page, and the public ledger's; a caller may ask 30 times a minute."""
    mount_ledger(app, fleet)
    limiter = Limiter(per_minute=30, burst=15)

    @app.get("/receipt", include_in_schema=False)
    def receipt(request: Request, code: str = "", lang: str = "zh") -> HTMLResponse:
        language = lang if lang in ("zh", "ko", "en") else "zh"
        if code and limiter.wait_s(request.client.host if request.client else ""):
            return HTMLResponse(_page(language, code, [(WORDS["busy"][language], "warn")]), status_code=429)
        return HTMLResponse(_page(language, code, _answer(fleet, code, language)))


def _answer(fleet: Fleet, code: str, language: str) -> list[tuple[str, str]]:
    """What to say, each with its tone."""
    if not code:
        return []
    try:
        found = fleet.ratings.receipt(code[:40])
    except Malformed:
        return [(WORDS["malformed"][language], "bad")]
    if found is None:
        return [(WORDS["unknown"][language], "warn")]
    is_counted = found["counted"] == "counted"
    said = WORDS["counted" if is_counted else "apart"][language].format(day=found["day"])
    return [(said, "good" if is_counted else "warn"), *_sealed(fleet, code[:40], language)]


def _sealed(fleet: Fleet, code: str, language: str) -> list[tuple[str, str]]:
    """What the ledger has of it. Two receipts may share a code; then both entries are told."""
    entries = fleet.ledger.receipt(code)
    if not entries:
        return [(WORDS["soon"][language], "")]
    return [
        (WORDS["sealed"][language].format(position=each.position + 1, day=each.day, size=each.head.size), "good")
        if each.sound
        else (WORDS["broken"][language], "bad")
        for each in entries
    ]


def _page(language: str, code: str, said: list[tuple[str, str]]) -> str:
    chips = [f'<p class="chip {tone}" role="status" style="white-space:normal">{escape(text)}</p>' for text, tone in said]
    if len(said) > 1 and said[1][1]:
        chips.append(f'<p class="small"><a href="/ledger/proof?code={escape(code[:40])}">{WORDS["proof"][language]}</a></p>')
    return _PAGE.format(
        lang={"zh": "zh-CN"}.get(language, language),
        title=WORDS["title"][language],
        result="".join(chips),
        code_lang=language,
        label=WORDS["code"][language],
        code=escape(code[:40]),
        ask=WORDS["ask"][language],
        private=WORDS["private"][language],
        ledger=WORDS["ledger"][language],
    )
