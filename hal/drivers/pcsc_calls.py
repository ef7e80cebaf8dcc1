"""The few PC/SC calls that are used, with errors instead of return codes."""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple

GET_UID = [0xFF, 0xCA, 0x00, 0x00, 0x00]
"""PC/SC part 3: answered by the reader from what it learnt when it found the card."""
LONGEST_UID = 10


class PcscError(Exception):
    """A call failed; the message has the call and PC/SC's own words. `is_gone`: because the card left."""

    def __init__(self, call: str, words: str, *, is_gone: bool = False) -> None:
        super().__init__(f"{call}: {words}")
        self.is_gone = is_gone


class NoService(PcscError):
    """pcscd does not run, or ended."""


class Changed(NamedTuple):
    """What happened on a reader since the last look."""

    reader: str
    is_present: bool
    is_mute: bool
    atr: bytes


def load_scard() -> Any:
    """pyscard's low calls; raises ImportError without Debian's python3-pyscard."""
    from smartcard import scard

    return scard


class Pcsc:
    """One connection to pcscd. Not thread-safe: one thread owns it. Every call may raise `PcscError` or `NoService`."""

    def __init__(self, scard: Any) -> None:
        self._scard = scard
        self._states: dict[str, int] = {}
        self._context = self._call("SCardEstablishContext", scard.SCARD_SCOPE_USER)

    def __enter__(self) -> Pcsc:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Fails when the service is gone, and then there is nothing to let go.
        self._scard.SCardReleaseContext(self._context)

    def readers(self) -> list[str]:
        """The names of all readers, empty when there is none."""
        code, names = self._scard.SCardListReaders(self._context, [])
        if code in (self._code("SCARD_E_NO_READERS_AVAILABLE"), self._code("SCARD_E_READER_UNAVAILABLE")):
            names = []
        else:
            self._check("SCardListReaders", code)
        self._states = {name: state for name, state in self._states.items() if name in names}
        return list(names)

    def changes(self, readers: list[str], wait_s: float) -> list[Changed]:
        """Wait up to `wait_s` for a card to come or go on one of `readers`; a reader seen first tells what lies on it."""
        scard = self._scard
        asked = [(name, self._states.get(name, scard.SCARD_STATE_UNAWARE)) for name in readers]
        code, told = scard.SCardGetStatusChange(self._context, int(wait_s * 1000), asked)
        if code in (self._code("SCARD_E_TIMEOUT"), self._code("SCARD_E_UNKNOWN_READER"), self._code("SCARD_E_READER_UNAVAILABLE")):
            return []
        self._check("SCardGetStatusChange", code)
        found = []
        for name, state, atr in told:
            if state & (scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE):
                # The reader itself is going, so this tells nothing of the card; the next list of readers tells.
                self._states.pop(name, None)
                continue
            before = self._states.get(name)
            self._states[name] = state & ~scard.SCARD_STATE_CHANGED
            present = bool(state & scard.SCARD_STATE_PRESENT)
            # The upper half counts cards coming and going, so that an exchange between two looks is seen.
            moved = before is None or before >> 16 != state >> 16 or bool(before & scard.SCARD_STATE_PRESENT) != present
            if moved and (present or before is not None):
                found.append(Changed(name, present, bool(state & scard.SCARD_STATE_MUTE), bytes(atr)))
        return found

    def uid(self, reader: str) -> str:
        """The chip number of the card on `reader` in hex; empty when the reader does not tell one."""
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        card, protocol = self._call("SCardConnect", self._context, reader, scard.SCARD_SHARE_SHARED, protocols)
        try:
            header = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
            answer = bytes(self._call("SCardTransmit", card, header, GET_UID))
        finally:
            scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        if len(answer) < 2:
            raise PcscError("SCardTransmit", "the answer has no status")
        fine = answer[-2:] == b"\x90\x00" and 3 < len(answer) <= LONGEST_UID + 2
        return answer[:-2].hex() if fine else ""

    def _call(self, name: str, *arguments: Any) -> Any:
        code, *values = getattr(self._scard, name)(*arguments)
        self._check(name, code)
        return values[0] if len(values) == 1 else values

    def _check(self, name: str, code: int) -> None:
        if code == self._code("SCARD_S_SUCCESS"):
            return
        words = self._scard.SCardGetErrorMessage(code)
        gone = ("SCARD_E_NO_SERVICE", "SCARD_E_SERVICE_STOPPED", "SCARD_F_COMM_ERROR", "SCARD_E_INVALID_HANDLE")
        if code in [self._code(one) for one in gone]:
            raise NoService(name, words)
        left = ("SCARD_W_REMOVED_CARD", "SCARD_E_NO_SMARTCARD", "SCARD_W_RESET_CARD")
        raise PcscError(name, words, is_gone=code in [self._code(one) for one in left])

    def _code(self, name: str) -> int:
        # pyscard gives some codes as negative numbers, depending on the platform's width.
        return int(getattr(self._scard, name))
