"""From signed entries to figures: what counts, what does not, and that the read model can be made again."""

import itertools
import random
import threading
from datetime import date

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey
from sqlalchemy import delete

from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.public.receipt import WORDS, mount_public
from fleet.ratings.projection import Projection
from fleet.ratings.service import Conflict
from fleet.ratings.tables import prints as prints_table
from fleet.ratings.tables import ratings as ratings_table
from fleet.ratings.tables import services as services_table
from fleet.ratings.tables import visits as visits_table
from fleet.registry.records import Hall, NotKnown, Window
from fleet.store import open_store
from wire.entry import NO_HASH
from wire.kinds import (
    CloseSecret,
    JournalOpened,
    Predecessor,
    PressSecret,
    PrintAsked,
    PrintFinished,
    RatingClosed,
    RatingInvited,
    RatingPressed,
    SessionClosed,
    SessionOpened,
)
from wire.leaf import leaf, new_secret, receipt_code, seal
from wire.messages import Invitation

__all__ = ["blank", "clock", "fleet"]
TODAY = date(2026, 11, 22)


class Desk:
    """Devices whose entries reach the store as they would: signed, through the real intake."""

    def __init__(self, fleet) -> None:
        self.fleet = fleet
        self.store = open_store(fleet.data, writes="journal")
        self.directory = Directory(fleet.store)
        self.intake = Intake(self.store, self.directory, fleet.keys.signing, clock=lambda: NOW_MS)
        self.dice = random.Random(1)
        self.seal_key = bytes(fleet.keys.seal.public_key)
        self.device = place_device(fleet, 1)

    def rate(self, level, *, at_ms=NOW_MS, device=None, **how):
        (device or self.device).rate(level, at_ms=at_ms, seal_key=self.seal_key, dice=self.dice, **how)

    def press(self, level, *, rating=b"r" * 16, occasion=None, kind="rating.pressed", device=None, spoil=False, key=None):
        secret = new_secret()
        made = leaf(level, new_secret() if spoil else secret)
        sealed = seal(PressSecret(level=level, secret=secret), key or self.seal_key)
        body = RatingPressed(rating=rating, occasion=occasion, via="button", leaf=made, sealed=sealed)
        (device or self.device).append(kind, body, at_ms=NOW_MS)
        return made

    def close(self, *, rating=b"r" * 16, occasion=None, outcome="rated", standing=None, made=None, reasons=()):
        sealed = seal(CloseSecret(reasons=reasons), self.seal_key)
        body = RatingClosed(
            rating=rating, occasion=occasion, outcome=outcome, how="done", standing=standing, leaf=made, sealed=sealed
        )
        self.device.append("rating.closed", body, at_ms=NOW_MS)

    def hand_over(self, *devices):
        self.directory.refresh()
        for device in devices or (self.device,):
            self.intake.take(list(device.batches(self.fleet.config.tenant)))
        return self.fleet.projection.catch_up()

    def total(self, **how):
        return self.fleet.ratings.total(date(2026, 1, 1), date(2026, 12, 31), supervised=True, **how)

    def rows(self):
        return self.fleet.ratings.listing(date(2026, 1, 1), date(2026, 12, 31), limit=1_000)

    def findings(self):
        return {cause.reason for cause in self.fleet.ratings.causes()}


@pytest.fixture
def desk(fleet):
    made = Desk(fleet)
    yield made
    made.store.close()


def test_a_rating_reaches_the_figures_with_its_window_item_clerk_and_reason(desk):
    desk.rate(4, clerk="112", item="A1")
    desk.hand_over()
    (row,) = desk.rows()
    assert (row.level, row.window, row.clerk, row.item, row.standing_of, row.outcome) == (4, "12", "112", "A1", "counted", "rated")
    assert desk.total().levels == {4: 1}
    assert desk.total().participation == 1.0


def test_an_invitation_nobody_answered_is_not_rated_and_never_a_good_rating(desk):
    desk.rate(None)
    desk.hand_over()
    found = desk.total()
    assert (found.rated, found.not_rated, found.services, found.satisfaction, found.participation) == (0, 1, 1, None, 0.0)


