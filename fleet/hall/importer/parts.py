"""Takes the long cells of a guide apart: materials, steps, conditions, questions, legal bases, places, fees."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from fleet.hall.importer import values
from fleet.hall.importer.clean import clean_text, is_empty, narrow, one_line
from pack.model import Fee, Material, Place, Question, Step, Text

MOST_PARTS = 200
NAME_LENGTH = 2_000
_NUMBERING = re.compile(
    r"[①-⑳]\s*"
    r"|(?:^|(?<=[\s；;。，,]))[（(](?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）]\s*"
    r"|(?:^|(?<=[\s；;。，,）)]))(?:\d{1,2}[)）]|\d{1,2}[.、．](?!\d)|[一二三四五六七八九十]{1,3}、)\s*"
)
_BRACKETS = re.compile(r"[（(]([^（）()]*)[）)]")
_COPIES = re.compile(r"(?:一式|各|共)?\s*(\d{1,2}|[一二两三四五六七八九十]{1,2})\s*份")
_KIND_WORDS = re.compile(r"(原件\s*[及和与、,/或]\s*复印件|复印件\s*[及和与、]\s*原件|原件|复印件|影印件)")
_FORM_WORDS = re.compile(r"(纸质\s*[及和与、,/或]\s*电子[版件]?|纸质[版件]?|电子[版件]?)")
_TAIL = re.compile(r"(?<=[\w）)])[，,：:\s]*((?:原件|复印件|纸质|电子|各|一式|\d{1,2}\s*份)[^，,（）()]{0,16})$")
_FLOOR = re.compile(r"(?:负?[一二三四五六七八九十\d]{1,3})\s*(?:楼|层)|\b[B]?\d{1,2}\s*[Ff]\b")
_ZONE = re.compile(r"(?:楼|层|[Ff]|厅|中心)\s*[，,、]?\s*([^\s，,、（）()楼层厅]{1,12}(?:专区|区|厅))")
_WINDOWS = re.compile(r"[A-Za-z]?\d{1,3}(?:\s*号)?(?:\s*[-—~至到]\s*[A-Za-z]?\d{1,3})?")
_WINDOW_TEXT = re.compile(r"((?:[A-Za-z]?\d{1,3}\s*号?\s*[-—~至到、,，和]?\s*)+)(?:号)?\s*(?:综合)?窗口")


def pieces(text: str) -> list[str]:
    """A cell's entries: parted by line breaks, semicolons outside brackets, or a numbering, which is taken off."""
    marked = _NUMBERING.sub("\n", text)
    parts: list[str] = [""]
    depth = 0
    for char in marked:
        if char in "（([【《":
            depth += 1
        elif char in "）)]】》":
            depth = max(0, depth - 1)
        if char == "\n" or (char in "；;" and depth == 0):
            parts.append("")
            depth = 0
        else:
            parts[-1] += char
    cleaned = [part.strip(" \t，,。；;、") if len(part) < 60 else part.strip() for part in parts]
    return [part for part in cleaned if not is_empty(part)]


def _first(entry: dict[str, Any], *keys: str) -> str:
    for key in keys:
        value = entry.get(key)
        if value is not None and not isinstance(value, dict | list) and not is_empty(cleaned := clean_text(str(value))[0]):
            return cleaned
    return ""


