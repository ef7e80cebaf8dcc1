#!/usr/bin/env python3
"""`nw-desk`: the clerk's end of the line to an evaluator. One file, Python 3.9 or newer, needs only pyserial.

A copy of this file on the clerk's PC is the whole installation (docs/desk.md). It speaks the reference evaluator protocol
(docs/evaluator-protocol.md) and is written from that document, not from the evaluator's own program. What an evaluator tells it
cannot hold a rating's level: there is no frame for that.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import queue
import shlex
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn

ACK_S, TRIES, GREET_S = 0.3, 3, 0.5
GREETING_S, ANSWER_S = 4.0, 15.0
DONE, REFUSED, USAGE, NO_PORT, NO_ANSWER = 0, 1, 2, 3, 4
"""Exit statuses."""

STAGES = {"consult": 1, "accept": 2, "finish": 3, "咨询": 1, "受理": 2, "办结": 3}
WINDOWS = {1: "serving", 2: "paused", 3: "closed"}
TROUBLES = {0: "none", 1: "starting", 2: "not_paired", 3: "no_room", 4: "on_battery"}
ANSWERS = (
    "accepted", "busy", "not_paired", "no_room", "already_asked",
    "expired", "not_recorded", "nobody_signed_in", "unreadable", "later", "on_battery",
)  # fmt: skip

WORDS: dict[str, tuple[str, str]] = {
    "accepted": ("好的", "done"),
    "busy": (
        "上一次邀请还没有结束；要马上邀请下一位，请加 --next",
        "the last invitation is not over; to invite the next visitor at once, add --next",
    ),
    "not_paired": ("评价器还没有与服务器配对；请联系运维人员", "the evaluator is not paired with its server; call operations"),
    "no_room": ("评价器存储将满，暂停评价；请联系运维人员", "the evaluator's storage is nearly full; call operations"),
    "already_asked": ("这项服务已经邀请过评价，不能重复", "this service has been asked about before; once is enough"),
    "expired": ("邀请已过期", "the invitation came too late"),
    "not_recorded": ("评价器没能记录；请再试一次", "the evaluator could not record it; try again"),
    "nobody_signed_in": ("没有人员签到；请先签到：nw-desk sign-in 工号", "nobody is signed in; first: nw-desk sign-in NUMBER"),
    "unreadable": ("评价器不认识这条命令；请核对内容和版本", "the evaluator does not understand; check the values and the version"),
    "later": ("评价器正忙或正在启动；请稍后再试", "the evaluator is busy or starting; try again shortly"),
    "on_battery": (
        "停电，评价器用备用电池，暂不邀请评价；来电后再试",
        "mains power is out and nobody is asked; try again when it is back",
    ),
    "no_pyserial": ("缺少 pyserial；请运行：pip install pyserial", "pyserial is missing; run: pip install pyserial"),
    "no_port_named": (
        "没有指定串口；请用 --port 或环境变量 NW_DESK_PORT，例如 --port COM3。现有串口：{ports}",
        "no port is named; use --port or NW_DESK_PORT, for example --port COM3. Ports here: {ports}",
    ),
    "no_port": (
        "打不开串口 {port}（{error}）；请查线缆、驱动，或是否被别的程序占用。现有串口：{ports}",
        "port {port} cannot be opened ({error}); check cable and driver, or whether another program holds it. Ports here: {ports}",
    ),
    "port_lost": ("串口 {port} 断开了（{error}）；请查线缆", "port {port} broke ({error}); check the cable"),
    "nobody": (
        "{port} 上没有评价器应答；请查线缆是否插在评价器的“窗口电脑”口、速率是否为 {baud}、评价器是否已开机",
        "no evaluator answers on {port}; check that the cable is in its desk port, that the speed is {baud}, and that it is on",
    ),
    "wrong_role": ("{port} 上接的是{found}，不是评价器", "what answers on {port} is a {found}, not an evaluator"),
    "wrong_version": (
        "评价器的协议版本是 {theirs}，本程序是 1；请更新本程序",
        "the evaluator speaks protocol {theirs}, this program 1; update this program",
    ),
    "state": (
        "{window}；{seat}；{occasion}{trouble}",
        "{window}; {seat}; {occasion}{trouble}",
    ),
    "serving": ("服务中", "serving"),
    "paused": ("暂停服务", "paused"),
    "closed": ("未开放", "closed"),
    "signed_in": ("已签到", "signed in"),
    "signed_out": ("未签到", "nobody signed in"),
    "occasion_open": ("正在邀请评价", "inviting"),
    "occasion_none": ("可以邀请", "free to invite"),
    "trouble_starting": ("；评价器正在启动", "; the evaluator is starting"),
    "trouble_not_paired": ("；评价器未配对", "; the evaluator is not paired"),
    "trouble_no_room": ("；评价器存储将满", "; the evaluator's storage is nearly full"),
    "trouble_on_battery": ("；停电，暂不邀请", "; mains power is out"),
    "bad_line": ("看不懂：{line}（{error}）", "not understood: {line} ({error})"),
    "bad_number": ("工号 {value} 不行；只能用 1–16 位字母、数字和 -", "number {value} will not do; use 1-16 letters, digits and -"),
    "bad_valid": ("--valid {value} 不行；请用 5–600 秒", "--valid {value} will not do; use 5-600 seconds"),
    "too_long": ("{what} 太长；最多 {limit} 字节", "{what} is too long; at most {limit} bytes"),
}


class DeskError(Exception):
    """What went wrong, as a key of WORDS with its values, and the exit status that tells it to other programs."""

    def __init__(self, key: str, status: int, **values: Any) -> None:
        super().__init__(key)
        self.key, self.status, self.values = key, status, values

    def words(self, lang: str) -> str:
        """The sentence for a person."""
        return say(self.key, lang, **self.values)


def say(key: str, lang: str, **values: Any) -> str:
    """A sentence of WORDS."""
    return WORDS[key][lang == "en"].format(**values)


# Frames


def crc16(data: bytes) -> int:
    """CRC-16, polynomial 1021, first value FFFF."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = ((value << 1) ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def encode(seq: int, cmd: int, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    body = bytes((len(payload), seq, cmd)) + payload
    body += struct.pack(">H", crc16(body))
    out = bytearray(b"\x02")
    for byte in body:
        if byte in (0x02, 0x03, 0x10, 0x11, 0x13):
            out += bytes((0x10, byte ^ 0x40))
        else:
            out.append(byte)
    return bytes(out) + b"\x03"


