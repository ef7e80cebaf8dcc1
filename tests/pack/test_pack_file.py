"""A pack as a file: built atomically, signed, refused with its own reason when anything is wrong with it."""

import hashlib
import os
import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from nacl.signing import SigningKey

from pack.build import build
from pack.errors import ContentInvalid, PackDamaged, PackForged, PackMissing, PackTooNew, PackTruncated, UnknownCode
from pack.model import Choice, Department, Item, Scenario, ScenarioQuestion, Situation, Text
from pack.reader import open_pack
from pack.seal import SCHEMA, PackManifest, trailer, verify

OTHER_SEED = bytes(reversed(range(32)))
# The same values stand in docs/items.md, so that another implementation can check itself.
VECTOR_DATABASE = b"SQLite format 3\0 stands here"


def item(code: str, name: str, **more: object) -> Item:
    return Item(code=code, name=Text(zh=name), department="d", **more)  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path, make_content, built_at: datetime, seed: bytes) -> Path:
    path = tmp_path / "content.pack"
    build(make_content(item("a", "结婚登记"), item("b", "离婚登记")), path, built_at=built_at, signer=seed)
    return path


def resealed(path: Path, seed: bytes, **changes: object) -> None:
    """Put a changed manifest, properly signed, on the same database."""
    with path.open("rb") as file:
        manifest = verify(file, path=str(path), verify_key=None)
    database = path.read_bytes()[: manifest.size]
    path.write_bytes(database + trailer(msgspec.structs.replace(manifest, **changes), seed))


def test_content_comes_back_as_it_went_in(catalogue, catalogue_pack):
    by_code = {entry.code: entry for entry in catalogue.items}
    assert catalogue_pack.hall == catalogue.hall
    assert catalogue_pack.windows() == catalogue.hall.windows
    assert tuple(catalogue_pack.departments()) == catalogue.departments
    assert {entry.code for entry in catalogue_pack.items(limit=1000)} == by_code.keys()
    assert all(catalogue_pack.item(code) == entry for code, entry in by_code.items())
    assert all(catalogue_pack.scenario(entry.code) == entry for entry in catalogue.scenarios)
    assert len(catalogue_pack.scenarios()) == len(catalogue.scenarios)


def test_items_come_in_order_of_popularity_and_unranked_ones_last(opened, make_content):
    pack = opened(make_content(item("c", "丙"), item("a", "甲", popularity=2), item("b", "乙", popularity=1)))
    assert [entry.code for entry in pack.items()] == ["b", "a", "c"]
    assert [entry.code for entry in pack.items_of("d")] == ["b", "a", "c"]
    assert pack.items_of("nobody") == []


def test_withdrawn_items_never_reach_a_terminal(opened, make_content):
    pack = opened(make_content(item("a", "旧事项", status="withdrawn"), item("b", "新事项")))
    assert [hit.code for hit in pack.search("事项")] == ["b"]
    with pytest.raises(UnknownCode, match="has no item 'a'"):
        pack.item("a")


def test_equal_content_gives_equal_databases_whatever_the_time(tmp_path, make_content, built_at, seed):
    content = make_content(item("a", "结婚登记", popularity=1), item("b", "重庆银行", popularity=2))
    first = build(content, tmp_path / "1", built_at=built_at, signer=seed)
    later = build(content, tmp_path / "2", built_at=built_at.replace(year=2027), signer=seed)
    assert first.manifest.sha256 == later.manifest.sha256
    assert first.manifest.version < later.manifest.version


def test_the_hash_in_the_manifest_is_the_databases(file):
    pack = open_pack(file, verify_key=None)
    size = pack.manifest.size
    pack.close()
    assert hashlib.sha256(file.read_bytes()[:size]).digest() == pack.manifest.sha256


