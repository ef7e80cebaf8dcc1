"""Names of work orders' states, steps, classes, cards and lights: (Chinese, English, tone)."""

STATES = {
    "received": ("待分派", "To assign", "warn"),
    "assigned": ("已分派", "Assigned", ""),
    "contacted": ("已联系", "Contacted", ""),
    "classified": ("已分类", "Classified", ""),
    "rectifying": ("整改中", "Rectifying", ""),
    "replied": ("已答复", "Replied", ""),
    "revisited": ("已回访", "Revisited", ""),
    "closed": ("已办结", "Closed", "good"),
    "appealed": ("申诉中", "Appealed", "warn"),
    "upheld": ("申诉成立", "Appeal upheld", "good"),
    "reopened": ("重新办理", "Opened again", "warn"),
    "superseded": ("已作废", "Superseded", ""),
}
DEEDS = {
    "open": ("差评自动立单", "Opened by a bad rating"),
    "amend": ("评价更正", "The rating was amended"),
    "supersede": ("不再是计入的差评，自动作废", "No bad rating that counts any more"),
    "assign": ("分派", "Assign"),
    "release": ("交办", "Hand over"),
    "contact": ("联系评价人", "Contact the rater"),
    "classify": ("核实分类", "Classify"),
    "rectify": ("开始整改", "Begin rectification"),
    "reply": ("答复", "Reply"),
    "take": ("领取回访", "Take the revisit on"),
    "revisit": ("登记回访", "Record the revisit"),
    "close": ("办结", "Close"),
    "appeal": ("申诉", "Appeal"),
    "review": ("复核申诉", "Review the appeal"),
    "reopen": ("重新办理", "Open again"),
    "note": ("补充说明", "Add a note"),
    "withdraw_card": ("撤销亮牌", "Withdraw a card"),
}
CHOSEN = {
    "valid": ("属实", "Valid"),
    "mistaken": ("误评", "Mistaken"),
    "malicious": ("恶意", "Malicious"),
    "unfounded_in_law": ("缺乏法定依据", "Unfounded in law"),
    "reached": ("已联系上", "Reached"),
    "unreachable": ("未联系上", "Not reached"),
    "refused": ("拒绝沟通", "Refused to talk"),
    "resolved": ("已解决", "Resolved"),
    "unresolved": ("未解决", "Unresolved"),
    "upheld": ("申诉成立", "Upheld"),
    "rejected": ("申诉不成立", "Rejected"),
    "block": ("所在五条评价已满，自动交办", "Its block of five is whole"),
    "supervision": ("监督决定提前交办", "Supervision decided it"),
}
NEXT = {
    "assign": ("分派", "Assign"),
    "release": ("等满五条评价，或由监督决定交办", "Waits for its block of five, or supervision's decision"),
    "contact": ("联系评价人", "Contact the rater"),
    "classify": ("核实分类", "Classify"),
    "rectify": ("开始整改", "Begin rectification"),
    "reply": ("答复", "Reply"),
    "revisit": ("回访", "Revisit"),
    "close": ("办结", "Close"),
    "review": ("两人复核", "Two reviews"),
}
LIGHTS = {
    "green": ("正常", "On time", "good"),
    "notice": ("临近时限", "Near its limit", ""),
    "yellow": ("黄牌", "Yellow card", "warn"),
    "red": ("红牌", "Red card", "bad"),
    "red2": ("红牌（超最长时限）", "Red card (past the limit)", "bad"),
}
RULES = {
    "near": ("距承诺时限不到一个工作日", "A working day or less to the promise"),
    "promise": ("超过承诺时限", "Past the promise"),
    "limit": ("超过最长时限", "Past the limit"),
}


def rule(name: str, language: str) -> str:
    """Why a card was given."""
    index = 0 if language == "zh" else 1
    if name in RULES:
        return RULES[name][index]
    step = NEXT.get(name.removeprefix("late."), (name, name))[index]
    return f"逾期未{step}" if index == 0 else f"Late: {step}"
