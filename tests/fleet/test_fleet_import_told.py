"""The importer's findings in words: every sentence in both languages, each with the same arguments, none unused or unknown."""

import re
import string
from pathlib import Path

import pytest

import fleet.hall.importer
from fleet.hall.importer import compare, read_bytes
from fleet.hall.importer.headers import Mapping
from fleet.hall.importer.told import _SENTENCES, told

SOURCE = "".join(path.read_text(encoding="utf-8") for path in Path(fleet.hall.importer.__file__).parent.glob("*.py"))


def arguments(text: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("sentence", _SENTENCES)
def test_both_languages_say_the_same_of_the_same_things(sentence):
    zh, en = _SENTENCES[sentence]
    assert arguments(zh) == arguments(en)
    assert re.search("[\u4e00-\u9fff]", zh)
    assert not {zh[-1], en[-1]} & {"。", "."}


def test_every_sentence_is_said_and_every_said_one_exists():
    named = set(re.findall(r'"((?:file|json|sheet|row|code|department|value|plan)\.[a-z_]+)"', SOURCE))
    assert named == set(_SENTENCES)
    assert all(SOURCE.count(f'"{sentence}"') > 1 for sentence in _SENTENCES)


def test_an_argument_with_braces_is_only_text():
    assert told("row.no_json", error="{x}") == ("这一行不是 JSON：{x}", "this line is no JSON: {x}")


def test_a_problem_has_its_reason_in_both_languages():
    read = read_bytes("部门,事项名称,编码,承诺时限\n民政局,甲,1,下周\n民政局,,2,".encode(), "list.csv", Mapping())
    assert [(problem.reason, problem.reason_zh) for problem in read.problems] == [
        ("no time limit such as 5个工作日; kept as text", "不是时限（如 5个工作日），按文本保留"),
        ("no name: an item without one cannot be shown; fill it in", "没有名称的事项无法显示，请填写"),
    ]


def test_a_blocked_plan_says_why_in_both_languages():
    plan = compare({}, read_bytes(b"", "list.csv", Mapping()))
    assert plan.blocked == "nothing was read from list.csv: the file is empty"
    assert plan.blocked_zh == "list.csv 中没有读到任何内容：文件是空的"
