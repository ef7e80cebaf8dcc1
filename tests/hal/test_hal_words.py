"""What `nw-hal` says: every id that it uses has Chinese and English words, and the console says the same of health."""

import ast
import re
import string
from pathlib import Path

import pytest

from fleet.watch.words_of_parts import PARTS
from hal.health import NEXT_STEPS, REASONS
from hal.registry import KINDS
from hal.words import WORDS, padded, words
from hal.words_of_health import HEALTH

ROOT = Path(__file__).parents[2]
SOURCES = [
    *(ROOT / "hal/selftest").glob("*.py"),
    *(ROOT / "hal" / name for name in ("cli.py", "listing.py", "probe.py", "finds.py")),
]
PREFIXES = ("do.", "step.", "seen.", "probe.", "list.", "verdict.", "ask.", "look.", "state.", "kind.")


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("message", [*REASONS, *NEXT_STEPS])
def test_health_is_told_in_the_words_of_the_console(message):
    assert HEALTH[message] == PARTS[message], "say the same in hal/words_of_health.py and fleet/watch/words_of_parts.py"


def test_no_words_are_left_of_a_reason_that_is_gone():
    assert set(HEALTH) == {*REASONS, *NEXT_STEPS}


@pytest.mark.parametrize("reason", REASONS)
def test_words_of_a_reason_use_its_arguments_alone(reason):
    for text in HEALTH[reason]:
        assert fields(text) <= set(REASONS[reason].args)


def test_both_languages_of_a_message_take_the_same_arguments():
    for message, (chinese, english) in WORDS.items():
        assert fields(chinese) == fields(english), message


def test_chinese_is_chinese_and_english_is_not():
    for message, (chinese, english) in WORDS.items():
        assert not re.search(r"[一-鿿]", english), message
        spoken = re.sub(r"\{\w+\}", "", chinese)
        assert re.search(r"[一-鿿]", spoken) or not re.search(r"[A-Za-z]", spoken), message


def test_every_id_in_the_sources_has_words():
    used = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PREFIXES):
                used.add(node.value)
    whole = {one for one in used if not one.endswith(".")}
    assert len(whole) > 60
    assert whole <= set(WORDS), whole - set(WORDS)


def test_every_kind_has_its_name():
    assert all(f"kind.{kind}" in WORDS for kind in KINDS)


def test_an_argument_that_is_an_id_is_told_in_words():
    assert words("step.press", {"button": "level_5"}, "zh") == "按“非常满意”键"
    assert words("seen.outcome", {"result": "printed", "reason": "hal.ok", "detail": ""}, "zh").strip() == "已打印，正常"


def test_what_a_device_says_of_itself_can_not_reach_other_arguments():
    told = words("hal.wrong_device", {"port": "/dev/x", "expected": "a", "found": "{port.__class__} {0}"}, "en")
    assert told == "On port /dev/x answers {port.__class__} {0} instead of a"


def test_words_never_fail():
    assert words("port.missing", {}, "zh") == "找不到端口 …"
    assert words("nobody.knows", {"a": "b"}, "zh") == "nobody.knows b"


def test_columns_stand_below_each_other():
    assert len(padded("printer", 10)) == 10
    assert padded("打印机", 10) == "打印机    "
