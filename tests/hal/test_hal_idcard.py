"""The identity-card reader against its simulator: right data or a clear error, never wrong data, and honest removal."""

import queue
import random

import pytest

from hal.api import CardError, CardPresent, CardRemoved
from hal.drivers.line import Line
from hal.drivers.samv_reader import Config, SamvReader


def opened(sim, config, on_event, on_health):
    return SamvReader("id_card", config, lambda: Line(sim.port, 115200), key=b"k" * 32, on_event=on_event, on_health=on_health)


@pytest.fixture
def setup(start_sim, heard, closing, until):
    """A reader on its simulator: `sim, reader`."""

    def make(*options, profile="standard", presume_removed_s=30.0):
        sim = start_sim("idcard", *(options or ("--read-s", "0")))
        config = Config(poll_ms=20, profile=profile, presume_removed_s=presume_removed_s)
        reader = closing(opened(sim, config, heard.on_event, heard.on_health))
        reader.start()
        until(lambda: reader.health().state != "unknown", "reader answered")
        return sim, reader

    return make


def some_commands(sim, until):
    """Wait until the reader has been asked ten times more, so that what should not happen had its chance."""
    already = sim.do("state")["commands"]
    until(lambda: sim.do("state")["commands"] >= already + 10, "ten more commands")


@pytest.mark.parametrize("kind", ["resident", "hmt_resident", "foreigner_2017", "foreigner_2023"])
def test_a_card_of_each_kind_is_read_once_and_its_removal_is_told(setup, heard, until, kind):
    sim, reader = setup()
    fields = sim.do("insert", kind=kind)["card"]
    event = heard.next()
    assert isinstance(event, CardPresent)
    assert event.card.kind == kind
    assert event.card.number[-2:] == fields["number"][-2:]
    assert fields["number"] not in repr(event)
    assert reader.card_present()
    sim.do("remove")
    assert heard.next() == CardRemoved("asked")
    assert not reader.card_present()
    assert sim.do("state")["reads"] == 1
    assert heard.nothing()


def test_the_same_card_has_the_same_reference_when_it_comes_back(setup, heard):
    sim, _ = setup()
    number = sim.do("insert")["card"]["number"]
    first = heard.next()
    sim.do("remove")
    heard.next()
    sim.do("insert", number=number, birth=number[6:14])
    assert heard.next().card.reference == first.card.reference


def test_a_card_that_stays_is_not_read_again(setup, heard, until):
    sim, reader = setup()
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)
    some_commands(sim, until)
    assert heard.nothing()
    assert reader.card_present()


def test_exchanged_cards_are_told_as_removed_and_present(setup, heard):
    sim, _ = setup()
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)
    sim.do("insert")
    assert [type(heard.next()) for _ in range(2)] == [CardRemoved, CardPresent]


def test_a_card_pulled_while_it_is_read_is_an_error_not_data(setup, heard, until):
    sim, _ = setup("--read-s", "0.4")
    sim.do("insert")
    until(lambda: sim.do("state")["reading"])
    sim.do("remove")
    assert heard.next() == CardError("card.moved")
    assert sim.do("state")["reads"] == 0


def test_a_damaged_read_is_told_and_the_next_one_works(setup, heard, until):
    sim, _ = setup("--read-s", "0.2")
    sim.do("insert")
    until(lambda: sim.do("state")["reading"])
    sim.do("wrong_checksum", times=1)
    assert heard.next() == CardError("card.read_failed")
    sim.do("remove")
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)


def test_a_card_that_contradicts_itself_is_refused(setup, heard):
    sim, _ = setup()
    sim.do("insert", number="110105194912310021")
    assert heard.next() == CardError("card.data_invalid")


def test_an_error_is_told_once_while_the_card_lies_there(setup, heard, until):
    sim, _ = setup()
    sim.do("insert", number="110105194912310021")
    heard.next()
    some_commands(sim, until)
    assert heard.nothing()


def test_two_cards_are_not_read(setup, heard, until):
    sim, _ = setup()
    sim.do("two_cards")
    sim.do("insert")
    some_commands(sim, until)
    assert heard.nothing()
    sim.do("two_cards", on=False)
    assert isinstance(heard.next(), CardPresent)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_answers_in_pieces_are_put_together(setup, heard, size):
    sim, _ = setup()
    sim.do("split", bytes=size)
    sim.do("insert")
    assert isinstance(heard.next(10), CardPresent)


def test_noise_before_answers_is_skipped(setup, heard):
    sim, _ = setup()
    sim.do("noise", bytes="aaaaaa9669ffff00aaaa", times=30)
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)