def test_an_uninvited_press_is_kept_and_stands_in_no_rate(desk):
    desk.rate(5, invited=False)
    desk.hand_over()
    assert (desk.total().rated, desk.total().uninvited) == (0, 1)


def test_the_last_press_stands_even_when_power_was_cut_before_the_close(desk):
    occasion = b"o" * 16
    desk.device.append(
        "rating.invited", RatingInvited(invitation=Invitation(occasion=occasion, stage="finish", expires_ms=NOW_MS)), at_ms=NOW_MS
    )
    desk.press(1, occasion=occasion)
    desk.press(5, occasion=occasion, kind="rating.amended")
    desk.hand_over()
    (row,) = desk.rows()
    assert (row.level, row.presses, row.outcome) == (5, 2, "open")
    assert desk.total().levels == {5: 1}


def test_an_amendment_that_arrives_later_replaces_the_level(desk):
    desk.press(1, occasion=b"o" * 16)
    desk.hand_over()
    assert desk.total().levels == {1: 1}
    made = desk.press(4, occasion=b"o" * 16, kind="rating.amended")
    desk.close(occasion=b"o" * 16, standing=desk.device.seq, made=made, reasons=("lv4.good",))
    desk.hand_over()
    assert desk.total().levels == {4: 1}
    assert desk.fleet.ratings.reasons(TODAY, TODAY, supervised=True) == {"lv4.good": 1}
    assert desk.findings() == set()


def go_on_in_a_successor(device, *, of=None):
    """The device's next journal, as after a damage; `of` names another device's journal as the one before."""
    before = Predecessor(journal_id=(of or device).journal_id, last_seq=device.seq, last_hash=device.hash, gap="damaged")
    device.journal_id, device.seq, device.hash = bytes(reversed(device.journal_id)), 0, NO_HASH
    key = bytes(device.key.verify_key)
    device.append(
        "journal.opened", JournalOpened(device=device.name, stream="evidence", signing_key=key, predecessor=before), at_ms=NOW_MS
    )


def leave_everything_open(desk):
    desk.device.append("session.opened", SessionOpened(session=b"s" * 16), at_ms=NOW_MS)
    desk.device.append("print.asked", PrintAsked(job="j", what="notice"), at_ms=NOW_MS)
    return desk.press(4, occasion=b"o" * 16)


def close_everything(desk, made, standing):
    desk.close(occasion=b"o" * 16, standing=standing, made=made, reasons=("lv4.good",))
    desk.device.append("print.finished", PrintFinished(job="j", what="notice", outcome="unknown"), at_ms=NOW_MS)
    desk.device.append("session.closed", SessionClosed(session=b"s" * 16, how="restart"), at_ms=NOW_MS)


def rows_of(desk, table):
    with desk.fleet.store.read() as connection:
        return connection.execute(table.select()).all()


def test_what_a_damaged_journal_left_open_is_closed_by_its_successor(desk):
    made = leave_everything_open(desk)
    standing = desk.device.seq
    desk.hand_over()
    go_on_in_a_successor(desk.device)
    close_everything(desk, made, standing)
    desk.hand_over()

    def check():
        (row,) = desk.rows()
        assert (row.level, row.outcome, row.standing_of, row.presses) == (4, "rated", "counted", 1)
        assert desk.total().not_rated == 0
        assert desk.findings() == set()
        assert [(each.how, each.opened_ms, each.closed_ms) for each in rows_of(desk, visits_table)] == [("restart", NOW_MS, NOW_MS)]
        assert [each.outcome for each in rows_of(desk, prints_table)] == ["unknown"]

    check()
    desk.fleet.projection.rebuild()
    check()