class Decoder:
    """Finds frames in a stream, whatever else is in it."""

    def __init__(self) -> None:
        self._raw = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Number, command and payload of each whole frame."""
        self._raw += data
        while True:
            begin = self._raw.rfind(b"\x02", 0, self._raw.find(b"\x03") + 1)
            end = self._raw.find(b"\x03")
            if end < 0:
                # No frame is longer than this; the rest is noise.
                del self._raw[:-420]
                return
            frame = bytes(self._raw[begin + 1 : end]) if begin >= 0 else b""
            del self._raw[: end + 1]
            body = _unstuffed(frame)
            if len(body) >= 5 and len(body) == body[0] + 5 and crc16(body[:-2]) == struct.unpack(">H", body[-2:])[0]:
                yield body[1], body[2], body[3:-2]


def _unstuffed(frame: bytes) -> bytes:
    out, escaped = bytearray(), False
    for byte in frame:
        if escaped:
            out.append(byte ^ 0x40)
            escaped = False
        elif byte == 0x10:
            escaped = True
        elif byte not in (0x11, 0x13):
            out.append(byte)
    return b"" if escaped else bytes(out)


# Commands


def text(value: str, what: str, limit: int) -> bytes:
    """A text with its length before it. Raises DeskError when it is too long."""
    raw: bytes = value.strip().encode("utf-8")
    if len(raw) > limit:
        raise DeskError("too_long", USAGE, what=what, limit=limit)
    return bytes((len(raw),)) + raw


def occasion_of(case: str, ticket: str, stage: str, day: str) -> bytes:
    """16 bytes that name a service: the same for the same case or ticket, stage and day, so that it is asked about once.

    Only this mark and the end of the case number leave the PC. Without case and ticket each invitation is another service.
    """
    if not case and not ticket:
        return os.urandom(16)
    parts = "\0".join(("nightwindow/desk/1", case, ticket, str(STAGES[stage]), day))
    return hashlib.sha256(parts.encode("utf-8")).digest()[:16]


def invite_payload(options: argparse.Namespace) -> bytes:
    """INVITE. Raises DeskError when something is out of its limits."""
    if not 5 <= options.valid <= 600:
        raise DeskError("bad_valid", USAGE, value=options.valid)
    day = datetime.date.today().isoformat()
    head = occasion_of(options.case, options.ticket, options.stage, day) + struct.pack(">BH", STAGES[options.stage], options.valid)
    name = options.item_name.strip().encode("utf-8")
    while len(name) > 60:
        # A name that is too long is shown shortened, as any screen would.
        name = bytes(name.decode("utf-8")[:-1], "utf-8")
    return (
        head
        + text(options.item, "--item", 32)
        + text(options.case.strip()[-options.tail :] if options.tail else "", "--case", 24)
        + text(options.ticket, "--ticket", 16)
        + bytes((len(name),))
        + name
    )


def frame_of(options: argparse.Namespace) -> tuple[int, bytes]:
    """Command byte and payload for a command line. Raises DeskError."""
    if options.command == "sign-in":
        number = options.number.encode("ascii", "replace")
        if not 1 <= len(number) <= 16 or not all(chr(byte).isalnum() or byte == 0x2D for byte in number):
            raise DeskError("bad_number", USAGE, value=options.number)
        return 0x02, number
    if options.command == "invite":
        return 0x03, invite_payload(options)
    plain = {
        "cancel": (0x04, b""),
        "sign-out": (0x07, b""),
        "resume": (0x08, b"\x01"),
        "pause": (0x08, b"\x02"),
        "close": (0x08, b"\x03"),
    }
    return plain[options.command]


# The line


class Link:
    """An open line to an evaluator. Raises DeskError for whatever goes wrong with it."""

    def __init__(self, port: str, baud: int) -> None:
        try:
            import serial
        except ImportError:
            raise DeskError("no_pyserial", USAGE) from None
        self._port, self._baud = port, baud
        self._decoder = Decoder()
        self._seq, self._expected, self._last = 0, 1, 0
        self._session = 0
        self.state: tuple[int, int, int, int] | None = None
        self._answers: dict[int, int] = {}
        try:
            exclusive = {} if os.name == "nt" else {"exclusive": True}
            self._serial = serial.Serial(port, baud, timeout=0.02, write_timeout=2, **exclusive)
            self._serial.reset_input_buffer()
        except (OSError, ValueError) as error:
            raise DeskError("no_port", NO_PORT, port=port, error=error, ports=ports()) from error
        self._greet()

    def close(self) -> None:
        """Let the port go."""
        self._serial.close()

    def _write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except OSError as error:
            raise DeskError("port_lost", NO_PORT, port=self._port, error=error) from error

    def _frames(self) -> list[tuple[int, int, bytes]]:
        try:
            data = self._serial.read(max(1, self._serial.in_waiting))
        except (OSError, TypeError) as error:
            raise DeskError("port_lost", NO_PORT, port=self._port, error=error) from error
        return list(self._decoder.feed(data))

    def _greet(self) -> None:
        """Begin a session. A fresh mark for each greeting, so that its answer belongs to this one."""
        end = time.monotonic() + GREETING_S
        while time.monotonic() < end:
            mark = os.urandom(3) + b"\x01"
            self._write(encode(0, 0x01, bytes((1, 1, 3, 200)) + mark + bytes(8) + bytes((7,)) + b"nw-desk"))
            again = time.monotonic() + GREET_S
            while time.monotonic() < again:
                for _, cmd, payload in self._frames():
                    if cmd == 0x81 and len(payload) >= 17 and payload[4:8] == mark:
                        self._check_peer(payload)
                        return
        raise DeskError("nobody", NO_ANSWER, port=self._port, baud=self._baud)

    def _check_peer(self, payload: bytes) -> None:
        if payload[2] != 1:
            found = {2: "按键盒 / button box", 3: "nw-desk"}.get(payload[2], str(payload[2]))
            raise DeskError("wrong_role", NO_ANSWER, port=self._port, found=found)
        if not payload[0] <= 1 <= payload[1]:
            raise DeskError("wrong_version", NO_ANSWER, theirs=f"{payload[0]}-{payload[1]}")
        self._seq, self._expected, self._last = 0, 1, 0
        self._session += 1

    def listen(self) -> set[int]:
        """Take in what arrived; the numbers of own frames that were acknowledged."""
        acknowledged = set()
        for seq, cmd, payload in self._frames():
            if cmd == 0x7F:
                acknowledged.add(seq)
            elif cmd == 0x81:
                # The evaluator has started anew and knows nothing of this session.
                self._greet()
            elif seq in (self._expected, self._last):
                self._write(encode(seq, 0x7F))
                if seq == self._expected:
                    self._last, self._expected = seq, seq % 255 + 1
                    self._take(cmd, payload)
        return acknowledged

    def _take(self, cmd: int, payload: bytes) -> None:
        if cmd == 0x82 and len(payload) >= 2:
            self._answers[payload[0]] = payload[1]
        elif cmd == 0x85 and len(payload) >= 4:
            self.state = (payload[0], payload[1], payload[2], payload[3])

    def _send(self, cmd: int, payload: bytes) -> int:
        """Send a frame until it is acknowledged; its number. Greets anew once when nobody acknowledges."""
        if self._try(cmd, payload) is None:
            session = self._session
            self.listen()
            if session == self._session:
                self._greet()
            if self._try(cmd, payload) is None:
                raise DeskError("nobody", NO_ANSWER, port=self._port, baud=self._baud)
        return self._seq

    def _try(self, cmd: int, payload: bytes) -> int | None:
        """Send a frame up to three times in this session; its number, or None when it was not acknowledged."""
        self._seq = seq = self._seq % 255 + 1
        session, data = self._session, encode(seq, cmd, payload)
        for _ in range(TRIES):
            self._write(data)
            end = time.monotonic() + ACK_S + (len(data) + 412) * 10 / self._baud
            while time.monotonic() < end:
                if seq in self.listen():
                    return seq
                if session != self._session:
                    return None
        return None

    def command(self, cmd: int, payload: bytes) -> str:
        """Send a command and wait for what the evaluator says to it: a word of ANSWERS."""
        self._answers.clear()
        seq = self._send(cmd, payload)
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            if seq in self._answers:
                code = self._answers.pop(seq)
                return ANSWERS[code] if code < len(ANSWERS) else "later"
            self.listen()
        raise DeskError("nobody", NO_ANSWER, port=self._port, baud=self._baud)

    def ask_state(self) -> tuple[int, int, int, int]:
        """How things stand: occasion open, window, signed in, trouble."""
        self.state = None
        self._send(0x09, b"")
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            if self.state is not None:
                return self.state
            self.listen()
        raise DeskError("nobody", NO_ANSWER, port=self._port, baud=self._baud)


def ports() -> str:
    """The serial ports of this computer, in one line."""
    from serial.tools import list_ports

    return ", ".join(sorted(port.device for port in list_ports.comports())) or "-"


# What people and programs see


def shown_state(state: tuple[int, int, int, int], lang: str) -> tuple[dict[str, Any], str]:
    """A state as values and as a sentence."""
    occasion, window, seat, trouble = state
    told = {
        "inviting": bool(occasion),
        "window": WINDOWS.get(window, "closed"),
        "signed_in": bool(seat),
        "trouble": TROUBLES.get(trouble, "starting"),
    }
    sentence = say(
        "state",
        lang,
        window=say(WINDOWS.get(window, "closed"), lang),
        seat=say("signed_in" if seat else "signed_out", lang),
        occasion=say("occasion_open" if occasion else "occasion_none", lang),
        trouble=say(f"trouble_{told['trouble']}", lang) if trouble else "",
    )
    return told, sentence


def carry_out(link: Link, options: argparse.Namespace) -> tuple[int, dict[str, Any], str]:
    """Do one command: exit status, values, sentence. Raises DeskError."""
    if options.command == "state":
        told, sentence = shown_state(link.ask_state(), options.lang)
        return DONE, {"ok": True, **told}, sentence
    cmd, payload = frame_of(options)
    if options.command == "invite" and options.next:
        link.command(0x04, b"")
    answer = link.command(cmd, payload)
    ok = answer == "accepted"
    return DONE if ok else REFUSED, {"ok": ok, "answer": answer}, say(answer, options.lang)


def show(options: argparse.Namespace, status: int, values: dict[str, Any], sentence: str) -> None:
    """One line for a program or a person; what is no success goes to standard error unless it is a line of `lines`."""
    line = json.dumps({**values, "words": sentence}, ensure_ascii=False) if options.json else sentence
    stream = sys.stdout if status == DONE or options.json or getattr(options, "in_lines", False) else sys.stderr
    print(line, file=stream, flush=True)


def lines(link: Link, options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Commands from standard input, a line each, answered by a line each; changes of the state are told as they come."""
    typed: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            typed.put(line)
        typed.put(None)

    threading.Thread(target=read, daemon=True).start()
    told = None
    while True:
        try:
            line = typed.get(timeout=0.02)
        except queue.Empty:
            link.listen()
            if link.state is not None and link.state != told:
                told = link.state
                values, sentence = shown_state(told, options.lang)
                show(options, DONE, {"state": values}, sentence if options.json else f"# {sentence}")
            continue
        if line is None:
            return DONE
        if line.strip():
            one_line(link, line.strip(), options, parser)


