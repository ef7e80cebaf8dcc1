"""The clerk's desk: `nw-desk` as a process at one end of a simulated cable, the evaluator's driver at the other."""

import json
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator import desk_tool
from hal.api.desk import DeskAsked, DeskView, Invite, SetWindow, SignIn, SignOut, TakeBack
from hal.drivers.evaluator_frames import Frame, FrameError, encode
from hal.drivers.evaluator_payloads import INVITE, answer_payload, read_wish, state_payload
from hal.factory import open_hal

TOOL = Path(desk_tool.__file__)


class Evaluator:
    """The driver, answering as it is told; every wish is kept."""

    def __init__(self, config, heard):
        self.wishes, self.answer, self.answer_after_s = [], "accepted", 0.0
        self.hal = open_hal(config, on_event=self.take, on_health=heard.on_health)
        self.desk = self.hal.every("desk")[0]
        self.desk.show(DeskView(0.0, "serving", True, "none"))
        self.hal.start()

    def take(self, name, event):
        assert isinstance(event, DeskAsked)
        self.wishes.append(event.wish)
        threading.Timer(self.answer_after_s, self.desk.answer, (event.command, self.answer)).start()

    def close(self):
        self.hal.close()


@pytest.fixture
def cable(start_sim):
    return start_sim("desk")


@pytest.fixture
def evaluator(cable, heard, closing, make_config, until):
    made = closing(Evaluator(make_config({"desk": {"driver": "serial", "port": cable.port}}), heard))
    until(lambda: made.desk.health().reason == "hal.ok")
    return made


