"""What the ledger's public page says, in three languages."""

LEVELS: dict[int, dict[str, str]] = {
    5: {"zh": "非常满意", "ko": "매우 만족", "en": "very satisfied"},
    4: {"zh": "满意", "ko": "만족", "en": "satisfied"},
    3: {"zh": "基本满意", "ko": "기본 만족", "en": "basically satisfied"},
    2: {"zh": "不满意", "ko": "불만족", "en": "dissatisfied"},
    1: {"zh": "非常不满意", "ko": "매우 불만족", "en": "very dissatisfied"},
}
WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "title": "评价公开账本",
        "about": "每一次评价都以密封的形式记入账本。公布的人数必须与密封的评价相加一致，任何人都可以核对；单个评价从不打开。",
        "receipt": "用凭证码查我的评价",
        "head": "最新账本头",
        "size": "共 {size} 条，记至 {day}",
        "key": "核对签名用的公钥",
        "none": "账本还没有内容。每天的评价在次日凌晨入账。",
        "cells": "按窗口公布的人数（人数少的窗口合并）",
        "place": "窗口",
        "county": "全县人数少的窗口",
        "small": "人数少的窗口",
        "apart": "单独登记（未受邀或重复）",
        "carried": "留到下月公布 {carried} 条；单独登记待公布 {apart} 条；经申诉复核不计入 {excluded} 条（仍包含在上面的人数中）。",
        "dump": "整月数据",
        "verifier": "下载核对程序",
    },
    "ko": {
        "title": "평가 공개장부",
        "about": "모든 평가는 봉인된 형태로 장부에 기록됩니다. 공개된 인원수는 봉인된 평가의 합과 일치해야 하며 "
        "누구나 확인할 수 있습니다. 개별 평가는 절대 열지 않습니다.",
        "receipt": "확인코드로 내 평가 조회",
        "head": "최신 장부 머리",
        "size": "총 {size}건, {day}까지 기록",
        "key": "서명 확인용 공개열쇠",
        "none": "장부에 아직 내용이 없습니다. 하루의 평가는 다음날 새벽에 기록됩니다.",
        "cells": "창구별 공개 인원수(인원이 적은 창구는 합산)",
        "place": "창구",
        "county": "전 현의 인원이 적은 창구",
        "small": "인원이 적은 창구",
        "apart": "따로 기록(초청되지 않았거나 중복)",
        "carried": "다음달로 넘긴 {carried}건, 따로 기록되여 공개를 기다리는 {apart}건, "
        "이의신청 심의로 제외된 {excluded}건(우의 인원수에는 포함).",
        "dump": "한달 전체 자료",
        "verifier": "확인 프로그람 내려받기",
    },
    "en": {
        "title": "Public ledger of ratings",
        "about": "Every rating is entered sealed. The published counts must be what the sealed ratings add up to, and anybody can "
        "check that; no single rating is ever opened.",
        "receipt": "Check my rating by its receipt code",
        "head": "Newest head",
        "size": "{size} entries, through {day}",
        "key": "Key that checks its signature",
        "none": "The ledger is empty. A day's ratings enter it in the night after.",
        "cells": "Published counts by window (small windows together)",
        "place": "Window",
        "county": "small windows of the county",
        "small": "small windows",
        "apart": "kept apart (not invited, or repeated)",
        "carried": "{carried} carried to the next month; {apart} kept apart wait; {excluded} not counted after an upheld appeal "
        "(still in the counts above).",
        "dump": "The whole month",
        "verifier": "Download the verifier",
    },
}
