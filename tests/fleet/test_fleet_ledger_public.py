"""The public ledger over HTTP, without a key: pages in three languages, proofs that check, and nothing that tells a level."""

import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from fleet_seeded import NOW_MS, blank, clock, fleet
from fleet_town import town
from nacl.signing import SigningKey
from sqlalchemy import select, update

from fleet.public.receipt import mount_public
from fleet.ratings.ledger.tables import ledger_entries
from fleet.ratings.tables import ratings
from wire.note import COSIGNATURE, check_note, cosign, read_checkpoint, read_note, verifier_key
from wire.tree import check_consistency, check_inclusion, leaf_hash

__all__ = ["blank", "clock", "fleet", "town"]


@pytest.fixture
def web(town):
    town.month()
    app = FastAPI()
    mount_public(app, town.fleet)
    return TestClient(app)


def a_receipt(town, window="12"):
    with town.fleet.store.read() as connection:
        return connection.execute(select(ratings.c.receipt, ratings.c.leaf).where(ratings.c.window == window)).first()


@pytest.mark.parametrize(("lang", "said"), [("zh", "未被改动"), ("ko", "변경되지 않았습니다"), ("en", "unaltered")])
def test_the_receipt_page_says_that_the_rating_is_in_the_ledger(town, web, lang, said) -> None:
    page = web.get("/receipt", params={"code": a_receipt(town).receipt, "lang": lang}).text
    assert said in page
    assert 'name="viewport"' in page


def test_pages_of_two_ratings_differ_in_nothing_but_code_and_position(town, web) -> None:
    with town.fleet.store.read() as connection:
        rows = connection.execute(select(ratings.c.receipt, ratings.c.level).where(ratings.c.window == "12").limit(10)).all()
    texts = set()
    for row in rows:
        (found,) = town.fleet.ledger.receipt(row.receipt)
        page = web.get("/receipt", params={"code": row.receipt}).text
        texts.add(page.replace(row.receipt, "CODE").replace(f"第 {found.position + 1} 条", "第 N 条"))
    assert len({row.level for row in rows}) == 5
    assert len(texts) == 1


def test_an_altered_row_is_told_on_the_receipt_page(town, web) -> None:
    row = a_receipt(town)
    with town.fleet.store.write() as connection:
        altered = update(ledger_entries).where(ledger_entries.c.leaf == row.leaf)
        connection.execute(altered.values(data=b'["rating","00","yunxi","12","counted"]'))
    assert "核对失败" in web.get("/receipt", params={"code": row.receipt}).text


def test_a_rating_of_today_is_said_to_come_into_the_ledger(town, web) -> None:
    town.rate("12", [5], at_ms=town.clock.ms)
    town.deliver()
    with town.fleet.store.read() as connection:
        code = connection.execute(select(ratings.c.receipt).where(ratings.c.in_ledger.is_(False))).scalar_one()
    assert "次日凌晨" in web.get("/receipt", params={"code": code}).text
    assert web.get("/ledger/proof", params={"code": code}).status_code == 404


def test_a_proof_from_the_api_checks_with_the_published_key(town, web) -> None:
    row = a_receipt(town)
    (proof,) = web.get("/ledger/proof", params={"code": row.receipt}).json()
    note = read_note(proof["checkpoint"])
    check_note(note, town.fleet.ledger.origin, town.fleet.ledger.key)
    head = read_checkpoint(note.text)
    path = [bytes.fromhex(step) for step in proof["proof"]]
    check_inclusion(leaf_hash(proof["entry"].encode()), proof["position"], head.size, path, head.root)
    assert json.loads(proof["entry"]) == ["rating", bytes(row.leaf).hex(), "yunxi", "12", "counted"]


def test_two_heads_are_consistent_by_the_api(web, town) -> None:
    new, old = town.fleet.ledger.heads()[0], town.fleet.ledger.heads()[-1]
    proof = web.get("/ledger/consistency", params={"first": old.size, "second": new.size}).json()["proof"]
    check_consistency(old.size, new.size, [bytes.fromhex(step) for step in proof], old.root, new.root)


@pytest.mark.parametrize(("lang", "said"), [("zh", "评价公开账本"), ("ko", "평가 공개장부"), ("en", "Public ledger of ratings")])
def test_the_ledger_page_shows_head_key_and_cells(web, town, lang, said) -> None:
    page = web.get("/ledger", params={"lang": lang}).text
    assert said in page
    assert town.fleet.ledger.verifier_key.replace("+", "&#43;") in page or town.fleet.ledger.verifier_key in page
    assert "2026-10" in page
    assert web.get("/ledger/cells/2026-10").json()["cells"][0]["n"] == 20


def test_a_witness_cosigns_over_http(web, town) -> None:
    witness, head = SigningKey(b"\x09" * 32), town.fleet.ledger.head()
    line = cosign(read_note(head.note).text, "hall-archive", witness, seconds=NOW_MS // 1000)
    assert web.post("/ledger/cosignature", params={"size": head.size}, content=line).status_code == 422
    town.fleet.ledger.add_witness(verifier_key("hall-archive", bytes(witness.verify_key), kind=COSIGNATURE), by="test")
    assert web.post("/ledger/cosignature", params={"size": head.size}, content=line).json() == {"taken": "hall-archive"}
    assert line in web.get("/ledger/checkpoint").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ledger/checkpoint?size=3", 404),
        ("/ledger/proof?position=-1", 404),
        ("/ledger/proof?position=99999999999999999999", 404),
        ("/ledger/proof?code=<b>", 422),
        ("/ledger/consistency?first=0&second=5", 422),
        ("/ledger/consistency?first=9&second=5", 422),
        ("/ledger/tile/9/0", 404),
        ("/ledger/tile/0/9999", 404),
        ("/ledger/cells/2026-10x", 404),
        ("/ledger/cells/2027-01", 404),
        ("/ledger/dump/2027-01", 404),
    ],
)
def test_what_is_not_there_is_told_and_never_a_server_error(web, path, status) -> None:
    assert web.get(path).status_code == status


def test_a_cosignature_that_is_none_is_refused(web, town) -> None:
    size = town.fleet.ledger.head().size
    for body, status in ((b"", 422), (b"\xff\xfe", 422), (b"x" * 5_000, 413)):
        assert web.post("/ledger/cosignature", params={"size": size}, content=body).status_code == status


def test_tiles_hold_the_hashes_of_the_entries(web, town) -> None:
    raw = web.get("/ledger/tile/0/0").content
    rows = town.entries()
    assert raw == b"".join(leaf_hash(row.data) for row in rows)
