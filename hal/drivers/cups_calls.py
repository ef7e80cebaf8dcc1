"""Calls of CUPS with a deadline each: libcups itself waits up to a minute for a server that hangs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

DEFAULT_SERVER = "/run/cups/cups.sock"
PIECE = 65536
JOB_ATTRIBUTES = [
    "job-id",
    "job-uuid",
    "job-state",
    "job-media-sheets-completed",
    "job-impressions-completed",
    "time-at-processing",
]
PRINTER_ATTRIBUTES = ["printer-state", "printer-state-reasons", "device-uri", "printer-is-accepting-jobs"]

Answer = TypeVar("Answer")


class CupsDown(Exception):
    """CUPS cannot be talked to, or the queue is not there; `reason` is a health id with its `args`."""

    def __init__(self, reason: str, **args: str) -> None:
        super().__init__(f"{reason}: {', '.join(args.values())}")
        self.reason = reason
        self.reason_args = args


class Cups:
    """One queue of one CUPS server. Not thread-safe: one thread owns it, each call runs on a thread that may be left behind."""

    def __init__(self, server: str, queue_name: str, *, deadline_s: float, connect: Callable[[str], Any] | None = None) -> None:
        """`server` a socket's path or ADDRESS:PORT, empty for this computer's; `connect` opens it, by default with pycups."""
        self._server = server or DEFAULT_SERVER
        self._queue = queue_name
        self._deadline_s = deadline_s
        self._connect = connect or _connected
        self._connection: Any = None

    def printer(self) -> dict[str, Any]:
        """Attributes of the printer; see `PRINTER_ATTRIBUTES`. Every method raises `CupsDown`."""
        return self._call(lambda cups: cups.getPrinterAttributes(self._queue, requested_attributes=PRINTER_ATTRIBUTES))

    def queues(self) -> dict[str, str]:
        """Every queue of the server with its description, as far as it has one."""
        found: dict[str, dict[str, Any]] = self._call(lambda cups: cups.getPrinters())
        titles = ("printer-info", "printer-make-and-model")
        return {name: next((str(about[key]) for key in titles if about.get(key)), name) for name, about in found.items()}

    def itself(self, device_uri: str) -> dict[str, Any] | None:
        """What an IPP printer says of itself, because CUPS hears from it only while it prints; None when it does not answer."""
        device = urlsplit(device_uri)
        if device.scheme not in ("ipp", "ipps") or not device.hostname:
            return {}
        asked = Cups(f"{device.hostname}:{device.port or 631}", self._queue, deadline_s=self._deadline_s, connect=self._connect)
        try:
            said: dict[str, Any] = asked._call(
                lambda cups: cups.getPrinterAttributes(uri=device_uri, requested_attributes=PRINTER_ATTRIBUTES[:2])
            )
            return said
        except CupsDown as down:
            # It answers, but is no friend of this question: CUPS' own word must do.
            return {} if down.reason == "a4.refused" else None

    def job(self, number: int, uuid: str = "") -> dict[str, Any]:
        """Attributes of one job; empty for one that CUPS has forgotten, or that is not the one of that `uuid`."""
        try:
            said: dict[str, Any] = self._call(lambda cups: cups.getJobAttributes(number, requested_attributes=JOB_ATTRIBUTES))
        except CupsDown as down:
            if down.reason != "a4.no_queue":
                raise
            said = {}
        return said if not uuid or said.get("job-uuid") == uuid else {}

    def create(self, name: str, options: dict[str, str]) -> tuple[int, str]:
        """Make a job without content; returns its number, and the identity that tells it from a later one of that number.

        CUPS writes its memory down only every half minute, so after a crash it may give numbers again.
        """
        number: int = self._call(lambda cups: cups.createJob(self._queue, name, options))
        return number, str(self.job(number).get("job-uuid", ""))

    def send(self, number: int, pdf: bytes) -> None:
        """Give a job its only document."""

        def send_it(cups: Any) -> None:
            cups.startDocument(self._queue, number, "document.pdf", "application/pdf", 1)
            for at in range(0, len(pdf), PIECE):
                piece = pdf[at : at + PIECE]
                cups.writeRequestData(piece, len(piece))
            cups.finishDocument(self._queue)

        self._call(send_it)

    def cancel(self, number: int) -> None:
        """Take a job out of the queue; one that is over stays as it is."""
        try:
            self._call(lambda cups: cups.cancelJob(number))
        except CupsDown as down:
            # CUPS refuses to cancel what has just ended.
            if down.reason not in ("a4.refused", "a4.no_queue"):
                raise

    def _call(self, do: Callable[[Any], Answer]) -> Answer:
        answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def work() -> None:
            try:
                if self._connection is None:
                    self._connection = self._connect(self._server)
                answers.put((True, do(self._connection)))
            except BaseException as error:
                answers.put((False, error))

        threading.Thread(target=work, name="hal-cups", daemon=True).start()
        try:
            fine, said = answers.get(timeout=self._deadline_s)
        except queue.Empty:
            self._connection = None
            raise CupsDown("a4.no_cups", server=self._server) from None
        if fine:
            answer: Answer = said
            return answer
        raise self._why(said) from said

    def _why(self, error: BaseException) -> CupsDown:
        if isinstance(error, ImportError):
            return CupsDown("hal.not_installed", package="python3-cups")
        code = error.args[0] if error.args else None
        words = str(error.args[1] if len(error.args) > 1 else error)
        # IPP status 0x0406: client-error-not-found.
        if code == 0x0406:
            return CupsDown("a4.no_queue", queue=self._queue)
        if type(error).__name__ == "IPPError" and isinstance(code, int) and 0x0400 <= code < 0x0500:
            return CupsDown("a4.refused", error=words)
        self._connection = None
        return CupsDown("a4.no_cups", server=self._server)


def _connected(server: str) -> Any:
    # Debian's python3-cups; loaded here so that a device without an A4 printer does without it.
    import cups

    host, _, port = server.rpartition(":")
    if server.startswith("/") or not port.isdecimal():
        return cups.Connection(host=server)
    return cups.Connection(host=host, port=int(port))
