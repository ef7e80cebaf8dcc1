"""Lays out a one-time notice on a roll of paper: 32 columns on 58 mm, 48 on 80 mm, any of the three languages."""

import segno

from hal.paper import Block, Columns, Cut, Feed, Qr, Rule, Text, columns_of
from pack.notice import Notice, Section, Tick
from terminal.flow.phrase import joined
from terminal.wording import Say
from ui.typeset import break_lines

_QUIET_MODULES = 8
_LARGEST_MODULE = 6
_MOST_LARGE_LINES = 3


def notice_blocks(
    notice: Notice,
    *,
    ticked: frozenset[int],
    columns: int,
    width_dots: int,
    say: Say,
    masked_name: str = "",
    number: str = "",
    taken: str = "",
) -> tuple[Block, ...]:
    """The notice as blocks.

    `ticked` are the documents the visitor said he has, by their place in the list; `taken` is the text of the QR code, or
    empty; `number` identifies the sheet, so that staff can find its print in the journal.
    """
    blocks: list[Block] = [Text(notice.hall, align="centre"), *_large(notice.title, columns)]
    blocks += [Text(mark, bold=True, align="centre") for mark in notice.marks]
    blocks += [Rule("="), *_subject(notice.subject, columns), Rule()]
    for section in notice.sections:
        blocks += _section(section, ticked, columns, say)
    blocks += [Rule(), *(Text(line) for line in notice.footer), *_signatures(masked_name, say)]
    if taken:
        blocks += [Rule(), Text(say("slip.scan"), align="centre"), Qr(taken, module=qr_module(taken, width_dots), correction="L")]
    if number:
        blocks.append(Text(say("slip.number", number=number), align="centre"))
    return (*blocks, Feed(3), Cut())


def qr_module(text: str, width_dots: int) -> int:
    """The largest module (2 to 6 dots) with which the code of `text` and its quiet zone fit the paper."""
    modules = segno.make(text.encode(), error="l", micro=False, boost_error=False).symbol_size(border=0)[0]
    return max(2, min(_LARGEST_MODULE, width_dots // (modules + _QUIET_MODULES)))


def _large(text: str, columns: int) -> list[Block]:
    size = 2 if columns_of(text) * 2 <= columns else 1
    return [Text(text, bold=True, size=size, align="centre")]


def _subject(text: str, columns: int) -> list[Block]:
    # A name of up to three large lines reads well; a longer one is clearer small and bold.
    large, fits = break_lines(text, columns // 2, columns_of)
    if not fits:
        # Korean has no space before a bracket, so that name and addition are one word.
        large, fits = break_lines(text.replace("(", " ("), columns // 2, columns_of)
    if fits and len(large) <= _MOST_LARGE_LINES:
        return [Text(line, bold=True, size=2) for line in large]
    return [Text(line, bold=True) for line in break_lines(text, columns, columns_of)[0]]


def _section(section: Section, ticked: frozenset[int], columns: int, say: Say) -> list[Block]:
    rows = [row for row in section.rows if row.value.strip()]
    if not (rows or section.ticks or section.lines):
        return []
    blocks: list[Block] = [Text(f"[{section.title}]", bold=True)]
    for line in section.lines:
        numbered = line[:1].isdigit()
        blocks += hanging("" if numbered else "·", line, indent=0 if numbered else 2, columns=columns)
    for index, tick in enumerate(section.ticks):
        blocks += _tick(tick, index in ticked, columns, say)
    for row in rows:
        blocks += _row(row.label, row.value, columns)
    return [*blocks, Text("")]


def hanging(mark: str, text: str, *, indent: int, columns: int, bold: bool = False) -> list[Block]:
    """`text` in lines as readers expect them broken, each after `indent` columns; `mark` stands before the first.

    The printer's driver breaks lines too, but anywhere: it would begin one with 。 or 》.
    """
    lines, _ = break_lines(text, columns - indent, columns_of)
    if not indent:
        return [Text(line, bold=bold) for line in lines]
    marks = [mark] + [""] * (len(lines) - 1)
    return [Columns((sign, line), (indent, 0), bold=bold) for sign, line in zip(marks, lines, strict=True)]


def _tick(tick: Tick, has_it: bool, columns: int, say: Say) -> list[Block]:
    box = "√" if has_it else "□" if tick.has_box else "－"
    more = joined((tick.manner, *tick.remarks), say, mark=say("list.semicolon"))
    blocks = hanging(box, tick.name, indent=3, columns=columns, bold=True)
    blocks += hanging("", more, indent=3, columns=columns)
    if len(tick.used_by) > 1:
        blocks += hanging("", "→ " + " / ".join(tick.used_by), indent=3, columns=columns)
    return blocks


def _row(label: str, value: str, columns: int) -> list[Block]:
    width = max(columns_of(label) + 2, 10)
    room = columns - width
    if width > columns // 2 or (width > columns // 3 and columns_of(value) > room):
        # A long label, as fees have them, leaves the value no room beside it.
        return [*hanging("", label, indent=0, columns=columns), *hanging("", value, indent=3, columns=columns)]
    return hanging(label, value, indent=width, columns=columns)


def _signatures(masked_name: str, say: Say) -> list[Block]:
    who = say("slip.applicant", name=masked_name) if masked_name else say("slip.applicant_line")
    return [Text(""), Text(who), Text(say("slip.clerk_line"))]
