"""The stand-alone verifier: an honest month passes, and whatever is changed in a dump is named."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fleet_seeded import blank, clock, fleet
from fleet_town import DAY_MS, FIRST_MS, town
from hypothesis import given
from hypothesis import strategies as st

from fleet.ratings.ledger import partition as ours
from fleet.ratings.ledger.dump import dump_lines
from fleet.ratings.ledger.vectors import vectors

__all__ = ["blank", "clock", "fleet", "town"]
FILE = Path(__file__).parents[2] / "fleet/ratings/ledger/ledger_verify.py"
PUBLISHED = json.loads((FILE.parents[3] / "docs/ledger-vectors.json").read_text(encoding="utf-8"))


def _load():
    spec = importlib.util.spec_from_file_location("ledger_verify", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ledger_verify"] = module
    spec.loader.exec_module(module)
    return module


VERIFIER = _load()


def write(town, month, path):
    path.write_text("".join(dump_lines(town.fleet.ledger, month)), encoding="utf-8")
    return path


def faults(path, **how):
    return VERIFIER.Check(str(path), **how).run()


@pytest.fixture
def dumps(town, tmp_path):
    """Two months: the second opens what the first carried."""
    town.month()
    town.rate("12", [5, 2, 4, 4, 3, 1, 1, 5], at_ms=FIRST_MS + 6 * DAY_MS)
    town.rate("06", [4, 4, 4], at_ms=FIRST_MS + 6 * DAY_MS)
    town.rate("06", [2] * 8, at_ms=FIRST_MS + 7 * DAY_MS, invited=False)
    town.deliver()
    town.clock.ms = FIRST_MS + 35 * DAY_MS
    town.fleet.ledger.keep_up()
    return [write(town, month, tmp_path / month) for month in ("2026-10", "2026-11")]


def test_honest_months_pass_as_the_key_holder_and_alone(dumps, town) -> None:
    first, second = dumps
    assert faults(first, key=town.fleet.ledger.verifier_key) == []
    assert faults(second, key=town.fleet.ledger.verifier_key, before=str(first)) == []


def test_it_runs_by_itself_far_from_our_code(dumps, tmp_path) -> None:
    alone = tmp_path / "verify.py"
    alone.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(alone), str(dumps[1])], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything fits" in done.stdout


def test_another_key_is_refused(dumps, town) -> None:
    other = town.fleet.ledger.verifier_key.split("+", 1)[0]
    from nacl.signing import SigningKey

    from wire.note import verifier_key

    key = verifier_key(other, bytes(SigningKey(b"\x07" * 32).verify_key))
    assert any("is not signed by" in fault for fault in faults(dumps[0], key=key))


def test_changing_an_entry_of_whatever_kind_is_noticed(dumps, tmp_path) -> None:
    head, *lines = dumps[1].read_text(encoding="utf-8").splitlines()
    path = tmp_path / "changed"
    of_each_kind = {json.loads(line)[0]: number for number, line in enumerate(lines)}
    assert {"rating", "day", "head", "services", "cells"} <= of_each_kind.keys()
    for number in (0, *of_each_kind.values(), len(lines) - 1):
        line = lines[number]
        changed = [*lines[:number], line.replace("0", "1", 1) if "0" in line else line + " ", *lines[number + 1 :]]
        path.write_text("\n".join([head, *changed]) + "\n", encoding="utf-8")
        assert any("do not lead to its signed head" in fault for fault in faults(path)), line


def lie(dump, path, change):
    """The dump with its statement changed by `change`, as a server would that says the same to everybody who asks late."""
    first, rest = dump.read_text(encoding="utf-8").split("\n", 1)
    head = json.loads(first)
    statement = json.loads(head["statement"])
    change(statement)
    head["statement"] = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    path.write_text(json.dumps(head, ensure_ascii=False) + "\n" + rest, encoding="utf-8")
    return path


def better(statement):
    levels = statement["cells"][0]["levels"]
    levels["5"], levels["1"] = levels["5"] + 1, levels["1"] - 1


def longer(statement):
    statement["cells"][0]["n"] += 1


def merge(statement):
    statement["cells"] = statement["cells"][:1]


CHANGES = [
    (better, "do not add up to its counts"),
    (longer, "says"),
    (merge, "not those that the rules make"),
    (lambda s: s["carried"].pop(), "are carried instead of"),
    (lambda s: s.update(unreadable=3), "unreadable"),
    (lambda s: s["exclusions"].append({"month": "2026-11", "cell": 0, "good": 0, "negative": 99}), "excludes"),
    (lambda s: s.update(through=s["through"] - 1), "through"),
]


@pytest.mark.parametrize(("change", "named"), CHANGES)
def test_a_statement_that_lies_is_named_twice(dumps, tmp_path, change, named) -> None:
    found = faults(lie(dumps[1], tmp_path / "lie", change))
    assert any("not the one that the log holds" in fault for fault in found)
    assert any(named in fault for fault in found), found


def test_a_rating_that_is_held_back_in_place_of_another_is_noticed(dumps, tmp_path) -> None:
    lines = dumps[1].read_text(encoding="utf-8").splitlines()
    start = json.loads(lines[0])["from"]
    theirs = [no for no, line in enumerate(lines[1:], start) if json.loads(line)[0] == "rating" and '"12"' in line]

    def swap(statement):
        carried = next(no for no in theirs if no in statement["carried"])
        opened = next(no for no in theirs if no not in statement["carried"])
        statement["carried"] = sorted({*statement["carried"], opened} - {carried})

    assert any("do not add up" in fault for fault in faults(lie(dumps[1], tmp_path / "lie", swap)))


def test_carried_ratings_that_are_dropped_are_named_with_the_month_before(dumps, tmp_path) -> None:
    first, rest = dumps[1].read_text(encoding="utf-8").split("\n", 1)
    head = json.loads(first)
    head["carried"].pop(0)
    path = tmp_path / "dropped"
    path.write_text(json.dumps(head, ensure_ascii=False) + "\n" + rest, encoding="utf-8")
    assert any("does not begin with what" in fault for fault in faults(path, before=str(dumps[0])))


def test_what_is_no_dump_ends_in_one_line(tmp_path) -> None:
    path = tmp_path / "no"
    for text in ("", "{}", "[]", '{"format":"nightwindow/1/ledger-dump"}', "\x00"):
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, str(FILE), str(path)], capture_output=True, text=True)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr + done.stdout


places = st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2", "3", "4"]))
waiting = st.dictionaries(places, st.integers(0, 40))


@given(waiting)
def test_server_and_verifier_make_the_same_cells(counts) -> None:
    parts = ours.partition(counts)
    assert [(part.kind, [list(place) for place in part.places]) for part in parts] == VERIFIER.partition(counts)


@given(st.lists(waiting, min_size=1, max_size=6))
def test_no_cell_and_no_difference_to_whole_fives_is_smaller_than_five(months) -> None:
    left: dict = {}
    for counts in months:
        pool = {place: left.get(place, 0) + counts.get(place, 0) for place in left.keys() | counts.keys()}
        parts = ours.partition(pool)
        places = [place[:2] for part in parts for place in part.places]
        assert len(places) == len(set(places))
        assert all(part.size >= ours.SMALLEST for part in parts)
        assert all(count % ours.STEP == 0 and count for part in parts for _, _, count in part.places)
        opened = {(hall, window): count for part in parts for hall, window, count in part.places}
        left = {place: count - opened.get(place, 0) for place, count in pool.items()}
        assert all(count < ours.STEP for place, count in left.items() if place in opened)
        assert sum(count - count % ours.STEP for count in left.values()) < ours.SMALLEST


def test_the_published_vectors_still_come_out_byte_for_byte() -> None:
    assert vectors() == PUBLISHED


def test_the_verifier_agrees_with_the_published_vectors() -> None:
    tree = VERIFIER.Tree(0, [])
    for number, entry in enumerate(PUBLISHED["entries"]):
        assert tree.root().hex() == PUBLISHED["roots"][number]
        assert VERIFIER.leaf_hash(entry["data"].encode()).hex() == entry["hash"]
        tree.append(bytes.fromhex(entry["hash"]))
        path = [bytes.fromhex(step) for step in PUBLISHED["inclusion_of_each"][number]]
        head = bytes.fromhex(PUBLISHED["roots"][-1])
        assert VERIFIER.included(bytes.fromhex(entry["hash"]), number, len(PUBLISHED["entries"]), path, head)
    note = PUBLISHED["checkpoint"] + PUBLISHED["cosignature"]
    assert VERIFIER.is_signed(note, PUBLISHED["keys"]["fleet"])
    assert VERIFIER.is_signed(note, PUBLISHED["keys"]["witness"])
    cell = PUBLISHED["cell"]
    assert VERIFIER.add_up(bytes.fromhex("".join(cell["leaves"]))) == VERIFIER.opening(cell)
    waiting_at = {(hall, window): count for hall, window, count in PUBLISHED["partition"]["waiting"]}
    wanted = [(each["kind"], each["places"]) for each in PUBLISHED["partition"]["cells"]]
    assert VERIFIER.partition(waiting_at) == wanted
