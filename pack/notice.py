"""The one-time notice (一次性告知单) as neutral content, for one item or for all items of a situation merged.

Open this to see what a notice says. How it is laid out on a roll or a page is the printer's affair.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from pack.fold import fold
from pack.model import Duration, Guide, Hall, Item, Language, Material, Place
from pack.notice_words import word

_NEEDS: tuple[Literal["required", "conditional", "later"], ...] = ("required", "conditional", "later")


class Row(Struct, frozen=True):
    """A label and what it says."""

    label: str
    value: str


class Tick(Struct, frozen=True):
    """One document to bring: its name, how (原件, 2份, 纸质), remarks, and the items that use it when there are several.

    `has_box` is False for what need not be brought (免提交): there is nothing to tick.
    """

    name: str
    manner: str
    remarks: tuple[str, ...]
    used_by: tuple[str, ...]
    has_box: bool


class Section(Struct, frozen=True):
    """A heading with rows, ticks and plain lines, any of which may be empty."""

    title: str
    rows: tuple[Row, ...] = ()
    ticks: tuple[Tick, ...] = ()
    lines: tuple[str, ...] = ()


class Notice(Struct, frozen=True):
    """A whole notice in one language. `marks` are what a reader must see first, such as that the content is invented."""

    title: str
    subject: str
    hall: str
    marks: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...]


class MergedMaterial(Struct, frozen=True):
    """A document several items ask for, once: the largest number of copies, the strictest need, and who uses it."""

    material: Material
    used_by: tuple[Item, ...]
    notes: tuple[str, ...]
    """Every different remark, in Chinese reading order of the items."""


def duration_text(duration: Duration, language: Language) -> str:
    """即时办结, 2小时, 5个工作日 … in the given language."""
    number = "one" if duration.amount == 1 else "many"
    return word(f"duration.{duration.unit}.{number}", language, amount=duration.amount)


def fee_text(amount_fen: int, language: Language) -> str:
    """An amount of money: 2000 → 20元; 1050 → 10.50元."""
    yuan, fen = divmod(amount_fen, 100)
    return word("yuan", language, amount=f"{yuan}.{fen:02d}" if fen else yuan)


def merge_materials(items: Iterable[Item], language: Language = "zh") -> list[MergedMaterial]:
    """All documents that `items` ask for, each once, in the order they are first asked for.

    Two are the same when their Chinese names (width, case, punctuation aside) and their kind are the same. A document
    need not be brought only when no item needs it brought.
    """
    merged: dict[tuple[str, str], MergedMaterial] = {}
    for item in items:
        for material in item.guide.materials if item.guide else ():
            key = (fold(material.name.zh).text or material.name.zh, material.kind)
            merged[key] = _merge(merged.get(key), material, item, language)
    return list(merged.values())


def names_source(material: Material) -> bool:
    """Whether to say in fixed words where a document comes from. A note of its own about that says it better, and once."""
    return material.source != "applicant" and not material.source_note


def _merge(known: MergedMaterial | None, material: Material, item: Item, language: Language) -> MergedMaterial:
    notes = tuple(text.get(language) for text in (material.note, material.source_note) if text)
    if known is None:
        return MergedMaterial(material, (item,), notes)
    first = known.material
    strictest = min(first.need, material.need, key=_NEEDS.index)
    forms = {first.form, material.form}
    kept = Material(
        name=first.name,
        kind=first.kind,
        form=first.form if len(forms) == 1 else "paper" if "paper" in forms else "electronic",
        copies=max(first.copies, material.copies),
        need=strictest,
        source=first.source,
        source_note=first.source_note or material.source_note,
        note=first.note,
        exempt=first.exempt and material.exempt,
    )
    users = known.used_by if item in known.used_by else (*known.used_by, item)
    return MergedMaterial(kept, users, tuple(dict.fromkeys((*known.notes, *notes))))


def _tick(merged: MergedMaterial, language: Language, *, is_shared_list: bool) -> Tick:
    material = merged.material
    manner = [word(f"kind.{material.kind}", language)]
    if material.copies > 1:
        manner.append(word("copies", language, amount=material.copies))
    manner.append(word(f"form.{material.form}", language))
    remarks = list(merged.notes)
    if material.exempt:
        remarks.insert(0, word("exempt", language))
    elif material.need != "required":
        remarks.insert(0, word(f"need.{material.need}", language))
    if names_source(material):
        remarks.append(word(f"source.{material.source}", language))
    users = tuple((item.short_name or item.name).get(language) for item in merged.used_by) if is_shared_list else ()
    return Tick(material.name.get(language), word("joint", language).join(manner), tuple(remarks), users, not material.exempt)


def _place_text(place: Place, language: Language) -> str:
    parts = [place.floor.get(language), place.zone.get(language)]
    if place.windows:
        parts.append(word("windows", language, numbers=word("joint", language).join(place.windows)))
    return " ".join(part for part in parts if part)


def _time_rows(item: Item, due: date | None, language: Language) -> list[Row]:
    rows = []
    if item.promise:
        rows.append(Row(word("promise", language), duration_text(item.promise, language)))
    if item.legal_limit:
        rows.append(Row(word("legal_limit", language), duration_text(item.legal_limit, language)))
    if due:
        rows.append(Row(word("due", language), word("date", language, year=due.year, month=due.month, day=due.day)))
    return rows


def _money_rows(item: Item, language: Language) -> list[Row]:
    if not item.charged:
        return [Row(word("fee", language), word("free", language))]
    if not item.fees:
        return [Row(word("fee", language), word("fee_ask", language))]
    rows = []
    for fee in item.fees:
        amount = "" if fee.amount_fen is None else fee_text(fee.amount_fen, language)
        said = word("colon", language).join(part for part in (amount, fee.standard.get(language)) if part)
        basis = word("basis", language, text=fee.basis.get(language)) if fee.basis.zh else ""
        rows.append(Row(fee.name.get(language), f"{said} {basis}".strip()))
    return rows


def _place_rows(item: Item, hall: Hall, language: Language) -> list[Row]:
    rows = []
    if item.place:
        rows.append(Row(word("place", language), _place_text(item.place, language)))
    rows.append(Row(word("hours", language), (item.hours or hall.hours).get(language)))
    rows.append(Row(word("phone", language), item.phone or hall.phone))
    rows.append(Row(word("complaint_phone", language), item.complaint_phone or hall.complaint_phone))
    return rows


def _guide_sections(guide: Guide, language: Language) -> list[Section]:
    steps = tuple(
        f"{number}. {step.name.get(language)}"
        + (word("within", language, text=duration_text(step.limit, language)) if step.limit else "")
        for number, step in enumerate(guide.steps, start=1)
    )
    sections = [
        Section(word("steps", language), lines=steps),
        Section(word("result", language), lines=(guide.result.get(language),)),
        Section(word("not_accepted", language), lines=tuple(text.get(language) for text in guide.not_accepted)),
        Section(word("legal_basis", language), lines=tuple(text.get(language) for text in guide.legal_basis)),
    ]
    return [section for section in sections if any(section.lines)]


def _materials(items: Sequence[Item], language: Language) -> Section:
    merged = merge_materials(items, language)
    ticks = tuple(_tick(material, language, is_shared_list=len(items) > 1) for material in merged)
    lines = () if ticks else (word("ask_materials", language),)
    return Section(word("materials", language), ticks=ticks, lines=lines)


def _frame(subject: str, hall: Hall, sections: list[Section], language: Language, today: date | None) -> Notice:
    marks = (word("demonstration", language),) if hall.demonstration else ()
    footer = [word("valid", language)]
    if today:
        footer.append(word("issued", language, year=today.year, month=today.month, day=today.day))
    return Notice(word("title", language), subject, hall.name.get(language), marks, tuple(sections), tuple(footer))


def notice(item: Item, hall: Hall, *, language: Language = "zh", due: date | None = None, today: date | None = None) -> Notice:
    """The notice of one item.

    Args:
        due: the last day of the promise if it were accepted today; the caller has the calendar of working days.
        today: the date of issue, printed when given.
    """
    sections = []
    if item.guide and item.guide.conditions:
        lines = tuple(text.get(language) for text in item.guide.conditions)
        sections.append(Section(word("conditions", language), lines=lines))
    sections.append(_materials([item], language))
    sections.append(Section(word("where", language), rows=tuple(_place_rows(item, hall, language))))
    sections.append(Section(word("time", language), rows=tuple(_time_rows(item, due, language))))
    sections.append(Section(word("money", language), rows=tuple(_money_rows(item, language))))
    if item.guide:
        sections += _guide_sections(item.guide, language)
    return _frame(item.name.get(language), hall, sections, language, today)


def merged_notice(
    title: str,
    items: Sequence[Item],
    hall: Hall,
    *,
    language: Language = "zh",
    due: Mapping[str, date] | None = None,
    today: date | None = None,
) -> Notice:
    """One notice for everything a situation needs: each document once, then place, time and money item by item.

    Args:
        title: the scenario's and situation's name, already in `language`.
        items: in handling order.
        due: by item code, as in `notice`.
    """
    sections = [_materials(items, language)]
    for number, item in enumerate(items, start=1):
        rows = [
            *_place_rows(item, hall, language),
            *_time_rows(item, (due or {}).get(item.code), language),
            *_money_rows(item, language),
        ]
        sections.append(Section(f"{number}. {item.name.get(language)}", rows=tuple(rows)))
    return _frame(title, hall, sections, language, today)
