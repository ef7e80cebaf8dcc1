"""What is published of the protocol is what the code does: vectors, the AsyncAPI document, the specification's tables."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from wire import kinds
from wire.asyncapi import document
from wire.custody import read_batch, read_reply
from wire.entry import NO_HASH
from wire.signing import verify_key
from wire.topics import CHANNELS
from wire.vectors import vectors

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = json.loads((ROOT / "docs/wire-vectors.json").read_text(encoding="utf-8"))
SPECIFICATION = (ROOT / "docs/wire.md").read_text(encoding="utf-8")


def test_the_published_vectors_still_come_out_byte_for_byte() -> None:
    assert vectors() == PUBLISHED


def test_the_published_batch_verifies_with_the_published_key() -> None:
    key = verify_key(bytes.fromhex(PUBLISHED["keys"]["device_public"]))
    for name in ("batch", "batch_after_erasing_entry_3"):
        chain = read_batch(bytes.fromhex(PUBLISHED[name])).check(key, next_seq=1, prev_hash=NO_HASH)
        assert [digest.hex() for _, digest in chain] == [entry["hash"] for entry in PUBLISHED["entries"]]


def test_the_published_replies_verify_with_the_published_key() -> None:
    key = verify_key(bytes.fromhex(PUBLISHED["keys"]["fleet_public"]))
    for name in ("ack", "nack"):
        assert read_reply(bytes.fromhex(PUBLISHED[name]), key, device="nwexampledevice001").journal_id == bytes(range(16))


def test_the_published_asyncapi_document_is_the_one_the_types_make() -> None:
    assert json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8")) == json.loads(json.dumps(document()))


@pytest.mark.parametrize("word", [*CHANNELS, *(kind for kind, _ in kinds.KINDS)])
def test_the_specification_describes_every_channel_and_kind(word: str) -> None:
    assert f"`{word}`" in SPECIFICATION


@pytest.fixture(scope="module")
def asyncapi_schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The schema that the AsyncAPI initiative publishes, installed from its own package by lock file."""
    if not shutil.which("npm"):
        pytest.skip(
            "npm is not installed. The published schema comes as an npm package; no Debian package holds it, and no Python package "
            "that is kept has version 3. ./run check installs npm and runs this test, before ./run test in .ci/run"
        )
    place = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/wire" / name, place)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True, capture_output=True, timeout=100
    )
    schema: dict[str, object] = json.loads((place / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json").read_text())
    return schema


def test_the_document_is_valid_by_the_published_schema(asyncapi_schema: dict[str, object]) -> None:
    jsonschema.Draft7Validator(asyncapi_schema).validate(document())


def test_the_published_schema_would_notice_a_mistake(asyncapi_schema: dict[str, object]) -> None:
    wrong = document()
    wrong["operations"]["send_journal"]["action"] = "shout"
    assert not jsonschema.Draft7Validator(asyncapi_schema).is_valid(wrong)
