"""The receipt printer over its three kinds of port: the same outcomes, unplugging, and what only USB or a network can do wrong."""

import contextlib
import queue
import socket
import time
from functools import partial

import pytest

from hal.api import Job
from hal.config import ConfigError
from hal.drivers import line_any, line_usb
from hal.drivers.escpos_printer import Config, EscposPrinter
from hal.drivers.escpos_talk import Timing
from hal.drivers.line import LineDown
from hal.drivers.line_tcp import TcpLine
from hal.drivers.line_usb import UsbLine, UsbRoots
from hal.paper import Cut, Raster, Text

QUICK = Timing(answer_s=0.2, clear_s=1.0, proof_s=1.0, look_again_s=0.25)
LINKS = {"serial": (), "usb": ("--link", "usb:0483:5743:A1@{folder}"), "tcp": ("--link", "tcp:127.0.0.1:0")}


def ticket(mark, lines=8):
    return (Text(f"begin {mark}"), *(Text(f"第{n}行") for n in range(lines)), Text(f"end {mark}"), Cut())


def whole(paper, mark):
    lines = [[item.get("text", "") for item in one["items"]] for one in [*paper["tickets"], paper["hanging"]]]
    return sum(f"begin {mark}" in one and f"end {mark}" in one for one in lines)


@pytest.fixture
def setup(start_sim, heard, closing, until):
    """`sim, printer, print_` over a kind of port."""

    def make(kind, *options, state=None, timing=QUICK):
        sim = start_sim("printer", *LINKS[kind], "--mm-per-s", "0", *options)
        port = sim.do("port")["port"]
        opens = partial(line_any.open_line, port, 115200, UsbRoots(sim.folder / "sys", sim.folder / "dev"))
        config = Config(port=port, poll_s=0.05)
        printer = EscposPrinter("printer", config, opens, rasterise=None, on_health=heard.on_health, state=state, timing=timing)
        closing(printer).start()
        until(lambda: printer.health().state != "unknown", "health known")

        def print_(job_id, blocks=None, deadline_s=12.0):
            outcomes = queue.Queue()
            printer.submit(Job(job_id, blocks or ticket(job_id), deadline_s), outcomes.put)
            return outcomes.get(timeout=deadline_s + 6)

        return sim, printer, print_

    return make


@pytest.mark.parametrize("kind", LINKS)
def test_a_ticket_is_printed_and_a_roll_that_ends_is_told(setup, until, kind):
    sim, printer, print_ = setup(kind)
    assert print_("a").result == "printed"
    sim.do("paper_out", after_mm=10)
    outcome = print_("b")
    assert (outcome.result, outcome.reason, outcome.partial) == ("not_printed", "printer.paper_out", True)
    sim.do("load_paper")
    until(lambda: printer.health().state == "ok")
    assert print_("b").result == "printed"
    assert [whole(sim.do("paper"), mark) for mark in "ab"] == [1, 1]


@pytest.mark.parametrize("kind", LINKS)
def test_unplugged_in_the_middle_it_is_unknown_and_found_again(setup, until, kind):
    sim, printer, print_ = setup(kind)
    sim.do("speed", mm_per_s=400)
    sim.do("after_mm", mm=10, then={"do": "unplug"})
    assert print_("a", ticket("a", 40)).result == "unknown"
    until(lambda: printer.health().reason == ("port.refused" if kind == "tcp" else "port.missing"))
    assert printer.health().args == {"port": printer._config.port}
    assert print_("b").result == "not_printed"
    sim.do("plug")
    until(lambda: printer.health().state == "ok")
    sim.do("speed", mm_per_s=0)
    assert print_("b").result == "printed"
    paper = sim.do("paper")
    assert whole(paper, "b") == 1
    assert not any("begin a" in str(one) and "begin b" in str(one) for one in paper["tickets"])


@pytest.mark.parametrize("kind", LINKS)
def test_a_device_that_splits_and_delays_its_answers_is_understood(setup, kind):
    sim, _, print_ = setup(kind)
    sim.do("split", bytes=1)
    sim.do("delay", ms=20)
    assert print_("a").result == "printed"


@pytest.mark.parametrize("kind", ["serial", "usb"])
def test_a_port_held_by_another_program_is_busy(setup, kind, until):
    sim, printer, _ = setup(kind)
    roots = UsbRoots(sim.folder / "sys", sim.folder / "dev")
    with pytest.raises(LineDown) as refused:
        line_any.open_line(printer._config.port, 115200, roots)
    assert refused.value.reason == "port.busy"


def test_a_network_printer_that_forgot_the_connection_is_dialled_again(setup, until):
    sim, printer, print_ = setup("tcp")
    sim.do("forget")
    until(lambda: printer.health().reason == "printer.silent")
    until(lambda: printer.health().state == "ok", "dialled again")
    assert print_("a").result == "printed"


