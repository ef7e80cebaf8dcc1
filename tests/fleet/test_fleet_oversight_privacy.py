"""Contact data, attachments, notices and drawings: who gets what, what is encrypted, what is erased, what is sent when."""

import pytest
from fleet_seeded import blank, clock, fleet
from hypothesis import given
from hypothesis import strategies as st
from oversight_rig import LI, QIAN, ZHAO, counter, outbox
from sqlalchemy import select, update

from fleet.oversight.channels import ChannelInvalid, Channels
from fleet.oversight.files import MOST_BYTES, Attachment, FileRefused
from fleet.oversight.revisits import read_cases
from fleet.oversight.rules import OrderRefused
from fleet.oversight.sampling import Case, DrawRefused, apportion, draw
from fleet.oversight.tables import contacts, work_order_files
from fleet.oversight.vault import Contact, ContactRefused, VaultError, read_contact

__all__ = ["blank", "clock", "counter", "fleet", "outbox"]
CONTACT = Contact(name="王先生", reach="139-0000-4711", words="请回电")
PDF = Attachment("../清单.pdf", b"%PDF-1.4 secret words")


@pytest.fixture
def order(counter, clock, fleet):
    """A named order that Li has in hand."""
    number = counter.bad()
    fleet.oversight.contacts.keep_for_order(number, CONTACT, ZHAO)
    fleet.oversight.orders.act(number, "assign", ZHAO, args={"to": "li"})
    clock.on(days=1)
    counter.sync()
    return number


def test_only_who_has_the_order_in_hand_sees_the_contact_and_each_look_is_on_record(order, fleet):
    look, act = fleet.oversight.contacts.look, fleet.oversight.orders.act
    assert look(order, LI) == CONTACT
    for who in (ZHAO, QIAN):
        with pytest.raises(OrderRefused):
            look(order, who)
    act(order, "contact", LI, args={"result": "reached"})
    act(order, "classify", LI, note="属实", args={"class": "valid"})
    act(order, "rectify", LI)
    act(order, "reply", LI, note="已整改")
    with pytest.raises(OrderRefused):
        look(order, LI)
    with pytest.raises(OrderRefused):
        act(order, "revisit", QIAN, args={"result": "resolved"})
    act(order, "take", QIAN)
    assert look(order, QIAN).reach == CONTACT.reach
    act(order, "revisit", QIAN, args={"result": "unresolved"})
    with pytest.raises(OrderRefused):
        act(order, "close", QIAN)
    assert act(order, "reopen", QIAN, note="没有解决").state == "reopened"
    looks = [(deed.action, deed.actor) for deed in fleet.audit.read(search="contact.")]
    assert looks.count(("contact.look", "li")) == looks.count(("contact.look", "qian")) == 1
    assert looks.count(("contact.refused", "zhao")) == 1
    assert not fleet.audit.read(search="4711")


def test_who_cannot_be_reached_is_tried_twice(order, fleet):
    act = fleet.oversight.orders.act
    assert act(order, "contact", LI, args={"result": "unreachable"}).state == "assigned"
    assert act(order, "contact", LI, args={"result": "unreachable"}).state == "contacted"


def test_contact_and_attachments_are_not_readable_in_the_database_file(order, fleet):
    fleet.oversight.orders.note(order, "see the file", LI, files=[PDF])
    raw = (fleet.data / "fleet.db").read_bytes()
    for secret in ("王先生".encode(), b"4711", b"secret words"):
        assert secret not in raw
    assert b"see the file" in raw


