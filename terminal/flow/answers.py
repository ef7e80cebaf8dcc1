"""The six answers about an item, in the order people ask: 我能不能办 · 带什么 · 去哪儿 · 多久 · 多少钱 · 怎么走."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pack.model import Duration, Fee, Item, Language, Material, Place, Text
from pack.notice import merge_materials, names_source
from terminal.flow.phrase import NOTHING, Phrase, phrase


@dataclass(frozen=True)
class Bring:
    """One row of the checklist. `about` says kind, copies, when it is needed and where it comes from."""

    name: str
    about: tuple[Phrase | str, ...]
    required: bool


@dataclass(frozen=True)
class Answers:
    """The answers in one language. Texts of the catalogue are plain strings, the product's own words are phrases."""

    name: str
    kind: Phrase
    visits: Phrase
    can: tuple[str, ...]
    bring: tuple[Bring, ...]
    where: str
    windows: tuple[str, ...]
    phone: str
    how_long: Phrase
    legal: Phrase
    how_much: tuple[Phrase | str, ...]
    steps: tuple[str, ...]
    complete: bool
    """False when the hall has only the core record: the screen says so and names the phone."""


def answers(item: Item, language: Language) -> Answers:
    """What the guide's first page, the QR code and the short notice say about `item`."""
    guide, place = item.guide, item.place
    return Answers(
        name=item.name.get(language),
        kind=phrase(f"handling.{item.handling}"),
        visits=visits(item),
        can=_said(guide.conditions, language) if guide else (),
        bring=checklist([item], language),
        where=where(place, language),
        windows=place.windows if place else (),
        phone=item.phone,
        how_long=limit(item.promise) if item.promise else NOTHING,
        legal=legal(item),
        how_much=fees(item, language),
        steps=_said((step.name for step in guide.steps), language) if guide else (),
        complete=guide is not None,
    )


def _said(texts: Iterable[Text], language: Language) -> tuple[str, ...]:
    # Imported records may have texts that say nothing.
    return tuple(said for text in texts if (said := text.get(language).strip()))


def where(place: Place | None, language: Language) -> str:
    """Floor and zone, of which an imported place may lack either or both; windows are said beside it."""
    return " · ".join(_said((place.floor, place.zone), language)) if place else ""


def visits(item: Item) -> Phrase:
    """How often one has to come: 跑 1 次, 不用跑窗口."""
    if item.visits is None:
        return NOTHING
    if item.visits < 2:
        return phrase("guide.visits_one" if item.visits else "guide.visits_none")
    return phrase("guide.visits", count=item.visits)


def limit(duration: Duration) -> Phrase:
    """A time limit in words: 当场办结, 2 小时, 7 个工作日."""
    if duration.amount == 1 and duration.unit != "at_once":
        return phrase(f"limit.{duration.unit}_one")
    return phrase(f"limit.{duration.unit}", amount=duration.amount)


def legal(item: Item) -> Phrase:
    """The legal limit in words, when it says more than the promise does."""
    if item.legal_limit is None or item.legal_limit == item.promise:
        return NOTHING
    return phrase("guide.legal", limit=limit(item.legal_limit))


def fees(item: Item, language: Language) -> tuple[Phrase | str, ...]:
    """What it costs: 不收费, amounts, or the standard in words; charged without a list says to ask."""
    if not item.charged:
        return (phrase("fee.none"),)
    if not item.fees:
        return (phrase("fee.ask"),)
    return tuple(fee_line(fee, language) for fee in item.fees)


def fee_line(fee: Fee, language: Language) -> Phrase | str:
    """One fee: its amount when it is fixed, else the standard it follows, else where to ask."""
    if fee.amount_fen is None:
        return fee.standard.get(language).strip() or phrase("fee.ask")
    return phrase("fee.amount", yuan=yuan(fee.amount_fen))


def yuan(amount_fen: int) -> str:
    """`12000` → `120`, `1050` → `10.50`."""
    whole, rest = divmod(amount_fen, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def checklist(items: Sequence[Item], language: Language) -> tuple[Bring, ...]:
    """What `items` ask for, each document once, in the order of the printed notice; rows several items use say by which."""
    rows = []
    for merged in merge_materials(items, language):
        row = bring(merged.material, language, notes=merged.notes)
        if len(merged.used_by) > 1:
            names = ("、" if language == "zh" else ", ").join(
                (item.short_name or item.name).get(language) for item in merged.used_by
            )
            row = Bring(row.name, (*row.about, phrase("plan.used_by", items=names)), row.required)
        rows.append(row)
    return tuple(rows)


def bring(material: Material, language: Language, *, notes: Sequence[str] = ()) -> Bring:
    """A checklist row for one material, with remarks."""
    about: list[Phrase | str] = []
    if material.exempt:
        about.append(phrase("material.exempt"))
    elif material.form == "electronic":
        about.append(phrase("material.electronic"))
    else:
        about.append(phrase(f"material.{material.kind}", copies=material.copies))
    if material.need != "required":
        about.append(phrase(f"material.{material.need}"))
    if names_source(material):
        about.append(phrase(f"material.from_{material.source}"))
    about += notes
    required = material.need == "required" and not material.exempt
    return Bring(material.name.get(language), tuple(about), required)


def count_ready(rows: Sequence[Bring], ticked: set[int]) -> tuple[int, int]:
    """How many required materials there are, and how many of them are ticked."""
    needed = [index for index, row in enumerate(rows) if row.required]
    return len(needed), sum(index in ticked for index in needed)