def test_an_address_where_nothing_listens_is_refused_and_one_where_nobody_is_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    with pytest.raises(LineDown) as refused:
        TcpLine(f"tcp:127.0.0.1:{number}")
    assert (refused.value.reason, refused.value.reason_args) == ("port.refused", {"port": f"tcp:127.0.0.1:{number}"})
    # A listener whose queue is full leaves calls unanswered, as an address does at which nobody is.
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        start_s = time.monotonic()
        with pytest.raises(LineDown) as nobody:
            TcpLine(f"tcp:127.0.0.1:{deaf.getsockname()[1]}")
        assert nobody.value.reason == "port.unreachable"
        assert time.monotonic() - start_s < 3


def test_what_a_stopped_printer_has_not_taken_is_called_back_by_dialling_anew():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line = TcpLine(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        first, _ = listener.accept()
        with pytest.raises(TimeoutError):
            line.write(bytes(4_000_000), 0.3)
        line.drop_unsent()
        second, _ = listener.accept()
        line.write(b"next", 1.0)
        assert second.recv(10) == b"next"
        # What the printer had taken is still read; behind it stands the reset, and none of the rest.
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := first.recv(65536):
                received += len(part)
        assert received < 4_000_000
        line.close()
        first.close()
        second.close()


def test_a_printer_is_named_by_what_it_is_and_two_alike_need_their_serial_numbers(tmp_path):
    roots = UsbRoots(tmp_path / "sys", tmp_path / "dev")
    for number, serial in enumerate(("A1", "B2", "")):
        device = tmp_path / f"sys/devices/usb1/1-{number}"
        interface = device / f"1-{number}:1.0"
        interface.mkdir(parents=True)
        for name, text in (("idVendor", "0483"), ("idProduct", "5743" if serial else "0011"), ("serial", serial)):
            (device / name).write_text(text + "\n")
        entry = tmp_path / f"sys/class/usbmisc/lp{number}"
        entry.mkdir(parents=True)
        (entry / "device").symlink_to(interface)
    assert [one.port for one in line_usb.present(roots)] == ["usb:0483:5743:A1", "usb:0483:5743:B2", "usb:0483:0011"]
    assert line_usb.find("usb:0483:5743:B2", roots).name == "lp1"
    assert line_usb.find("usb:0483:0011", roots).name == "lp2"
    for port, reason in (("usb:0483:5743:B", "port.missing"), ("usb:0483:5743", "port.failed"), ("usb:ffff:0000", "port.missing")):
        with pytest.raises(LineDown) as refused:
            line_usb.find(port, roots)
        assert refused.value.reason == reason, port


def test_a_usb_printer_that_is_not_there_is_told_as_missing(tmp_path):
    with pytest.raises(LineDown) as refused:
        UsbLine("usb:0483:5743", UsbRoots(tmp_path, tmp_path))
    assert refused.value.reason == "port.missing"


@pytest.mark.parametrize(
    ("port", "says"),
    [
        ("usb:483:5743", "write usb:VID:PID or usb:VID:PID:SERIAL"),
        ("usb:0483", "write usb:VID:PID or usb:VID:PID:SERIAL"),
        ("tcp:printer.local:9100", "with its IP address, not a name"),
        ("tcp:192.0.2.300:9100", "with its IP address"),
        ("tcp:192.0.2.3", "write tcp:ADDRESS:9100"),
        ("tcp:192.0.2.3:99999", "write tcp:ADDRESS:9100"),
    ],
)
def test_a_port_that_is_written_wrongly_is_a_mistake_of_the_configuration(make_config, port, says):
    with pytest.raises(ConfigError, match=r"hal\.printer\.port is ") as refused:
        make_config({"printer": {"driver": "escpos", "port": port}})
    assert says in str(refused.value)


def test_ports_on_usb_and_network_are_taken_as_written(make_config):
    for port in ("usb:0483:5743", "usb:04b8:0E28:X5A2-001", "tcp:192.0.2.3:9100", "tcp:[fe80::1]:9100"):
        config = make_config({"printer": {"driver": "escpos", "port": port}})
        assert config.sections[0].port == port


@pytest.mark.parametrize("tongue", ["plain", "clone"])
def test_a_picture_cut_off_by_a_pulled_cable_does_not_swallow_the_next_ticket(setup, until, tongue):
    sim, printer, print_ = setup("usb", "--tongue", tongue)
    sim.do("speed", mm_per_s=100)
    sim.do("after_mm", mm=5, then={"do": "unplug"})
    picture = Raster(576, 2000, bytes(72 * 2000))
    assert print_("a", (Text("begin a"), picture, Text("end a"), Cut())).result == "unknown"
    sim.do("plug")
    sim.do("speed", mm_per_s=0)
    until(lambda: printer.health().state == "ok")
    assert print_("b").result == "printed"
    assert whole(sim.do("paper"), "b") == 1
