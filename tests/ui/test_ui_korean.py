"""Open this to learn which Korean the screens, the reasons and the printed notice are written in; docs/korean.md has the words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from pack.notice_words import WORDS

ROOT = Path(__file__).parents[2]
# South Korean spellings and words; the product follows the norm of Korean written in China.
OTHER_NORM = re.compile(
    r"여권|이혼|노인|영수증|이용|이유|연락|연결|임시|오류|되었|되어|주세요|하세요|까요"
    r"|[가-힣] 수 [있없]|[해어려] 주십|서비스|직원|서류|부서|수수료|휴대전화|온라인|오프라인|버튼|위안"
)


def texts() -> Iterator[tuple[str, str]]:
    """Where a Korean text stands, and the text."""
    for room in ("ui", "terminal", "evaluator"):
        with (ROOT / room / "locale" / "ko" / "LC_MESSAGES" / f"{room}.po").open("rb") as file:
            yield from ((f"{room} {message.id}", str(message.string)) for message in read_po(file) if message.id)
    for room in ("terminal", "evaluator"):
        for tag in json.loads((ROOT / room / "tags.json").read_bytes())["tags"]:
            yield f"{room} tag {tag['id']}", tag["ko"]
    for key, words in WORDS.items():
        yield f"notice {key}", words["ko"]


def test_korean_follows_the_written_norm_of_china() -> None:
    found = [f"{where}: {text!r} has {match[0]!r}" for where, text in texts() if (match := OTHER_NORM.search(text))]
    assert not found, "see docs/korean.md for the words to use:\n" + "\n".join(found)


def test_korean_sentences_are_formal() -> None:
    for where, text in texts():
        for sentence in re.findall(r"[^.?!]*[가-힣][.?!]", text):
            assert re.search(r"(니다|니까|시오|가요)[.?!]$", sentence), f"{where}: {sentence!r} does not end politely"


@pytest.mark.parametrize("seoul", ["여권 발급", "할 수 있습니다", "저장되었습니다", "다시 선택해 주십시오", "직원 호출"])
def test_the_other_norm_is_noticed(seoul: str) -> None:
    assert OTHER_NORM.search(seoul)