def _entries(value: Any) -> Iterator[dict[str, Any] | str]:
    """Structured entries as they are, text cut into pieces; entries of another shape as text."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict):
                yield entry
            elif entry is not None and not is_empty(text := clean_text(str(entry))[0]):
                yield text
    else:
        yield from pieces(clean_text(str(value))[0])


def texts(value: Any) -> tuple[Text, ...]:
    """Paragraphs, such as conditions."""
    found = []
    for entry in _entries(value):
        said = entry if isinstance(entry, str) else _first(entry, "内容", "名称", "条件", "说明")
        if said:
            found.append(Text(zh=said))
    return tuple(found)


def _material_of_text(said: str) -> Material:
    """居民身份证（原件及复印件2份） → name, kind, copies; what is in brackets and says something else stays in the name."""
    kind, form, copies = "original", "paper", 1
    name = said
    for bracket in _BRACKETS.finditer(said):
        inner = narrow(bracket[1])
        rest = _COPIES.sub("", _FORM_WORDS.sub("", _KIND_WORDS.sub("", inner)))
        if re.fullmatch(r"[\s，,、;；各及和]*", rest) and inner.strip():
            name = name.replace(bracket[0], "")
            kind, form, copies = _manner(inner, kind, form, copies)
    tail = _TAIL.search(name)
    if tail and not _KIND_WORDS.sub("", _FORM_WORDS.sub("", _COPIES.sub("", narrow(tail[1])))).strip(" ，,、各及和"):
        kind, form, copies = _manner(narrow(tail[1]), kind, form, copies)
        name = name[: tail.start()]
    name = one_line(name).strip(" ，,：:、") or said
    return Material(name=Text(zh=name[:NAME_LENGTH]), kind=kind, form=form, copies=copies)  # type: ignore[arg-type]


def _manner(said: str, kind: str, form: str, copies: int) -> tuple[str, str, int]:
    if match := _KIND_WORDS.search(said):
        kind = values.look_up(values.MATERIAL_KINDS, match[1]) or kind
    if match := _FORM_WORDS.search(said):
        form = values.look_up(values.MATERIAL_FORMS, match[1]) or form
    numbers = [values.chinese_number(match[1]) or 0 for match in _COPIES.finditer(said)]
    if numbers and 0 <= max(numbers) <= 50:
        copies = max(numbers)
    return kind, form, copies


def _material_of_entry(entry: dict[str, Any], complain: Callable[[str, str], None]) -> Material | None:
    name = one_line(_first(entry, "名称", "材料名称", "name"))
    if not name:
        return None
    # A form that says 原件和复印件 and a kind that says 纸质 are common: look into both.
    said_kind, said_form = _first(entry, "材料类型", "类型"), _first(entry, "提交形式", "材料形式", "形式")
    kind = values.look_up(values.MATERIAL_KINDS, said_kind) or values.look_up(values.MATERIAL_KINDS, said_form)
    form = values.look_up(values.MATERIAL_FORMS, said_form) or values.look_up(values.MATERIAL_FORMS, said_kind)
    need = _first(entry, "是否必要", "必要性", "是否必须")
    source = _first(entry, "材料来源", "来源渠道", "来源")
    copies = _first(entry, "份数", "材料份数", "数量")
    count = _copies(copies)
    for column, said, understood in (
        ("材料类型", said_kind, kind or form), ("提交形式", said_form, form or kind), ("份数", copies, count is not None),
        ("是否必要", need, values.look_up(values.MATERIAL_NEEDS, need)),
    ):  # fmt: skip
        if said and not understood:
            complain(f"{column}（{name}）", said)
    source_known = values.look_up(values.MATERIAL_SOURCES, source)
    note = _first(entry, "说明", "材料说明", "备注", "填报须知")
    return Material(
        name=Text(zh=name[:NAME_LENGTH]),
        kind=kind or "original",  # type: ignore[arg-type]
        form=form or "paper",  # type: ignore[arg-type]
        copies=1 if count is None else count,
        need=values.look_up(values.MATERIAL_NEEDS, need) or "required",  # type: ignore[arg-type]
        source=source_known or "applicant",  # type: ignore[arg-type]
        source_note=Text(zh=source) if source and not source_known else None,
        note=Text(zh=note) if note else None,
    )


def _copies(said: str) -> int | None:
    number = values.whole_number(said)
    if number is None:
        found = [values.chinese_number(match[1]) for match in _COPIES.finditer(narrow(said))]
        number = max((count for count in found if count is not None), default=None)
    return number if number is not None and number <= 50 else None


def materials(value: Any, complain: Callable[[str, str], None]) -> tuple[Material, ...]:
    """Documents to bring; `complain(column, value)` is told of every detail that cannot be interpreted."""
    found = []
    for entry in _entries(value):
        material = _material_of_text(entry) if isinstance(entry, str) else _material_of_entry(entry, complain)
        if material is None:
            complain("材料", str(entry))
        else:
            found.append(material)
    return tuple(found)


def steps(value: Any, complain: Callable[[str, str], None]) -> tuple[Step, ...]:
    """Steps of handling: 受理→审查→决定, a numbered list, or entries with 环节, 办理人员, 办理时限."""
    if isinstance(value, str) and re.search(r"→|—>|->|➔|⇒", value):
        value = re.sub(r"→|—>|->|➔|⇒", "\n", value)
    found = []
    for entry in _entries(value):
        if isinstance(entry, str):
            found.append(Step(name=Text(zh=entry)))
            continue
        name = one_line(_first(entry, "环节", "步骤", "名称", "环节名称", "步骤名称"))
        if not name:
            complain("办理环节", str(entry))
            continue
        limit = _first(entry, "办理时限", "时限")
        understood = values.duration(limit) if limit else None
        if limit and understood is None:
            complain(f"办理时限（{name}）", limit)
        by = one_line(_first(entry, "办理人员", "人员", "办理人"))
        notes = [_first(entry, "审查标准"), _first(entry, "说明")]
        if limit and understood is None:
            notes.insert(0, limit)
        note = "\n".join(part for part in notes if part)
        found.append(
            Step(name=Text(zh=name), by=Text(zh=by) if by else None, limit=understood, note=Text(zh=note) if note else None)
        )
    return tuple(found)


def questions(value: Any, complain: Callable[[str, str], None]) -> tuple[Question, ...]:
    """Questions with answers: entries with 问题 and 答复, or text with 问： and 答：."""
    found = []
    if isinstance(value, str):
        asked = re.split(r"(?:^|\n)\s*(?:\d{1,2}[.、．]\s*)?问\s*[:：]", clean_text(value)[0])
        for part in asked[1:]:
            question, mark, answer = re.sub(r"\n?\s*答\s*[:：]", "\0", part, count=1).partition("\0")
            if mark:
                found.append(Question(question=Text(zh=question.strip()), answer=Text(zh=answer.strip())))
        if not found or asked[0].strip():
            complain("常见问题", asked[0].strip() or value)
        return tuple(found)
    for entry in _entries(value):
        question = "" if isinstance(entry, str) else _first(entry, "问题", "提问", "question")
        answer = "" if isinstance(entry, str) else _first(entry, "答复", "答案", "回答", "解答", "answer")
        if question and answer:
            found.append(Question(question=Text(zh=question), answer=Text(zh=answer)))
        else:
            complain("常见问答", str(entry))
    return tuple(found)


def legal_basis(value: Any) -> tuple[Text, ...]:
    """《name》（number）clause：content, or text as it is."""
    found = []
    for entry in _entries(value):
        if isinstance(entry, str):
            found.append(Text(zh=entry))
            continue
        name, number = one_line(_first(entry, "名称", "法律名称")), one_line(_first(entry, "文号", "依据文号"))
        clause, content = one_line(_first(entry, "条款", "条款号")), _first(entry, "内容", "条款内容")
        title = (name if name.startswith("《") or not name else f"《{name}》") + (f"（{number}）" if number else "") + clause
        if said := "：".join(part for part in (title, content) if part):
            found.append(Text(zh=said))
    return tuple(found)


def result(value: Any) -> Text:
    """What the applicant receives."""
    names = []
    for entry in _entries(value):
        said = entry if isinstance(entry, str) else one_line(_first(entry, "名称", "结果名称"))
        if said:
            names.append(said)
    return Text(zh="、".join(dict.fromkeys(names)))


def windows(said: str) -> tuple[str, ...]:
    """3号、5号窗口 → 3, 5; 1-4号 → 1, 2, 3, 4."""
    found: list[str] = []
    for match in _WINDOWS.finditer(narrow(said)):
        ends = re.findall(r"[A-Za-z]?\d{1,3}", match[0])
        if len(ends) == 2 and ends[0].isdigit() and ends[1].isdigit() and 0 <= int(ends[1]) - int(ends[0]) <= 50:
            found += [str(number) for number in range(int(ends[0]), int(ends[1]) + 1)]
        else:
            found += ends
    return tuple(dict.fromkeys(found))


def place(said: str, *, floor: str = "", zone: str = "", window: str = "") -> Place | None:
    """Where to go; what is left of an address that names no zone stands for it."""
    if not (said or floor or zone or window):
        return None
    text = narrow(said)
    window_text = _WINDOW_TEXT.search(text)
    floor_found = _FLOOR.search(text)
    zone_found = _ZONE.search(text)
    numbers = windows(window or (window_text[1] if window_text else ""))
    return Place(
        floor=Text(zh=floor or (floor_found[0].replace(" ", "") if floor_found else "")),
        zone=Text(zh=zone or (zone_found[1] if zone_found else _without(said, floor_found, window_text))),
        windows=tuple(number[:200] for number in numbers),
    )


def _without(address: str, *found: re.Match[str] | None) -> str:
    """The address without what has a field of its own."""
    for match in found:
        if match:
            address = address.replace(match[0], " ")
    return " ".join(address.split()).strip("，,、 ")


def fees(said: str, basis: str) -> tuple[Fee, ...]:
    """Charges: one a line or semicolon, with the amount when the text names exactly one."""
    return tuple(
        Fee(name=Text(zh="收费"), standard=Text(zh=part), basis=Text(zh=basis), amount_fen=values.fen(part))
        for part in pieces(said)
    )