def test_a_journal_that_names_another_device_s_as_its_own_past_closes_nothing_there(desk):
    made = leave_everything_open(desk)
    standing, victim = desk.device.seq, desk.device
    desk.device = place_device(desk.fleet, 2, window="06")
    desk.hand_over(victim)
    go_on_in_a_successor(desk.device, of=victim)
    close_everything(desk, made, standing)
    desk.hand_over()
    outcomes = {row.device: row.outcome for row in desk.rows()}
    assert (outcomes[victim.name], desk.findings()) == ("open", {"rating.standing_mismatch"})
    assert {each.how for each in rows_of(desk, visits_table) if each.device == victim.name} == {""}


def test_a_leaf_that_does_not_fit_its_level_is_not_counted_and_becomes_an_incident(desk):
    desk.press(5, occasion=b"o" * 16, spoil=True)
    desk.hand_over()
    assert desk.total().rated == 0
    assert desk.findings() == {"rating.leaf_mismatch"}
    desk.fleet.watch.set_broker(True)
    desk.fleet.watch.review()
    assert "rating.leaf_mismatch" in {each.reason for each in desk.fleet.watch.incidents.list()}


def test_a_press_sealed_to_another_fleet_is_not_counted(desk):
    desk.press(5, occasion=b"o" * 16, key=bytes(PrivateKey.generate().public_key))
    desk.hand_over()
    assert (desk.total().rated, desk.findings()) == (0, {"rating.unreadable"})


def test_a_close_that_names_another_press_does_not_change_which_stands(desk):
    desk.press(2, occasion=b"o" * 16)
    first = desk.device.seq
    desk.press(3, occasion=b"o" * 16, kind="rating.amended")
    desk.close(occasion=b"o" * 16, standing=first, made=bytes(32))
    desk.hand_over()
    assert desk.total().levels == {3: 1}
    assert desk.findings() == {"rating.standing_mismatch"}


def test_one_service_is_rated_once_whichever_device_arrives_first(desk):
    other = place_device(desk.fleet, 2, window="06")
    desk.press(5, rating=b"a" * 16, occasion=b"o" * 16)
    desk.press(1, rating=b"b" * 16, occasion=b"o" * 16, device=other)
    desk.hand_over(other, desk.device)
    first = {row.device: row.standing_of for row in desk.rows()}
    assert sorted(first.values()) == ["counted", "repeated"]
    desk.fleet.projection.rebuild()
    assert {row.device: row.standing_of for row in desk.rows()} == first


def test_two_devices_may_use_the_same_rating_id_without_harm(desk):
    other = place_device(desk.fleet, 2, window="06")
    desk.press(5, occasion=b"o" * 16)
    desk.press(1, occasion=b"p" * 16, device=other)
    desk.hand_over(desk.device, other)
    assert desk.total().levels == {5: 1, 1: 1}


def test_a_rating_counts_where_the_device_stood_then_and_not_where_it_stands_now(desk):
    desk.fleet.registry.place(desk.device.name, hall="yunxi", window="06", label={"zh": "x"}, by="t", at_ms=NOW_MS - 1_000)
    desk.rate(5, at_ms=NOW_MS - 86_400_000)
    desk.rate(4, at_ms=NOW_MS)
    desk.hand_over()
    assert {row.level: row.window for row in desk.rows()} == {5: "12", 4: "06"}


def test_a_device_without_a_clock_is_counted_on_the_day_its_rating_arrived(desk):
    secret = new_secret()
    body = RatingPressed(
        rating=b"r" * 16,
        occasion=b"o" * 16,
        via="touch",
        leaf=leaf(5, secret),
        sealed=seal(PressSecret(level=5, secret=secret), desk.seal_key),
    )
    desk.device.append("rating.pressed", body, at_ms=1_000, trust=0)
    desk.hand_over()
    (row,) = desk.rows()
    assert (row.at_ms, row.clock_trust) == (NOW_MS, 0)


