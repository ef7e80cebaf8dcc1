"""Why a pack was refused, one class a reason. Open this to see what a caller can catch."""


class PackError(Exception):
    """Base of everything this package raises on purpose; the message says what was wrong and what to do."""


class PackMissing(PackError, FileNotFoundError):
    """There is no file at the path."""


class PackTruncated(PackError):
    """The file ends too early, or is not a pack at all: its seal is not where it must be."""


class PackDamaged(PackError):
    """The content does not have the hash that its manifest states, or SQLite cannot read it."""


class PackForged(PackError):
    """The manifest's signature was not made with the expected key."""


class PackTooNew(PackError):
    """The file has a schema or seal format that this version of the software does not know."""


class ContentInvalid(PackError, ValueError):
    """Content that no pack can be built from; `reasons` lists every fault, not just the first."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        shown = "; ".join(reasons[:10]) + (f"; and {len(reasons) - 10} more" if len(reasons) > 10 else "")
        super().__init__(f"the content has {len(reasons)} fault(s), correct them and build again: {shown}")


class UnknownCode(PackError, KeyError):
    """The pack holds nothing under this code."""

    def __str__(self) -> str:
        return str(self.args[0])