def test_a_silent_reader_is_down_and_recovers(setup, heard, until):
    sim, reader = setup()
    sim.do("silence")
    until(lambda: reader.health().reason == "id_card.silent")
    assert reader.health().next_step == "next.check_cable"
    sim.do("silence", on=False)
    until(lambda: reader.health().state == "ok")


def test_a_reader_whose_every_answer_is_damaged_is_degraded_and_recovers(setup, until):
    sim, reader = setup()
    sim.do("wrong_checksum", times=10_000)
    until(lambda: reader.health().reason == "id_card.garbled")
    assert reader.health().next_step == "next.check_profile"
    sim.do("wrong_checksum", times=0)
    until(lambda: reader.health().state == "ok")


def test_an_unlicensed_reader_says_so(setup, until):
    sim, reader = setup()
    sim.do("unlicensed")
    until(lambda: reader.health().reason == "id_card.not_licensed")
    sim.do("unlicensed", on=False)
    until(lambda: reader.health().state == "ok")


def test_an_unplugged_reader_loses_its_card_and_comes_back(setup, heard, until):
    sim, reader = setup()
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)
    sim.do("unplug")
    assert heard.next() == CardRemoved("lost")
    until(lambda: reader.health().reason == "port.missing")
    sim.do("plug")
    until(lambda: reader.health().state == "ok")
    sim.do("remove")
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)


def test_a_reader_that_can_not_be_asked_presumes_the_removal(setup, heard):
    sim, _ = setup(profile="no_probe", presume_removed_s=0.3)
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)
    sim.do("remove")
    assert heard.next() == CardRemoved("presumed")


def test_a_reader_that_can_not_be_asked_learns_of_the_removal_from_the_next_card(setup, heard):
    sim, _ = setup(profile="no_probe")
    sim.do("insert")
    heard.next()
    sim.do("insert")
    assert heard.next() == CardRemoved("another")
    assert isinstance(heard.next(), CardPresent)


def test_the_appended_address_serves_as_the_question_too(setup, heard):
    sim, _ = setup(profile="address_probe")
    sim.do("insert")
    heard.next()
    sim.do("remove")
    assert heard.next() == CardRemoved("asked")


def test_a_profile_with_wrong_command_bytes_is_told(setup, until):
    _, reader = setup(profile="prefix_00")
    until(lambda: reader.health().reason == "id_card.refused")
    assert reader.health().args == {"code": "21"}


def test_many_reads_under_noise_give_right_data_or_an_error(setup, heard):
    sim, _ = setup()
    choose = random.Random(7)
    read = 0
    for _ in range(16):
        fields = None
        if choose.random() < 0.5:
            sim.do("noise", bytes=choose.randbytes(choose.randint(1, 20)).hex(), times=4)
        if choose.random() < 0.2:
            sim.do("wrong_checksum", times=choose.randint(1, 2))
        fields = sim.do("insert", kind="resident")["card"]
        try:
            event = heard.next(3)
        except queue.Empty:
            event = None
        if isinstance(event, CardPresent):
            read += 1
            assert event.card.number == fields["number"][:2] + "*" * 14 + fields["number"][-2:]
            assert event.card.name[0] == fields["name"][0]
            assert event.card.valid_to == fields["valid_to"]
        else:
            assert isinstance(event, CardError)
        sim.do("noise", bytes="", times=0)
        sim.do("wrong_checksum", times=0)
        sim.do("remove")
        if isinstance(event, CardPresent):
            assert isinstance(heard.next(), CardRemoved)
    assert read >= 8


def test_a_listener_that_fails_does_not_stop_the_reader(start_sim, heard, closing, until):
    sim = start_sim("idcard", "--read-s", "0")

    def fails(name, event):
        heard.on_event(name, event)
        raise RuntimeError("listener")

    config = Config(poll_ms=20)
    closing(opened(sim, config, fails, heard.on_health)).start()
    sim.do("insert")
    assert isinstance(heard.next(), CardPresent)
    sim.do("remove")
    assert isinstance(heard.next(), CardRemoved)


def test_the_simulator_explains_a_wrong_command(start_sim):
    from hal.sim.control import ControlError

    sim = start_sim("idcard")
    with pytest.raises(ControlError, match="use one of resident"):
        sim.do("insert", kind="passport")
    with pytest.raises(ControlError, match="that field has 30"):
        sim.do("insert", name="样" * 16)
    with pytest.raises(ControlError, match="is not known; use one of state"):
        sim.do("dance")