def test_a_day_ends_at_the_hall_s_midnight_and_not_at_utc_s(desk):
    desk.rate(5, at_ms=NOW_MS + 11 * 3_600_000 + 1_800_000)
    desk.rate(4, at_ms=NOW_MS + 12 * 3_600_000)
    desk.hand_over()
    groups = desk.fleet.ratings.by("day", date(2026, 11, 1), date(2026, 12, 1), supervised=False)
    assert [(group.value, group.tally.rated) for group in groups] == [("2026-11-22", 1), ("2026-11-23", 1)]


def test_a_terminal_visit_counts_as_one_service_although_it_asked_for_a_rating_too(desk):
    terminal = place_device(desk.fleet, 5, role="terminal")
    desk.rate(5, device=terminal, stage="selfservice")
    terminal.append("session.closed", SessionClosed(session=b"s" * 16, how="done", matters=("guide",)), at_ms=NOW_MS)
    desk.hand_over(terminal)
    assert (desk.total().services, desk.total().participation) == (1, 1.0)


def test_a_visit_that_only_searched_was_no_service(desk):
    terminal = place_device(desk.fleet, 5, role="terminal")
    terminal.append("session.closed", SessionClosed(session=b"s" * 16, how="timeout", matters=("search", "help")), at_ms=NOW_MS)
    desk.hand_over(terminal)
    assert desk.total().services == 0
    assert desk.fleet.ratings.outcomes(TODAY, TODAY)["visits"] == {"timeout": 1}


def test_a_print_cut_off_is_under_way_and_not_printed(desk):
    terminal = place_device(desk.fleet, 5, role="terminal")
    for job in ("a", "b"):
        terminal.append("print.asked", PrintAsked(job=job, what="notice"), at_ms=NOW_MS)
    terminal.append("print.finished", PrintFinished(job="a", what="notice", outcome="unknown"), at_ms=NOW_MS)
    desk.hand_over(terminal)
    assert desk.fleet.ratings.outcomes(TODAY, TODAY)["prints"] == {"unknown": 1, "asked": 1}


def test_a_malformed_body_is_an_incident_and_holds_nothing_up(desk):
    desk.rate(5)
    desk.device.append(
        "rating.closed", RatingClosed(rating=b"q" * 16, occasion=None, outcome="rated", how="done", sealed=b"\0" * 40), at_ms=NOW_MS
    )
    desk.rate(4)
    desk.hand_over()
    assert desk.total().levels == {5: 1, 4: 1}
    assert desk.findings() >= {"rating.unreadable"}


