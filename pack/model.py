"""What a hall's content is made of: items, guides, scenarios, places. Open this to learn the shape of a content pack.

Every text that people read is a `Text`: Chinese always, Korean and English when somebody has written them. Field names
follow the national service guide (GB/T 39554.2); codes stay text because several schemes are in use at once.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Short = Annotated[str, Meta(max_length=200)]
Long = Annotated[str, Meta(max_length=20_000)]
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._\-]+$")]
Language = Literal["zh", "ko", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "ko", "en")


class Text(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One text in the product's languages. `zh` is the original; an empty other language means nobody has written it."""

    zh: Long
    ko: Long = ""
    en: Long = ""

    def get(self, language: Language) -> str:
        """The text in `language`, or the Chinese original when it was not written in that language."""
        return getattr(self, language) or self.zh


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all content records: decoded strictly, so that a misspelt field is an error and not a loss."""


class Duration(Record, frozen=True, kw_only=True):
    """A time limit. `at_once` (即时办结) has amount 0."""

    amount: Annotated[int, Meta(ge=0, le=3650)]
    unit: Literal["at_once", "hour", "working_day", "day", "month"]


class Material(Record, frozen=True, kw_only=True):
    """One document a citizen brings (申请材料)."""

    name: Text
    kind: Literal["original", "copy", "original_and_copy"]
    form: Literal["paper", "electronic", "paper_or_electronic"] = "paper"
    copies: Annotated[int, Meta(ge=0, le=50)] = 1
    need: Literal["required", "conditional", "later"] = "required"
    """required 必要 · conditional 符合情形时提供 (say when in `note`) · later 容缺后补."""
    source: Literal["applicant", "government", "intermediary", "hall"] = "applicant"
    source_note: Text | None = None
    note: Text | None = None
    exempt: bool = False
    """True when the hall reads the electronic licence itself, so nothing has to be brought (免提交)."""


class Step(Record, frozen=True, kw_only=True):
    """One step of handling: 申请, 受理, 审查, 决定, 制证, 送达 …"""

    name: Text
    by: Text | None = None
    limit: Duration | None = None
    note: Text | None = None


class Fee(Record, frozen=True, kw_only=True):
    """One charge. `amount_fen` is in 1/100 yuan; None when it depends, then `standard` says on what."""

    name: Text
    standard: Text
    basis: Text
    amount_fen: Annotated[int, Meta(ge=0)] | None = None


class Question(Record, frozen=True, kw_only=True):
    """A common question with its answer (常见问题)."""

    question: Text
    answer: Text


class Place(Record, frozen=True, kw_only=True):
    """Where to go: floor and zone as shown on signs, and window numbers as in hall.json."""

    floor: Text
    zone: Text
    windows: tuple[Short, ...] = ()


class Guide(Record, frozen=True, kw_only=True):
    """The complete guide of an item (办事指南). Items without one have their core record only."""

    conditions: tuple[Text, ...]
    materials: tuple[Material, ...]
    steps: tuple[Step, ...]
    result: Text
    questions: tuple[Question, ...] = ()
    legal_basis: tuple[Text, ...] = ()
    not_accepted: tuple[Text, ...] = ()


class Item(Record, frozen=True, kw_only=True):
    """One matter a hall handles (事项)."""

    code: Code
    name: Text
    department: Code
    short_name: Text | None = None
    aliases: tuple[Short, ...] = ()
    """Other words people really say for it, in any language."""
    code_scheme: Literal["national", "province", "local"] = "local"
    kind: Literal["licence", "payment", "confirmation", "reward", "ruling", "other_power", "public_service"] = "public_service"
    """行政许可 licence · 给付 payment · 确认 confirmation · 奖励 reward · 裁决 ruling · 其他行政权力 other_power · 公共服务."""
    handling: Literal["at_once", "review", "promise"] = "promise"
    """即办件 at_once · 一审一核件 review · 承诺件 promise."""
    audience: tuple[Literal["person", "company", "other"], ...] = ("person",)
    theme: Short = ""
    legal_limit: Duration | None = None
    promise: Duration | None = None
    charged: bool = False
    fees: tuple[Fee, ...] = ()
    place: Place | None = None
    phone: Short = ""
    complaint_phone: Short = ""
    hours: Text | None = None
    visits: Annotated[int, Meta(ge=0, le=9)] | None = None
    online: bool = False
    at_terminal: bool = False
    popularity: Annotated[int, Meta(ge=1)] | None = None
    """Rank in the hall, 1 = asked most; None = unknown, sorts last."""
    status: Literal["in_use", "paused", "withdrawn"] = "in_use"
    version: Short = "1"
    valid_from: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    guide: Guide | None = None
    unread: dict[str, str] = {}
    """What an importer found and could not interpret, kept as text: field name → original value."""


class Department(Record, frozen=True, kw_only=True):
    """A unit that handles items in the hall (部门)."""

    code: Code
    name: Text
    short_name: Text


class Choice(Record, frozen=True, kw_only=True):
    """One answer to a scenario's question, leading to the next question or to a situation."""

    label: Text
    next_question: Short = ""
    situation: Short = ""


class ScenarioQuestion(Record, frozen=True, kw_only=True):
    """One question of a scenario's tree; `id` is unique in its scenario, the first question is the root."""

    id: Short
    ask: Text
    choices: tuple[Choice, ...]


class Situation(Record, frozen=True, kw_only=True):
    """One case of a scenario (情景): which items it needs, in handling order."""

    id: Short
    name: Text
    items: tuple[Code, ...]
    promise: Duration | None = None


class Scenario(Record, frozen=True, kw_only=True):
    """A life event handled at once (一件事一次办)."""

    code: Code
    name: Text
    summary: Text
    lead_department: Code
    questions: tuple[ScenarioQuestion, ...]
    situations: tuple[Situation, ...]
    place: Place | None = None
    popularity: Annotated[int, Meta(ge=1)] | None = None


class Window(Record, frozen=True, kw_only=True):
    """A service window as its sign names it."""

    number: Short
    business: Text
    department: Code = ""
    floor: Text
    zone: Text


class Hall(Record, frozen=True, kw_only=True):
    """The hall itself: names, hours, windows."""

    code: Code
    name: Text
    area_code: Short
    zones: tuple[Text, ...]
    windows: tuple[Window, ...]
    hours: Text
    phone: Short
    complaint_phone: Short
    demonstration: bool = False
    """True marks invented content: screens and notices say so."""


class Content(Record, frozen=True, kw_only=True):
    """Everything a pack is built from."""

    hall: Hall
    departments: tuple[Department, ...]
    items: tuple[Item, ...]
    scenarios: tuple[Scenario, ...] = ()
