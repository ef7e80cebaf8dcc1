"""What works at this machine right now, and how that is said in plain words before anybody touches anything."""

from dataclasses import dataclass, replace

from runtime.outage import Stage
from terminal.flow.phrase import NOTHING, Phrase, phrase
from wire.messages import Words


@dataclass(frozen=True)
class Part:
    """One peripheral: absent (`fitted` False), working, or not; then `reason` says why in a sentence for visitors."""

    fitted: bool = True
    works: bool = True
    reason: Phrase = NOTHING
    warn: Phrase = NOTHING
    """Works, but soon will not: paper near its end."""


@dataclass(frozen=True)
class Status:
    """The machine's abilities. A new value replaces the old one whenever something changes."""

    printer: Part = Part()
    reader: Part = Part()
    network: bool = True
    content: bool = True
    rating: bool = True
    demonstration: bool = False
    pairing_code: str = ""
    """Shown while the fleet has not yet accepted this machine."""
    notice: Words | None = None
    """What the hall wants to tell everybody today, in its own words."""

    keypad: bool = False
    """Whether twelve keys are fitted, and with them 语音键盘."""

    codes: bool = False
    """Whether a code that somebody holds up can be read: a scanner or a camera is fitted and works."""

    power: Stage = "none"
    """What the device does about a power cut (runtime.outage)."""

    @property
    def rests(self) -> bool:
        """True while nobody may begin: the battery is for those who are there, and for a clean end."""
        return self.power in ("resting", "ending")

    def with_printer(self, part: Part) -> "Status":
        return replace(self, printer=part)


def abilities(status: Status) -> list[Phrase]:
    """What can be done here and now, most useful first: the large line of the attract screen."""
    if status.rests:
        return []
    can = [phrase("attract.can_search"), phrase("attract.can_check")] if status.content else []
    if status.content and prints(status):
        can.append(phrase("attract.can_print"))
    if status.content:
        can.append(phrase("attract.can_take"))
    can.append(phrase("attract.can_help"))
    return can


def prints(status: Status) -> bool:
    """True when a notice can really be put on paper."""
    return status.printer.fitted and status.printer.works


def troubles(status: Status) -> list[Phrase]:
    """What is out of service, in words for visitors, and what still works. Empty when all is well."""
    said: list[Phrase] = []
    if status.power != "none":
        said.append(phrase("trouble.power"))
    if not status.content:
        said.append(phrase("trouble.content"))
    if status.printer.fitted and not status.printer.works:
        said.append(phrase("trouble.printer", reason=status.printer.reason))
    elif not status.printer.fitted and status.content:
        said.append(phrase("trouble.no_printer"))
    elif status.printer.warn.id:
        said.append(status.printer.warn)
    if status.reader.fitted and not status.reader.works:
        said.append(phrase("trouble.reader"))
    if not status.network:
        said.append(phrase("trouble.network"))
    return said
