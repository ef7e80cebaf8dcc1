"""Smart cards through the real pcscd and Debian's virtual reader: type and chip number only, and every way of vanishing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from private_pcscd import PrivatePcscd

from hal.api import CardError, SmartCardPresent, SmartCardReader, SmartCardRemoved
from hal.drivers.pcsc import Config, PcscReader, is_contactless
from hal.drivers.pcsc_calls import Pcsc, load_scard
from hal.factory import open_hal
from hal.sim.control import ControlError, send

CONTACTLESS = bytes.fromhex("3b88800100000000338181003a")


class Cards:
    """The process that lays cards on the reader."""

    def __init__(self, port, folder):
        self.control = str(folder / "cards.sock")
        command = [sys.executable, "-m", "hal.sim.smartcard", "--vpcd", f"127.0.0.1:{port}", "--control", self.control]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        assert self.process.stdout.readline() == b"ready\n"

    def do(self, what, **options):
        return send(self.control, {"do": what, **options})

    def close(self):
        self.process.terminate()
        self.process.wait(5)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    if reason := PrivatePcscd.missing():
        pytest.skip(reason)
    pcscd = PrivatePcscd.shared()
    pcscd.cards = Cards(pcscd.port, tmp_path_factory.mktemp("cards"))
    yield pcscd
    pcscd.cards.close()


@pytest.fixture
def pcscd(service, until):
    service.start()
    service.cards.do("reset")
    # pcscd looks at its readers a few times a second only.
    until(nothing_lies_there, "empty readers")
    return service


def nothing_lies_there():
    with Pcsc(load_scard()) as pcsc:
        return not pcsc.changes(pcsc.readers(), 0)


@pytest.fixture
def setup(pcscd, heard, closing, until, make_config):
    """A reader and what lays cards on it: `cards, reader`."""

    def make(reader="", *, wait_for="hal.ok"):
        table = {"smart_card": {"driver": "pcsc", "reader": reader}}
        hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
        hal.start()
        one = hal.named("smart_card")
        assert isinstance(one, SmartCardReader)
        until(lambda: one.health().reason == wait_for)
        return pcscd.cards, one

    return make


def test_a_contactless_card_is_told_by_type_and_chip_number_and_nothing_else_is_asked(setup, heard, until):
    cards, reader = setup()
    cards.do("insert", uid="04a2241a5b6680")
    event = heard.next()
    assert event == SmartCardPresent(CONTACTLESS.hex(), "04a2241a5b6680", "contactless", "Virtual PCD 00 00")
    assert "04a2" not in repr(event)
    assert reader.card_present()
    assert cards.do("state")["apdus"] == ["ffca000000"]
    cards.do("remove")
    assert heard.next() == SmartCardRemoved("Virtual PCD 00 00", "asked")
    assert not reader.card_present()


def test_a_contact_card_is_asked_nothing_at_all(setup, heard):
    cards, _ = setup()
    cards.do("insert", kind="contact")
    event = heard.next()
    assert (event.interface, event.uid) == ("contact", "")
    assert cards.do("state")["apdus"] == []


def test_a_card_without_a_chip_number_is_told_without_one(setup, heard):
    cards, _ = setup()
    cards.do("insert", kind="storage", uid="")
    assert (heard.next().uid, heard.nothing()) == ("", True)


def test_an_absurd_chip_number_is_not_believed(setup, heard):
    cards, _ = setup()
    cards.do("insert", uid="00" * 200)
    assert heard.next().uid == ""


def test_a_card_taken_away_while_it_is_asked_is_an_error_not_a_card(setup, heard):
    cards, reader = setup()
    cards.do("insert", leaves_after=1)
    assert isinstance(heard.next(), CardError)
    assert not reader.card_present()
    cards.do("insert")
    assert isinstance(heard.next(), SmartCardPresent)


def test_a_card_that_lay_there_before_the_start_is_told(pcscd, setup, heard):
    pcscd.cards.do("insert")
    setup()
    assert isinstance(heard.next(), SmartCardPresent)


def test_two_readers_are_told_apart_and_a_section_may_name_one(pcscd, heard, closing, until, make_config):
    table = {name: {"driver": "pcsc", "reader": slot} for name, slot in (("smart_card", "00 00"), ("smart_card_2", "00 01"))}
    told = []
    hal = closing(open_hal(make_config(table), on_event=lambda *one: told.append(one), on_health=heard.on_health))
    hal.start()
    until(lambda: {one.reason for one in hal.health().values()} == {"hal.ok"})
    pcscd.cards.do("insert", slot=1, uid="0a0b0c0d")
    until(lambda: told)
    pcscd.cards.do("insert", slot=0, uid="01020304")
    until(lambda: len(told) == 2)
    assert [(name, event.uid, event.reader[-2:]) for name, event in told] == [
        ("smart_card_2", "0a0b0c0d", "01"),
        ("smart_card", "01020304", "00"),
    ]


def test_a_reader_that_is_not_there_is_named_with_those_that_are(setup):
    _, reader = setup("ACS ACR1252", wait_for="smart_card.no_reader")
    assert reader.health().args == {"expected": "ACS ACR1252", "found": "Virtual PCD 00 00, Virtual PCD 00 01"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_that_ends_is_told_and_found_again(pcscd, setup, heard, until, number):
    cards, reader = setup()
    cards.do("insert")
    assert isinstance(heard.next(), SmartCardPresent)
    pcscd.stop(number)
    assert heard.next() == SmartCardRemoved("Virtual PCD 00 00", "lost")
    until(lambda: reader.health().reason == "smart_card.no_service")
    assert reader.health().next_step == "next.start_pcscd"
    cards.do("reset")
    pcscd.start()
    until(lambda: reader.health().reason == "hal.ok")
    cards.do("insert")
    assert isinstance(heard.next(), SmartCardPresent)


def test_a_service_that_comes_back_without_the_reader_has_lost_its_card(pcscd, setup, heard, until):
    cards, reader = setup()
    cards.do("insert")
    heard.next()
    pcscd.stop()
    pcscd.start(with_readers=False)
    until(lambda: reader.health().reason == "smart_card.no_reader")
    assert reader.health().args == {"expected": "-", "found": "-"}
    assert heard.next() == SmartCardRemoved("Virtual PCD 00 00", "lost")
    cards.do("reset")
    pcscd.stop()
    pcscd.start()
    until(lambda: reader.health().reason == "hal.ok")


def test_a_service_that_hangs_blocks_nobody_and_goes_on(pcscd, setup, heard, until):
    cards, reader = setup()
    os.kill(pcscd.pid, signal.SIGSTOP)
    try:
        until(lambda: reader.health().reason == "smart_card.no_service")
        assert not reader.card_present()
    finally:
        os.kill(pcscd.pid, signal.SIGCONT)
    until(lambda: reader.health().reason == "hal.ok")
    cards.do("insert")
    assert isinstance(heard.next(), SmartCardPresent)


def test_without_pyscard_the_reason_names_the_package(heard, closing, until):
    def load():
        raise ImportError("no module named smartcard")

    reader = closing(PcscReader("smart_card", Config(), on_event=heard.on_event, on_health=heard.on_health, load=load))
    reader.start()
    until(lambda: reader.health().reason == "hal.not_installed")
    assert reader.health().args == {"package": "python3-pyscard"}


def test_contactless_is_what_pc_sc_part_3_says():
    assert is_contactless(CONTACTLESS)
    assert is_contactless(bytes.fromhex("3b8f8001804f0ca000000306030001000000006a"))
    assert not is_contactless(bytes.fromhex("3b6d000080318065495301029d8083079000"))
    assert not is_contactless(CONTACTLESS[:-1] + b"\x00")
    assert not any(is_contactless(CONTACTLESS[:size]) for size in range(len(CONTACTLESS)))


def test_the_simulator_explains_a_wrong_command(pcscd):
    with pytest.raises(ControlError, match="use one of contactless, storage, contact"):
        pcscd.cards.do("insert", kind="paper")
    with pytest.raises(ControlError, match="use one of state, insert, remove, reset"):
        pcscd.cards.do("dance")
