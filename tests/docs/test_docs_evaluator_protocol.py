"""The specification of the evaluator protocol and the page of the clerk's PC say what the programs do."""

import re
from pathlib import Path
from typing import get_args

import pytest

from evaluator import desk_tool
from evaluator.flow.desk import LATE_S
from evaluator.flow.occasion import Times
from evaluator.seat import HOLDS_MS
from hal.api.desk import DeskAnswer
from hal.drivers import clerk_desk, evaluator_payloads
from hal.drivers.evaluator_frames import MAX_PAYLOAD
from hal.drivers.evaluator_talk import GREET_S, LONGEST_FRAME, RETRY_S, TRIES

DOCS = Path(__file__).resolve().parents[2] / "docs"
SPECIFICATION = (DOCS / "evaluator-protocol.md").read_text(encoding="utf-8")
DESK = (DOCS / "desk.md").read_text(encoding="utf-8")


BOX_COMMANDS = ("SIGNAL", "TAKEN", "PRESS", "HEARTBEAT")
DESK_COMMANDS = ("SIGN_IN", "INVITE", "TAKE_BACK", "SIGN_OUT", "SET_WINDOW", "ASK_STATE", "ANSWER", "STATE")


@pytest.mark.parametrize("name", [*BOX_COMMANDS, *DESK_COMMANDS])
def test_every_command_has_its_row_with_its_number(name):
    assert re.search(rf"^\| `{getattr(evaluator_payloads, name):02X}` \| \w+ \| {name} \|", SPECIFICATION, re.M)


@pytest.mark.parametrize("answer", get_args(DeskAnswer))
def test_every_answer_has_its_row_with_its_code(answer):
    assert f"| {get_args(DeskAnswer).index(answer)} | `{answer}` |" in SPECIFICATION


def test_limits_and_times_are_those_of_the_programs():
    assert f"0 to {MAX_PAYLOAD}" in SPECIFICATION
    assert f"has {LONGEST_FRAME} bytes" in SPECIFICATION
    assert f"again after {RETRY_S * 1000:.0f} ms" in SPECIFICATION
    assert TRIES == 3
    assert f"every {GREET_S * 1000:.0f} ms" in SPECIFICATION
    assert f"ANSWER {clerk_desk.BEAT_S * 1000:.0f} ms after" in SPECIFICATION
    assert f"older than {LATE_S:.0f} s" in SPECIFICATION
    assert f"{Times().whole_s:.0f} s with default settings" in SPECIFICATION
    assert f"{Times().whole_s:.0f} s by default" in DESK
    assert f"for {HOLDS_MS // 3_600_000} hours" in DESK


def test_every_command_and_option_of_the_clerks_tool_is_on_its_page():
    parser = desk_tool.build_parser()
    (commands,) = (action for action in parser._actions if action.dest == "command")
    words = [*commands.choices, *(option for action in parser._actions for option in action.option_strings)]
    for command in commands.choices.values():
        words += [option for action in command._actions for option in action.option_strings]
    missing = [word for word in words if word != "--help" and not re.search(rf"`{word}\b", DESK)]
    assert not missing


def test_what_the_tool_says_is_quoted_as_it_says_it():
    for key in ("accepted", "busy"):
        assert desk_tool.WORDS[key][0] in DESK
    for status in (desk_tool.DONE, desk_tool.REFUSED, desk_tool.USAGE, desk_tool.NO_PORT, desk_tool.NO_ANSWER):
        assert f"| {status} |" in DESK