def test_a_rebuild_beside_a_running_fleet_applies_nothing_twice(desk):
    """`nw-fleet rebuild` is another process: whoever finds that a journal was read meanwhile leaves it alone."""
    for level in (5, 4, 1):
        desk.rate(level)
    desk.hand_over()
    other = Projection(desk.fleet.store, desk.fleet.registry, seal=desk.fleet.keys.seal)
    workers = [threading.Thread(target=work) for work in (desk.fleet.projection.rebuild, other.catch_up, other.catch_up)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    other.catch_up()
    assert desk.total().levels == {5: 1, 4: 1, 1: 1}
    assert {row.presses for row in desk.rows()} == {1}


def test_catching_up_twice_applies_nothing_twice(desk):
    desk.rate(5)
    assert desk.hand_over() > 0
    assert desk.fleet.projection.catch_up() == 0
    assert desk.total().levels == {5: 1}


def test_a_receipt_tells_that_and_when_it_was_counted_and_never_the_level(desk):
    made = desk.press(1, occasion=b"o" * 16)
    desk.hand_over()
    code = receipt_code(made)
    assert desk.fleet.ratings.receipt(code.lower().replace("-", " ")) == {"code": code, "day": "2026-11-22", "counted": "counted"}


@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_the_public_page_tells_a_citizen_that_it_was_counted_and_never_what(desk, language):
    code = receipt_code(desk.press(1, occasion=b"o" * 16))
    desk.hand_over()
    app = FastAPI()
    mount_public(app, desk.fleet)
    client = TestClient(app)
    found = client.get("/receipt", params={"code": code, "lang": language}).text
    assert WORDS["counted"][language].format(day="2026-11-22") in found
    assert WORDS["unknown"][language] in client.get("/receipt", params={"code": receipt_code(b"x" * 32), "lang": language}).text
    nasty = client.get("/receipt", params={"code": '"><script>alert(1)</script>', "lang": language}).text
    assert WORDS["malformed"][language] in nasty
    assert "<script>" not in nasty


def test_services_told_by_another_system_stay_when_the_read_model_is_made_again(desk):
    give = {"hall": "yunxi", "window": "12", "clerk": "", "item": "", "stage": "finish", "actor": "key:1"}
    desk.fleet.ratings.give_service(**give)
    desk.rate(5)
    desk.hand_over()
    before = desk.total()
    assert before.services == 2
    desk.fleet.projection.rebuild()
    assert desk.total() == before


def test_the_same_idempotency_key_is_one_service_and_another_body_a_conflict(desk):
    give = {"hall": "yunxi", "window": "12", "clerk": "", "item": "", "stage": "finish", "actor": "key:1", "key": "k"}
    first, is_new = desk.fleet.ratings.give_service(**give, request=b"a")
    assert (desk.fleet.ratings.give_service(**give, request=b"a"), is_new) == ((first, False), True)
    with pytest.raises(Conflict):
        desk.fleet.ratings.give_service(**give, request=b"b")
    assert desk.total().services == 1


def test_a_service_at_an_unknown_window_is_refused(desk):
    with pytest.raises(NotKnown):
        desk.fleet.ratings.give_service(hall="yunxi", window="99", clerk="", item="", stage="finish", actor="x")


def test_windows_of_the_same_number_in_two_halls_are_two_windows(desk):
    registry = desk.fleet.registry
    registry.put(Hall(code="niuhe", tenant=desk.fleet.config.tenant, title={"zh": "牛河"}))
    registry.put(Window(hall="niuhe", number="12", business={"zh": "综合"}, place={"zh": "一楼"}))
    other = place_device(desk.fleet, 9)
    registry.place(other.name, hall="niuhe", window="12", label={"zh": "x"}, by="t", at_ms=NOW_MS - 86_400_000)
    desk.rate(5)
    desk.rate(1, device=other)
    desk.hand_over(desk.device, other)
    groups = desk.fleet.ratings.by("window", TODAY, TODAY, supervised=True)
    assert {(group.hall, group.value): group.tally.satisfaction for group in groups} == {("niuhe", "12"): 0.0, ("yunxi", "12"): 1.0}


seeds = itertools.count(10_000)
presses = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.sampled_from(["press", "amend", "close", "skip"]), st.integers(1, 5)),
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(presses, st.data())
def test_any_journal_gives_the_same_figures_in_pieces_at_once_and_again(desk, history, data):
    """A model keeps the last press of each rating; the read model must agree, however the entries came."""
    with desk.fleet.store.write() as connection:
        for table in (ratings_table, services_table, visits_table):
            connection.execute(delete(table))
    seed = next(seeds)
    device = place_device(desk.fleet, seed)
    base = seed.to_bytes(8, "big")
    model: dict[int, int] = {}
    for number, _, kind, level in history:
        rating, occasion = base + bytes([number]) * 8, base + bytes([number + 100]) * 8
        if kind in ("press", "amend"):
            desk.press(
                level,
                rating=rating,
                occasion=occasion,
                device=device,
                kind="rating.pressed" if kind == "press" else "rating.amended",
            )
            model[number] = level
        else:
            body = RatingClosed(rating=rating, occasion=occasion, outcome="rated" if number in model else "not_rated", how="done")
            device.append("rating.closed", body, at_ms=NOW_MS)
        if data.draw(st.booleans(), label="hand over now"):
            desk.hand_over(device)
    desk.hand_over(device)

    def figures():
        rows = [row for row in desk.rows() if row.device == device.name]
        return sorted(row.level for row in rows if row.standing_of == "counted")

    assert figures() == sorted(model.values())
    desk.fleet.projection.rebuild()
    assert figures() == sorted(model.values())
