"""How far a printer has come with a job: questions inside the job that it answers only when their turn comes.

The content question stands before the last cut, the end question behind it. Printers that tell their names (GS I) are asked
for model and maker: random bytes on the line do not look like those. Others are asked for their paper (GS r), whose answer
is a single byte that noise can imitate: the content question is then asked four times and the end twice, the second time
only after the first was answered.
"""

from __future__ import annotations

import msgspec

from hal.drivers.escpos_status import FenceReply, Identity, Said

ASK_PAPER = b"\x1d\x72\x01"
ASK_MAKER = b"\x1d\x49\x42"
ASK_MODEL = b"\x1d\x49\x43"
CONTENT_TIMES = 4
MIN_NAME = 2


class Names(msgspec.Struct, frozen=True):
    """Names by which a printer answers; usable as fences when they are long enough and differ."""

    model: str
    maker: str

    def are_usable(self) -> bool:
        """Whether noise, or one answer for the other, could not be mistaken for them."""
        return min(len(self.model), len(self.maker)) >= MIN_NAME and self.model != self.maker


class Fences:
    """The questions of one job, and what was answered; `names` None for a printer that does not tell them."""

    def __init__(self, names: Names | None) -> None:
        self._names = names
        self._count = 0
        self.content = False
        """Everything before the last cut is on the paper."""
        self.end = False
        """The whole job was worked through."""
        self.proof_wanted = False
        """The end question is to be sent once more, as proof; whoever sends it sets this to False."""
        self._proof_due = names is None

    @property
    def ask_content(self) -> bytes:
        """Bytes to put before the last cut."""
        return ASK_PAPER * CONTENT_TIMES if self._names is None else ASK_MODEL

    @property
    def ask_end(self) -> bytes:
        """Bytes to put at the end."""
        return ASK_PAPER if self._names is None else ASK_MAKER

    @property
    def can_ask_again(self) -> bool:
        """Whether the end question may be repeated when its answer seems lost; a counted one would be miscounted."""
        return self._names is not None

    def heard(self, said: Said) -> None:
        """Take in what the printer said."""
        if self._names is not None:
            if isinstance(said, Identity):
                self.end = self.end or said.name == self._names.maker
                self.content = self.content or self.end or said.name == self._names.model
        elif isinstance(said, FenceReply):
            self._count += 1
            self.content = self._count >= CONTENT_TIMES
            if self._count > CONTENT_TIMES and self._proof_due:
                self._proof_due = False
                self.proof_wanted = True
            elif self._count > CONTENT_TIMES + 1 and not self.proof_wanted:
                self.end = True