def nw_desk(cable, *arguments, **more):
    """Run the tool as a clerk's PC would: the file alone, nothing of ours on its path."""
    environment = {"PATH": os.environ["PATH"], "NW_DESK_PORT": f"{cable.port}.pc"}
    done = subprocess.run(
        [sys.executable, "-P", str(TOOL), *arguments], capture_output=True, text=True, timeout=40, env=environment, cwd="/", **more
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_the_tool_is_one_file_that_needs_nothing_but_pyserial():
    import ast

    names = set()
    for node in ast.walk(ast.parse(TOOL.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"serial"}


@pytest.mark.parametrize(
    ("arguments", "wish"),
    [
        (("sign-in", "0312"), SignIn("0312")),
        (("sign-out",), SignOut()),
        (("pause",), SetWindow("paused")),
        (("resume",), SetWindow("serving")),
        (("close",), SetWindow("closed")),
        (("cancel",), TakeBack()),
    ],
)
def test_each_command_arrives_and_is_confirmed(cable, evaluator, arguments, wish):
    assert nw_desk(cable, *arguments) == (0, "好的", "")
    assert evaluator.wishes == [wish]


def test_an_invitation_carries_the_service_but_only_the_end_of_its_number(cable, evaluator):
    options = ("--case", "NW20260417-00981", "--item", "NW-0103", "--item-name", "转移登记", "--stage", "受理", "--ticket", "A012")
    assert nw_desk(cable, "invite", *options)[0] == 0
    (wish,) = evaluator.wishes
    assert (wish.stage, wish.valid_s, wish.item_code, wish.item_name) == ("accept", 60, "NW-0103", "转移登记")
    assert (wish.case_tail, wish.ticket) == ("0981", "A012")
    assert "NW20260417" not in repr(wish)


def test_the_same_service_has_the_same_mark_and_another_one_another(cable, evaluator):
    for case in ("1", "1", "2"):
        nw_desk(cable, "invite", "--case", case)
    nw_desk(cable, "invite")
    nw_desk(cable, "invite")
    first, again, other, unnamed, unnamed_too = (wish.occasion for wish in evaluator.wishes)
    assert first == again
    assert len({first, other, unnamed, unnamed_too}) == 4


@pytest.mark.parametrize("answer", desk_tool.ANSWERS[1:])
def test_every_refusal_is_told_in_words_with_a_status_of_its_own(cable, evaluator, answer):
    evaluator.answer = answer
    status, out, err = nw_desk(cable, "invite", "--case", "1")
    assert (status, out, err) == (1, "", desk_tool.WORDS[answer][0])
    status, out, _ = nw_desk(cable, "--lang", "en", "--json", "invite", "--case", "1")
    assert json.loads(out) == {"ok": False, "answer": answer, "words": desk_tool.WORDS[answer][1]}


def test_the_state_is_told_to_people_and_programs(cable, evaluator):
    assert nw_desk(cable, "state") == (0, "服务中；已签到；可以邀请", "")
    evaluator.desk.show(DeskView(time.monotonic() + 60, "paused", False, "no_room"))
    told = json.loads(nw_desk(cable, "--json", "state")[1])
    assert told["inviting"] is True
    assert (told["window"], told["signed_in"], told["trouble"]) == ("paused", False, "no_room")


def test_lines_are_answered_one_by_one_and_the_state_is_told_when_it_changes(cable, evaluator, until):
    environment = {"PATH": os.environ["PATH"], "NW_DESK_PORT": f"{cable.port}.pc"}
    command = [sys.executable, str(TOOL), "--json", "lines"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as tool:
        said = []
        threading.Thread(target=lambda: said.extend(map(json.loads, tool.stdout)), daemon=True).start()
        for line in ("sign-in 0312", "invite --case '12 34'", "dance", "sign-in 0312 0313", "-h", "pause"):
            tool.stdin.write(line + "\n")
        tool.stdin.flush()
        until(lambda: len([one for one in said if "ok" in one]) == 6, timeout_s=20)
        assert [one["ok"] for one in said if "ok" in one] == [True, True, False, False, False, True]
        evaluator.desk.show(DeskView(0.0, "paused", True, "none"))
        until(lambda: any(one.get("state", {}).get("window") == "paused" for one in said))
        tool.stdin.close()
        assert tool.wait(10) == 0
    assert [type(wish) for wish in evaluator.wishes] == [SignIn, Invite, SetWindow]


# What goes wrong


def test_a_missing_port_is_told_with_those_that_are_there(cable):
    status, _, err = nw_desk(cable, "--port", "/dev/nothing", "state")
    assert status == 3
    assert "打不开串口 /dev/nothing" in err
    assert "现有串口" in err


def test_nobody_at_the_other_end_is_told_with_what_to_check(cable):
    cable.do("silence")
    status, _, err = nw_desk(cable, "--lang", "en", "state")
    assert status == 4
    assert err.startswith("no evaluator answers on")
    assert "115200" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sign-in", "王丽"), "工号 王丽 不行"),
        (("sign-in", "1" * 17), "不行"),
        (("invite", "--valid", "4"), "--valid 4 不行"),
        (("invite", "--item", "x" * 33), "--item 太长；最多 32 字节"),
        (("invite", "--ticket", "x" * 17), "--ticket 太长；最多 16 字节"),
        ((), "usage"),
        (("invite", "--stage", "dance"), "invalid choice"),
    ],
)
def test_a_mistake_of_the_clerk_is_told_before_anything_is_sent(cable, evaluator, arguments, said):
    status, _, err = nw_desk(cable, *arguments)
    assert status == 2
    assert said in err
    assert evaluator.wishes == []


def test_a_name_that_is_too_long_is_shortened_at_a_character(cable, evaluator):
    assert nw_desk(cable, "invite", "--item-name", "国有建设用地使用权及房屋所有权转移登记（继承、受遗赠）")[0] == 0
    (wish,) = evaluator.wishes
    assert len(wish.item_name.encode()) <= 60
    assert "国有建设用地使用权及房屋所有权转移登记" in wish.item_name


@pytest.mark.parametrize(
    ("trouble", "options"),
    [("spoil", {"times": 2}), ("drop_acks", {"times": 2}), ("split", {"bytes": 1}), ("merge", {"ms": 40}), ("delay", {"ms": 150})],
)
def test_a_command_is_carried_out_once_over_a_bad_line(cable, evaluator, trouble, options):
    cable.do(trouble, **options)
    assert nw_desk(cable, "sign-in", "0312")[0] == 0
    assert evaluator.wishes == [SignIn("0312")]


def test_a_cable_pulled_in_the_middle_of_a_frame_and_put_back_is_got_over(cable, evaluator, until):
    cable.do("cut_frame")
    until(lambda: evaluator.desk.health().reason == "port.missing")
    cable.do("plug")
    until(lambda: evaluator.desk.health().reason == "hal.ok")
    assert nw_desk(cable, "sign-out")[0] == 0


def test_an_evaluator_that_starts_anew_under_an_open_line_is_greeted_again(cable, heard, closing, make_config, until):
    config = make_config({"desk": {"driver": "serial", "port": cable.port}})
    first = closing(Evaluator(config, heard))
    link = desk_tool.Link(f"{cable.port}.pc", 115200)
    try:
        assert link.command(0x02, b"0312") == "accepted"
        first.close()
        second = closing(Evaluator(config, heard))
        assert link.command(0x07, b"") == "accepted"
        assert second.wishes == [SignOut()]
    finally:
        link.close()


def test_the_desks_port_is_never_guessed(make_config):
    from hal.config import ConfigError

    with pytest.raises(ConfigError, match='port is "auto", but a clerk'):
        make_config({"desk": {"driver": "serial", "port": "auto"}})


# Hostile commands


@given(st.integers(0, 255), st.binary(max_size=200))
def test_any_command_with_any_payload_is_a_wish_within_its_limits_or_an_error(cmd, payload):
    try:
        wish = read_wish(Frame(1, cmd, payload))
    except FrameError:
        return
    if isinstance(wish, Invite):
        assert 5 <= wish.valid_s <= 600
        assert len(wish.occasion) == 16
        assert len(wish.case_tail) <= 8
        assert all(text.isprintable() for text in (wish.item_code, wish.item_name, wish.case_tail, wish.ticket))


def invitation(*texts, occasion=bytes(range(16)), stage=1, valid_s=60):
    return occasion + struct.pack(">BH", stage, valid_s) + b"".join(bytes((len(text),)) + text for text in texts)


@pytest.mark.parametrize(
    "payload",
    [
        invitation(b"", b"", b""),
        invitation(b"x" * 33, b"", b"", b""),
        invitation(b"", b"123456789", b"", b""),
        invitation(b"", b"", b"", b"\xff\xfe"),
        invitation(b"", b"", b"", b"a\nb"),
        invitation(b"", b"", b"", "a\u202eb".encode()),
        invitation(b"", b"", b"", b"", stage=4),
        invitation(b"", b"", b"", b"", valid_s=601),
        invitation(b"", b"", b"", b"", occasion=bytes(16)),
    ],
)
def test_an_invitation_that_breaks_a_limit_is_unreadable(payload):
    with pytest.raises(FrameError):
        read_wish(Frame(1, INVITE, payload))


def test_what_a_newer_desk_appends_is_passed_over():
    assert isinstance(read_wish(Frame(1, INVITE, invitation(b"", b"", b"", b"") + b"more")), Invite)


def test_a_flood_of_commands_is_answered_and_hurts_nobody(cable, evaluator):
    evaluator.answer_after_s = 1.0
    link = desk_tool.Link(f"{cable.port}.pc", 115200)
    try:
        for _ in range(30):
            link._send(0x02, b"0312")
        assert len(evaluator.wishes) <= 30
        evaluator.answer_after_s = 0.0
        assert link.command(0x07, b"") in ("accepted", "later")
    finally:
        link.close()
    assert nw_desk(cable, "sign-out")[0] == 0


def test_a_replayed_recording_without_a_greeting_does_nothing(cable, evaluator, until):
    assert nw_desk(cable, "sign-in", "0312")[0] == 0
    for seq in range(1, 256):
        cable.do("say", hex=encode(Frame(seq, 0x07)).hex()) if seq != 2 else None
    assert nw_desk(cable, "state")[0] == 0
    assert evaluator.wishes == [SignIn("0312")]


# What a clerk could record


def test_an_answer_leaves_on_the_beat_however_long_it_took(cable, evaluator):
    times = []
    for seconds in (0.0, 0.15, 0.3):
        evaluator.answer_after_s = seconds
        link = desk_tool.Link(f"{cable.port}.pc", 115200)
        begin = time.monotonic()
        link.command(0x04, b"")
        times.append(time.monotonic() - begin)
        link.close()
    assert max(times) - min(times) < 0.12, times
    assert min(times) >= 0.4


def test_the_end_of_an_occasion_is_told_by_the_drivers_own_clock(cable, evaluator):
    link = desk_tool.Link(f"{cable.port}.pc", 115200)
    try:
        until_s = time.monotonic() + 1.0
        evaluator.desk.show(DeskView(until_s, "serving", True, "none"))
        while link.state is None or not link.state[0]:
            link.listen()
        while link.state[0]:
            link.listen()
        assert 0 <= time.monotonic() - until_s < 0.3
    finally:
        link.close()


def test_an_answer_has_two_bytes_and_a_state_four_and_no_field_has_room_for_a_level():
    assert {len(answer_payload(seq, answer)) for seq in (1, 255) for answer in desk_tool.ANSWERS} == {2}
    views = [
        DeskView(until_s, window, seat, trouble)
        for until_s in (0.0, 9.0)
        for window in ("serving", "paused", "closed")
        for seat in (True, False)
        for trouble in ("none", "starting", "not_paired", "no_room", "on_battery")
    ]
    payloads = [state_payload(view, 5.0) for view in views]
    assert {len(payload) for payload in payloads} == {4}
    # Every value that can be said is one of these, and each is taken up by what a desk may know.
    assert len(set(payloads)) == len(views) == 60


def test_the_words_of_both_programs_name_the_same_answers():
    from typing import get_args

    from hal.api.desk import DeskAnswer

    assert get_args(DeskAnswer) == desk_tool.ANSWERS
