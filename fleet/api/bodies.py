"""What the API takes and gives. Every request model refuses unknown fields: nobody sends personal data here by mistake."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Code = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z._\-]*$")]
Number = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z一-鿿\-]+$")]
MOST_INVITATION_S = 600


class Strict(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ServiceGiven(Strict):
    """One service was given at a window. It is the denominator of participation, whether anybody rates it or not."""

    window: Number = Field(description="Window number as on its sign", examples=["12"])
    hall: Code = Field("", description="Hall code; may be left out while there is one hall")
    item_code: Code = Field("", description="Item handled", examples=["000133001000"])
    item_name: str = Field(
        "",
        max_length=60,
        description="Shown with the question when the hall's own list does not know the code",
        examples=["不动产转移登记"],
    )
    stage: Literal["consult", "accept", "finish"] = Field("finish", description="Where in the case the service stood")
    clerk: Code = Field("", description="Staff number; the clerk signed in at the window when left out")
    case_tail: str = Field(
        "",
        max_length=8,
        pattern=r"^[0-9A-Za-z\-]*$",
        description="Last characters of the case number, never the whole",
        examples=["0417"],
    )
    ticket: str = Field("", max_length=16, pattern=r"^[0-9A-Za-z\-]*$", description="Queue ticket", examples=["A023"])
    invite: bool = Field(False, description="Ask for a rating on the window's evaluator now")
    expires_s: int = Field(90, ge=10, le=MOST_INVITATION_S, description="How long the invitation stands, in seconds")


class ServiceTaken(BaseModel):
    """The service was recorded."""

    occasion: str = Field(description="32 hexadecimal digits; the rating, if one comes, is bound to it")
    is_new: bool = Field(description="False when the same Idempotency-Key had been taken before")
    invitation: Literal["none", "given", "no_evaluator"] = Field(
        description="Whether the evaluator was ordered to invite; what became of it tells GET /api/v1/orders/{command}"
    )
    command: str = Field(default="", description="The order to the evaluator: GET /api/v1/orders/{id} tells its true state")


class WindowChange(Strict):
    """What a window is doing."""

    state: Literal["serving", "paused", "closed"]
    ticket: str = Field("", max_length=16, pattern=r"^[0-9A-Za-z\-]*$", description="Ticket being served")


class ClerkChange(Strict):
    """Who sits at a window; an empty number signs out."""

    clerk: Code = Field(description="Staff number, or empty")


class WindowOut(BaseModel):
    """One window."""

    hall: str
    number: str
    business: str
    state: str
    clerk: str
    ticket: str
    evaluators: list[str]


class Figures(BaseModel):
    """Figures of one group. A rate is null without a denominator; `interval` is the 95 % Wilson interval."""

    value: str = Field(description="The group: a window, a day, …; empty for the total")
    hall: str = Field(description="Hall of a window, clerk or item; empty when the figures are of all halls")
    first_day: str | None
    last_day: str | None = Field(description="Last day the figures cover, yesterday at the latest; null when they cover none")
    n: int = Field(description="Ratings that count")
    shown: int = Field(description="Of these, in whole fives: what levels, satisfaction, interval and negative_rate are of")
    services: int
    levels: dict[str, int]
    satisfaction: float | None
    interval: tuple[float, float] | None
    negative_rate: float | None
    excluded: int = Field(description="Of the negative ratings shown, those that an upheld appeal excludes; still in all counts")
    satisfaction_without: float | None = Field(description="Satisfaction without the excluded ones")
    participation: float | None
    not_rated: int
    uninvited: int


class DeviceOut(BaseModel):
    """One device as known now; `seen` is online, offline or unknown (silence is never health)."""

    name: str
    role: str
    hall: str
    window: str
    label: str
    seen: str
    since_ms: int
    heard_ms: int | None
    out_of_service: dict[str, str] = Field(description="Service → reason (message id), for the services it cannot give")
    software: str
    waiting_entries: int | None


class IncidentOut(BaseModel):
    """One incident."""

    no: int
    kind: str
    severity: str
    hall: str
    devices: list[str]
    reason: str
    reason_zh: str
    reason_en: str
    next_step: str
    next_step_zh: str
    next_step_en: str
    args: dict[str, str]
    """What the words were filled with, and for a refused message `detail`: which journal and entry, and what was wrong."""
    since_ms: int
    taken_by: str | None
    closed_ms: int | None


class OrderOut(BaseModel):
    """An order with its true state: queued, sent, received, running, done, failed, refused or expired."""

    id: str
    device: str
    verb: str
    state: str
    detail: str | None
    issued_ms: int
    expires_ms: int
    changed_ms: int


class ReceiptOut(BaseModel):
    """Whether a rating was counted, and on which day; never its level."""

    code: str
    day: str
    counted: str


class DeadlineOut(BaseModel):
    """When a number of working days is over."""

    start: str
    days: int
    due: str
    provisional: bool = Field(description="True while a year it touches has no notice yet: it may still change")


class DayOut(BaseModel):
    """One day of the calendar."""

    day: str
    works: bool
    occasion: str = Field(description="Why it is off, beside weekends")
    provisional: bool


class WorkOrdersOut(BaseModel):
    """Counts of work orders that have been handed over; others would tell what was pressed just now."""

    hall: str
    first_day: str
    last_day: str = Field(description="Yesterday at the latest")
    orders: int
    closed: int
    upheld: int = Field(description="Excluded by an upheld appeal; not in what has to be rectified")
    rectified: int = Field(description="Replied to")
    on_time: int = Field(description="Replied to within the promise")
    due: int = Field(description="Orders whose promise is over, and those replied to")
    rectification_rate: float | None = Field(description="rectified / due")
    on_time_rate: float | None = Field(description="on_time / due")


class Health(BaseModel):
    """`degraded` while the fleet has no broker: it then knows nothing of its devices."""

    status: Literal["ok", "degraded"]
    broker: bool
    devices: int
    online: int