def one_line(link: Link, line: str, options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Carry out one line of `lines` and answer it; only trouble with the port ends the program."""
    try:
        asked = parser.parse_args(shlex.split(line), argparse.Namespace(lang=options.lang, json=options.json))
        if asked.command in ("lines", "ports"):
            raise ValueError(asked.command)
        asked.lang, asked.json, asked.in_lines = options.lang, options.json, True
        show(asked, *carry_out(link, asked))
    except ValueError as error:
        options.in_lines = True
        words = say("bad_line", options.lang, line=line, error=error)
        show(options, USAGE, {"ok": False, "answer": "usage"}, words)
    except DeskError as error:
        if error.status == NO_PORT:
            raise
        options.in_lines = True
        show(options, error.status, {"ok": False, "answer": error.key}, error.words(options.lang))


class Parser(argparse.ArgumentParser):
    """Tells a wrong command line by an exception, so that `lines` goes on."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def build_parser(*, for_lines: bool = False) -> Parser:
    """The command line; `for_lines` the same without options that print a help."""
    parser = Parser(
        prog="nw-desk",
        add_help=not for_lines,
        description="窗口电脑一端：签到、邀请评价、暂停服务。Clerk's end of the line to an evaluator.",
    )
    parser.add_argument(
        "--port", default=os.environ.get("NW_DESK_PORT", ""), help="串口，例如 COM3 或 /dev/ttyUSB0；也可用 NW_DESK_PORT"
    )
    parser.add_argument("--baud", type=int, default=115200, choices=(9600, 19200, 38400, 57600, 115200), help="速率（默认 115200）")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help="zh 中文（默认）, en English")
    parser.add_argument("--json", action="store_true", help="每行输出一个 JSON 对象")
    sub = parser.add_subparsers(dest="command", required=True, parser_class=Parser)

    def add(name: str, **more: Any) -> argparse.ArgumentParser:
        return sub.add_parser(name, add_help=not for_lines, **more)

    add("sign-in", help="签到").add_argument("number", help="工号")
    add("sign-out", help="签退")
    invite = add("invite", help="邀请评价（服务办完后）")
    invite.add_argument("--case", default="", help="办件编号；只有末尾几位离开本机")
    invite.add_argument("--tail", type=int, default=4, choices=range(9), help="显示编号的末尾几位（0–8，默认 4）")
    invite.add_argument("--ticket", default="", help="排队号")
    invite.add_argument("--item", default="", help="事项编码")
    invite.add_argument("--item-name", default="", help="事项名称（显示给群众）")
    invite.add_argument("--stage", choices=sorted(STAGES), default="finish", help="环节：咨询 受理 办结（默认）")
    invite.add_argument("--valid", type=int, default=60, help="几秒内有效（5–600，默认 60）")
    invite.add_argument("--next", action="store_true", help="先收回上一次邀请（已按下的评价照样保留）")
    add("cancel", help="收回邀请（已按下的评价照样保留）")
    add("pause", help="暂停服务")
    add("resume", help="恢复服务")
    add("close", help="窗口关闭")
    add("state", help="现在的状态")
    add("ports", help="列出本机串口")
    add("lines", help="从标准输入逐行读命令（供业务系统使用）")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The program; gives its exit status: 0 done, 1 refused, 2 wrong command line, 3 port trouble, 4 nobody answers."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # Windows would use the code page of the console.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    parser = build_parser()
    try:
        options = parser.parse_args(arguments)
    except ValueError as error:
        print(f"nw-desk: {error}\n{parser.format_usage()}", file=sys.stderr)
        return USAGE
    try:
        return run(options)
    except DeskError as error:
        show(options, error.status, {"ok": False, "answer": error.key}, error.words(options.lang))
        return error.status
    except KeyboardInterrupt:
        return DONE


def run(options: argparse.Namespace) -> int:
    """Carry out a command line. Raises DeskError."""
    try:
        import serial  # noqa: F401
    except ImportError:
        raise DeskError("no_pyserial", USAGE) from None
    if options.command == "ports":
        print(ports())
        return DONE
    if not options.port:
        raise DeskError("no_port_named", USAGE, ports=ports())
    if options.command not in ("state", "lines"):
        frame_of(options)  # A mistake in the values is told before the port is opened.
    link = Link(options.port, options.baud)
    try:
        if options.command == "lines":
            return lines(link, options, build_parser(for_lines=True))
        status, values, sentence = carry_out(link, options)
        show(options, status, values, sentence)
        return status
    finally:
        link.close()


if __name__ == "__main__":
    sys.exit(main())