def test_a_contact_moved_to_another_rating_does_not_open(order, fleet):
    with fleet.store.write() as connection:
        sealed = bytes(connection.execute(select(contacts.c.sealed)).scalar_one())
        changed = fleet.oversight.contacts._vault.seal("contact/9/ff", b"other")
        connection.execute(update(contacts).values(sealed=changed))
    with pytest.raises(VaultError):
        fleet.oversight.contacts.look(order, LI)
    with fleet.store.write() as connection:
        connection.execute(update(contacts).values(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    with pytest.raises(VaultError):
        fleet.oversight.contacts.look(order, LI)


def test_contact_data_is_erased_when_its_days_after_closing_are_over_and_not_before(order, counter, clock, fleet):
    act = fleet.oversight.orders.act
    act(order, "contact", LI, args={"result": "refused"})
    act(order, "classify", LI, note="误评", args={"class": "mistaken"})
    act(order, "reply", LI, note="已解释")
    act(order, "take", QIAN)
    clock.on(days=100)
    assert fleet.oversight.contacts.sweep() == 0
    act(order, "revisit", QIAN, args={"result": "resolved"})
    act(order, "close", QIAN)
    clock.on(days=30)
    assert fleet.oversight.contacts.sweep() == 0
    with fleet.store.read() as connection:
        sealed = bytes(connection.execute(select(contacts.c.sealed)).scalar_one())
    assert sealed in (fleet.data / "fleet.db").read_bytes()
    clock.on(days=1)
    assert fleet.oversight.contacts.sweep() == 1
    assert sealed[24:] not in (fleet.data / "fleet.db").read_bytes()
    with fleet.store.read() as connection:
        assert bytes(connection.execute(select(contacts.c.sealed)).scalar_one()) == b""
    assert fleet.oversight.orders.get(order, ZHAO).named
    assert fleet.oversight.contacts.sweep() == 0


@pytest.mark.parametrize(
    "given_contact", [("", "", ""), ("x" * 41, "1", ""), ("a", "1" * 61, ""), ("a", "1\x00", ""), ("a", "1", "w" * 501)]
)
def test_contact_data_that_cannot_be_is_refused(given_contact):
    with pytest.raises(ContactRefused):
        read_contact(*given_contact)


def test_an_attachment_comes_back_to_who_may_see_the_order_and_to_nobody_else(order, fleet):
    orders = fleet.oversight.orders
    orders.note(order, "", LI, files=[PDF])
    (kept,) = orders.get(order, LI).files
    assert (kept.name, kept.media) == ("清单.pdf", "application/pdf")
    assert orders.file(order, kept.no, ZHAO) == (Attachment("清单.pdf", PDF.data), "application/pdf")
    with pytest.raises(OrderRefused):
        orders.file(order, kept.no, fleet_actor("wang"))
    with pytest.raises(FileRefused):
        orders.file(order, kept.no + 1, ZHAO)


def fleet_actor(name):
    from fleet.access.service import Actor

    return Actor(name=name, display=name, role="handler")


@pytest.mark.parametrize("data", [b"MZ\x90", b"<html>", b"", b"%PDF-" + bytes(MOST_BYTES)])
def test_other_kinds_and_sizes_are_refused_and_the_step_with_them(order, fleet, data):
    orders = fleet.oversight.orders
    before = len(orders.get(order, LI).steps)
    with pytest.raises(FileRefused):
        orders.note(order, "x", LI, files=[Attachment("a.pdf", data)])
    assert len(orders.get(order, LI).steps) == before
    with fleet.store.read() as connection:
        assert connection.execute(select(work_order_files)).first() is None


def test_nobody_is_told_on_the_day_of_the_rating_and_nothing_personal_ever(counter, clock, fleet, outbox):
    counter.bad()
    assert fleet.oversight.notices.deliver() == 0
    clock.on(seconds=20 * 3600)
    assert fleet.oversight.notices.deliver() == 0
    clock.on(seconds=1800)
    assert fleet.oversight.notices.deliver() == 1
    ((audience, body),) = outbox.sent
    assert audience == "supervision"
    assert not any(word in body for word in ("12", "112", "李强", "A1", "非常"))
    assert fleet.oversight.notices.deliver() == 0


def test_what_cannot_be_sent_is_an_incident_and_is_sent_later(counter, clock, fleet, outbox):
    counter.bad()
    clock.on(days=1)
    outbox.trouble = "address 1 did not take the message"
    assert fleet.oversight.notices.deliver() == 0
    (cause,) = fleet.oversight.causes()
    assert (cause.reason, cause.args["detail"]) == ("notify.failed", outbox.trouble)
    outbox.trouble = ""
    assert fleet.oversight.notices.deliver() == 0
    clock.on(seconds=61)
    assert fleet.oversight.notices.deliver() == 1
    assert fleet.oversight.causes() == []


def test_a_card_is_told_once_to_supervision_and_to_who_has_the_step(order, clock, fleet, outbox):
    clock.on(days=3)
    for _ in range(2):
        fleet.oversight.orders.tell_of_cards()
        fleet.oversight.notices.deliver()
    cards = [audience for audience, body in outbox.sent if "card" in body]
    assert sorted(cards) == ["li", "supervision"]


def test_an_address_that_is_none_is_refused_without_showing_its_secret():
    with pytest.raises(ChannelInvalid) as refused:
        Channels({"li": ["nonsense://hunter2@host"]})
    assert "hunter2" not in str(refused.value)


CASES = [Case(ref=f"c{n}", item=f"i{n % 7}") for n in range(5_179)]


def test_the_article_s_quota_gives_the_article_s_number():
    drawn = draw(CASES, 1_239, seed="s")
    assert len({case.ref for case in drawn}) == 1_239
    assert len(draw(CASES, 0.239, seed="s")) == 1_238


def test_the_same_seed_draws_the_same_from_a_list_in_any_order_and_another_seed_others():
    assert draw(CASES, 100, seed="s") == draw(CASES[::-1], 100, seed="s")
    assert draw(CASES, 100, seed="s") != draw(CASES, 100, seed="t")


@given(sizes=st.dictionaries(st.text(max_size=3), st.integers(1, 300), min_size=1, max_size=12), share=st.floats(0, 1))
def test_every_group_gets_its_share_to_within_one(sizes, share):
    whole = sum(sizes.values())
    wanted = int(share * whole)
    given_shares = apportion(sizes, wanted)
    assert sum(given_shares.values()) == wanted
    for name, size in sizes.items():
        assert 0 <= given_shares[name] <= size
        assert abs(given_shares[name] - wanted * size / whole) < 1


@pytest.mark.parametrize("quota", [0, -1, 1.5, 6_000, float("nan"), float("inf")])
def test_a_quota_that_cannot_be_is_refused(quota):
    with pytest.raises(DrawRefused):
        draw(CASES, quota, seed="s")


def test_a_list_with_names_or_telephone_numbers_is_refused():
    assert read_cases("办件编号,事项\nA1,x\n".encode("gb18030")) == [Case(ref="A1", item="x")]
    for text in ("办件编号,姓名\nA1,张三\n", "ref,phone\nA1,1\n", "", "item\nx\n", "ref\n张三\n"):
        with pytest.raises(DrawRefused):
            read_cases(text.encode())


def test_a_call_has_one_result_and_only_who_was_not_reached_is_called_again(fleet, counter):
    revisits = fleet.oversight.revisits
    number = revisits.draw("yunxi", "十月", CASES[:10], 0.3, actor=ZHAO, seed="s")
    revisits.record(number, 1, "unreachable", "", actor=ZHAO)
    revisits.record(number, 1, "satisfied", "", actor=ZHAO)
    with pytest.raises(DrawRefused):
        revisits.record(number, 1, "dissatisfied", "", actor=ZHAO)
    with pytest.raises(DrawRefused):
        revisits.record(number, 2, "satisfied", "", actor=LI)
    found = revisits.drawing(number)
    assert (found.drawn, found.population, found.called, revisits.cases(number)[0].calls) == (3, 10, 1, 2)