def test_any_sqlite_tool_can_read_a_pack(file):
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    assert connection.execute("SELECT count(*) FROM item").fetchone() == (2,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(PackMissing, match="no content pack at"):
        open_pack(tmp_path / "none", verify_key=None)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused_as_truncated(file, verify_key, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(PackTruncated, match="fetch it again"):
        open_pack(file, verify_key=verify_key)


def test_a_file_that_lost_one_byte_in_the_middle_is_refused(file, verify_key):
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + whole[101:])
    with pytest.raises(PackTruncated, match="manifest states"):
        open_pack(file, verify_key=verify_key)


def test_something_else_than_a_pack_is_refused(tmp_path):
    other = tmp_path / "letter.txt"
    other.write_bytes(b"Dear hall, " * 50)
    with pytest.raises(PackTruncated, match="no pack"):
        open_pack(other, verify_key=None)


def test_one_flipped_bit_of_content_is_refused_even_without_a_key(file, verify_key):
    whole = bytearray(file.read_bytes())
    whole[5000] ^= 1
    file.write_bytes(whole)
    for key in (verify_key, None):
        with pytest.raises(PackDamaged, match="hash"):
            open_pack(file, verify_key=key)


def test_a_pack_signed_by_another_key_is_refused(tmp_path, make_content, built_at, verify_key):
    path = tmp_path / "forged.pack"
    build(make_content(item("a", "甲")), path, built_at=built_at, signer=OTHER_SEED)
    with pytest.raises(PackForged, match="not signed with the fleet's key"):
        open_pack(path, verify_key=verify_key)
    open_pack(path, verify_key=None).close()


def test_a_changed_manifest_breaks_the_signature(file, verify_key):
    whole = file.read_bytes()
    changed = whole.replace(b"20261122T083000Z", b"20291122T083000Z")
    assert changed != whole
    file.write_bytes(changed)
    with pytest.raises(PackForged):
        open_pack(file, verify_key=verify_key)


def test_a_newer_schema_is_refused_with_the_remedy(file, seed, verify_key):
    resealed(file, seed, schema=SCHEMA + 1)
    with pytest.raises(PackTooNew, match="update the software"):
        open_pack(file, verify_key=verify_key)


def test_a_newer_seal_format_is_refused_with_the_remedy(file, verify_key):
    whole = file.read_bytes()
    file.write_bytes(whole[:-8] + b"NWPACK2\n")
    with pytest.raises(PackTooNew, match="update the software"):
        open_pack(file, verify_key=verify_key)


def test_a_manifest_of_another_hall_is_refused(file, seed, verify_key):
    resealed(file, seed, hall="elsewhere")
    with pytest.raises(PackDamaged, match="holds hall h"):
        open_pack(file, verify_key=verify_key)


def test_a_signed_file_that_is_no_database_is_refused(tmp_path, seed, verify_key, built_at):
    body = os.urandom(5000)
    manifest = PackManifest(
        hall="h", version="1", built_at_ms=0, schema=SCHEMA, size=len(body), sha256=hashlib.sha256(body).digest()
    )
    path = tmp_path / "noise.pack"
    path.write_bytes(body + trailer(manifest, seed))
    with pytest.raises(PackDamaged, match="not a readable database"):
        open_pack(path, verify_key=verify_key)


def test_an_open_pack_outlives_its_file(file, verify_key):
    with open_pack(file, verify_key=verify_key) as pack:
        file.unlink()
        assert pack.item("a").name.zh == "结婚登记"


def test_a_replaced_pack_is_whole_at_every_moment(tmp_path, make_content, built_at, seed, verify_key):
    path = tmp_path / "content.pack"
    build(make_content(item("a", "旧")), path, built_at=built_at, signer=seed)
    with open_pack(path, verify_key=verify_key) as old:
        build(make_content(item("a", "新")), path, built_at=built_at, signer=seed)
        with open_pack(path, verify_key=verify_key) as new:
            assert (old.item("a").name.zh, new.item("a").name.zh) == ("旧", "新")
    assert [entry.name for entry in tmp_path.iterdir()] == ["content.pack"]


def test_a_refused_build_leaves_the_old_pack_and_no_litter(tmp_path, make_content, built_at, seed, verify_key):
    path = tmp_path / "content.pack"
    build(make_content(item("a", "旧")), path, built_at=built_at, signer=seed)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="hall code or version"):
        build(make_content(item("a", "新")), path, built_at=built_at, signer=seed, version="v" * 65)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["content.pack"]


def test_content_faults_are_told_all_at_once(tmp_path, make_content, built_at, seed):
    scenario = Scenario(
        code="s",
        name=Text(zh="一件事"),
        summary=Text(zh=""),
        lead_department="d",
        questions=(
            ScenarioQuestion(
                id="q", ask=Text(zh="？"), choices=(Choice(label=Text(zh="甲"), next_question="?"), Choice(label=Text(zh="乙")))
            ),
        ),
        situations=(Situation(id="1", name=Text(zh="情形"), items=("gone", "old")),),
    )
    content = make_content(
        item("a", "甲"),
        item("a", "乙"),
        item("b", "（）"),
        Item(code="c", name=Text(zh="丙"), department="nowhere"),
        item("old", "旧", status="withdrawn"),
        scenarios=(scenario,),
    )
    with pytest.raises(ContentInvalid) as refused:
        build(content, tmp_path / "p", built_at=built_at, signer=seed)
    assert len(refused.value.reasons) == 7
    for word in ("twice", "no name", "nowhere", "gone", "item old", "question ?", "“乙”"):
        assert any(word in reason for reason in refused.value.reasons), word
    assert not (tmp_path / "p").exists()


def test_a_naive_time_and_a_short_key_are_refused(tmp_path, make_content, built_at, seed):
    content = make_content(item("a", "甲"))
    with pytest.raises(ValueError, match="time zone"):
        build(content, tmp_path / "p", built_at=datetime(2026, 1, 1), signer=seed)
    with pytest.raises(ValueError, match="32-byte"):
        build(content, tmp_path / "p", built_at=built_at, signer=b"short")
    assert list(tmp_path.iterdir()) == []


def test_manifest_and_signature_match_the_published_vector(seed):
    manifest = PackManifest(
        hall="yunxi",
        version="20261122T083000Z",
        built_at_ms=1_795_336_200_000,
        schema=1,
        size=len(VECTOR_DATABASE),
        sha256=hashlib.sha256(VECTOR_DATABASE).digest(),
    )
    sealed = trailer(manifest, seed)
    body = msgspec.msgpack.encode(manifest)
    assert body.hex() == DOC["manifest"]
    assert sealed.hex() == body.hex() + DOC["signature"] + DOC["footer"]
    SigningKey(seed).verify_key.verify(b"nightwindow/1/pack\0" + body, bytes.fromhex(DOC["signature"]))


def _published() -> dict[str, str]:
    text = (Path(__file__).parents[2] / "docs" / "items.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| vector ")]
    return {row[1].strip().removeprefix("vector "): row[2].strip().strip("`") for row in rows}


DOC = _published()


def test_a_department_may_share_nothing_with_the_items(opened, make_content):
    empty = Department(code="e", name=Text(zh="空部门"), short_name=Text(zh="空"))
    pack = opened(make_content(item("a", "甲"), departments=(empty,)))
    assert pack.department("e").name.zh == "空部门"
    assert pack.search("空部门") == []


def test_a_hall_without_items_is_told_to_import_them(tmp_path, make_content, built_at, seed):
    with pytest.raises(ContentInvalid, match="import its item list first"):
        build(make_content(), tmp_path / "p", built_at=built_at, signer=seed)
