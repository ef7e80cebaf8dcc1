"""Cards for the virtual PC/SC reader `vpcd` (Debian's vsmartcard-vpcd): it speaks vpcd's protocol, pcscd and the reader are real.

vpcd listens on a TCP port; a card that lies on the reader is a connection to it. Each message is two bytes of length and the
data; one byte of data is a command (0 power off, 1 power on, 2 reset, 4 tell the answer to reset), more is an APDU.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from typing import Any

import click

from hal.sim.station import CommandError, hex_bytes, number

MAX_LINE = 65536
CONTACTLESS = "3b88800100000000338181003a"
STORAGE = "3b8f8001804f0ca000000306030001000000006a"
CONTACT = "3b6d000080318065495301029d8083079000"


class Card:
    """A card on the reader until `take_away`: one connection to vpcd and its thread."""

    def __init__(self, address: tuple[str, int], *, atr: bytes, uid: bytes, leaves_after: int) -> None:
        self._atr, self._uid, self._leaves_after = atr, uid, leaves_after
        self.apdus: list[str] = []
        self._link = socket.create_connection(address, timeout=5)
        self._link.settimeout(None)
        threading.Thread(target=self._serve, name="card", daemon=True).start()

    def take_away(self) -> None:
        """Lift the card off."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()

    def _serve(self) -> None:
        try:
            while (message := self._receive()) is not None:
                if len(message) > 1:
                    self._answer(message)
                elif message == b"\x04":
                    self._send(self._atr)
        except OSError:
            pass

    def _answer(self, apdu: bytes) -> None:
        self.apdus.append(apdu.hex())
        if self._leaves_after and len(self.apdus) >= self._leaves_after:
            self.take_away()
        elif apdu == b"\xff\xca\x00\x00\x00" and self._uid:
            self._send(self._uid + b"\x90\x00")
        else:
            self._send(b"\x6a\x81")

    def _receive(self) -> bytes | None:
        head = self._exactly(2)
        return None if head is None else self._exactly(int.from_bytes(head, "big"))

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            part = self._link.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    def _send(self, data: bytes) -> None:
        self._link.sendall(len(data).to_bytes(2, "big") + data)


class Reader:
    """The slots of one vpcd, and what lies on them."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._cards: dict[int, Card] = {}

    def command(self, do: str, options: dict[str, Any]) -> dict[str, Any]:
        """See docs/drivers.md for the commands."""
        commands = {"state": self._state, "insert": self._insert, "remove": self._remove, "reset": self._reset}
        if do not in commands:
            raise CommandError(f"{do!r} is not known; use one of {', '.join(commands)}")
        return commands[do](options)

    def _state(self, options: dict[str, Any]) -> dict[str, Any]:
        slot = int(number(options, "slot", 0, 1))
        card = self._cards.get(slot)
        return {"card": card is not None, "apdus": card.apdus if card else []}

    def _insert(self, options: dict[str, Any]) -> dict[str, Any]:
        kinds = {"contactless": CONTACTLESS, "storage": STORAGE, "contact": CONTACT}
        kind = options.get("kind", "contactless")
        if kind not in kinds:
            raise CommandError(f"kind is {kind!r}; use one of {', '.join(kinds)}")
        atr = hex_bytes(options, "atr") or bytes.fromhex(kinds[kind])
        uid = hex_bytes(options, "uid") if "uid" in options else b"\x04\xa2\x24\x1a\x5b\x66\x80"
        slot, leaves = int(number(options, "slot", 0, 1)), int(number(options, "leaves_after", 0, 100))
        self._remove({"slot": slot})
        address = (self._address[0], self._address[1] + slot)
        try:
            self._cards[slot] = Card(address, atr=atr, uid=uid, leaves_after=leaves)
        except OSError as error:
            raise CommandError(f"no vpcd at {address[0]}:{address[1]} ({error}); start pcscd with its reader") from error
        return {"atr": atr.hex(), "uid": uid.hex()}

    def _remove(self, options: dict[str, Any]) -> dict[str, Any]:
        card = self._cards.pop(int(number(options, "slot", 0, 1)), None)
        if card:
            card.take_away()
        return {}

    def _reset(self, options: dict[str, Any]) -> dict[str, Any]:
        for slot in list(self._cards):
            self._remove({"slot": slot})
        return {}


def serve(reader: Reader, control: str, stopped: threading.Event) -> None:
    """Obey the control socket until `stopped`, one connection after the other."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(control)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(control)
    listener.listen(8)
    listener.settimeout(0.2)
    print("ready", flush=True)
    try:
        while not stopped.is_set():
            try:
                link, _ = listener.accept()
            except TimeoutError:
                continue
            link.settimeout(2)
            with link, contextlib.suppress(OSError), link.makefile("rwb") as file:
                while line := file.readline(MAX_LINE):
                    file.write(json.dumps(_answer(reader, line)).encode() + b"\n")
                    file.flush()
    finally:
        reader.command("reset", {})
        listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(control)


def _answer(reader: Reader, line: bytes) -> dict[str, Any]:
    try:
        command = json.loads(line)
        if not isinstance(command, dict) or not isinstance(command.get("do"), str):
            raise CommandError('send one JSON object a line, with "do"')
        return {"ok": True, **reader.command(command.pop("do"), command)}
    except ValueError as error:
        return {"ok": False, "error": str(error)}


@click.command()
@click.option("--vpcd", required=True, help="Where vpcd listens: ADDRESS:PORT of its first slot.")
@click.option("--control", required=True, help="Path of the control socket.")
def main(vpcd: str, control: str) -> None:
    """Lay cards on a virtual PC/SC reader until SIGTERM; commands in docs/drivers.md."""
    host, _, port = vpcd.rpartition(":")
    if not port.isdigit():
        raise click.BadParameter(f"{vpcd} is no ADDRESS:PORT, for example 127.0.0.1:35963", param_hint="--vpcd")
    stopped = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stopped.set())
    serve(Reader(host, int(port)), control, stopped)


if __name__ == "__main__":
    main()
