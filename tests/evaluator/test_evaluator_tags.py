"""Reasons come from a data file: complete, short enough for the screen, and refused with a clear word when it is wrong."""

import json

import pytest

from evaluator.flow import tags
from evaluator.shown import TAGS_FILE


def test_the_shipped_reasons_are_complete():
    shipped = tags.load(TAGS_FILE)
    for level in (1, 2, 3, 4, 5):
        assert 3 <= len(shipped.of(level)) <= tags.SHOWN


def test_ids_carry_their_level():
    assert all(tag.id.startswith(f"lv{tag.level}.") for tag in tags.load(TAGS_FILE).tags)


def _tag(**changes: object) -> dict[str, object]:
    return {"id": "lv5.a", "level": 5, "zh": "好", "ko": "좋음", "en": "Good"} | changes


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ([_tag(level=6)], "level"),
        ([_tag(zh="")], "zh"),
        ([_tag(), _tag()], "twice"),
        ([_tag()], "no reason for level 1"),
        ([{"id": "x"}], "missing required field"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path, content, complaint):
    path = tmp_path / "tags.json"
    path.write_text(json.dumps({"version": "1", "tags": content}), encoding="utf-8")
    with pytest.raises(tags.TagsInvalid, match=complaint):
        tags.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(tags.TagsInvalid, match=r"nowhere\.json"):
        tags.load(tmp_path / "nowhere.json")
