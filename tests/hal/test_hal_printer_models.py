"""Printers that know less than the usual: each profile on a simulated model of its kind, through the real driver."""

import queue
from functools import partial

import pytest

from hal.api import Job, ReceiptPrinter
from hal.drivers import line_any
from hal.drivers.escpos_printer import Config, EscposPrinter
from hal.drivers.escpos_talk import Timing
from hal.drivers.line_usb import UsbRoots
from hal.paper import Cut, Qr, Raster, Text

QUICK = Timing(answer_s=0.2, clear_s=1.0, proof_s=1.0, look_again_s=0.25)


def ticket(mark, lines=6):
    return (Text(f"begin {mark}"), *(Text(f"第{n}行") for n in range(lines)), Text(f"end {mark}"), Cut())


def box(line, style):
    """A font whose every line is a black bar."""
    return Raster(8 * len(line), 24, b"\xff" * (len(line) * 24))


@pytest.fixture
def setup(start_sim, heard, closing, until, tmp_path):
    """`sim, printer, print_` of a model with its profile."""

    def make(*options, **settings):
        sim = start_sim("printer", "--mm-per-s", "0", *options)
        config = Config(port=sim.port, poll_s=0.05, **settings)
        opens = partial(line_any.open_line, sim.port, 115200, UsbRoots())
        state = tmp_path / "printer.json"
        printer = EscposPrinter("printer", config, opens, rasterise=box, on_health=heard.on_health, state=state, timing=QUICK)
        closing(printer).start()
        until(lambda: printer.health().state != "unknown", "health known")

        def print_(job_id, blocks=None):
            outcomes = queue.Queue()
            printer.submit(Job(job_id, blocks or ticket(job_id), 10), outcomes.put)
            return outcomes.get(timeout=16)

        return sim, printer, print_

    return make


def items(paper):
    """What stands on all paper, oldest first."""
    return [item for one in [*paper["tickets"], paper["hanging"]] for item in one["items"]]


def test_a_clone_that_tells_its_paper_as_00_or_0f_is_believed(setup):
    sim, _, print_ = setup("--tongue", "clone")
    assert print_("a").result == "printed"
    sim.do("paper_out", after_mm=10)
    outcome = print_("b")
    assert (outcome.result, outcome.reason, outcome.partial) == ("not_printed", "printer.paper_out", True)


def test_a_model_that_tells_its_status_alone_is_never_believed_but_its_trouble_is(setup, until):
    sim, printer, print_ = setup("--tongue", "realtime", profile="realtime80")
    assert printer.health().reason == "hal.ok"
    outcome = print_("a")
    assert (outcome.result, outcome.reason) == ("unknown", "printer.no_status")
    assert outcome.after.answered
    sim.do("paper_out", after_mm=10)
    outcome = print_("b", ticket("b", 20))
    assert (outcome.result, outcome.reason) == ("unknown", "printer.paper_out")
    assert print_("c").reason == "printer.paper_out"
    sim.do("load_paper")
    until(lambda: printer.health().reason == "hal.ok")
    print_("d")
    # It confirms no clearing and goes on with what it held, but that never shares a piece of paper with the next ticket.
    (mine,) = [one for one in sim.do("paper")["tickets"] if "begin d" in str(one)]
    assert "end d" in str(mine)
    assert " b'" not in str(mine)


def test_a_sensor_whose_bits_are_inverted_is_read_the_other_way_round(setup, until):
    sim, printer, print_ = setup("--inverted", near_end="inverted")
    assert printer.health().reason == "hal.ok"
    sim.do("paper_near_end")
    until(lambda: printer.health().reason == "printer.paper_near_end")
    assert print_("a").result == "printed"


def test_without_a_sensor_no_near_end_is_ever_told(setup):
    _, printer, _ = setup("--inverted", near_end="none")
    assert printer.health().reason == "hal.ok"


def test_a_printer_without_a_cutter_is_printed_on_to_its_tear_bar(setup):
    sim, _, print_ = setup("--width", "58", "--cutter", "none", profile="tear58")
    for job_id in "ab":
        outcome = print_(job_id)
        assert (outcome.result, outcome.cut) == ("printed", False)
    paper = sim.do("paper")
    assert paper["tickets"] == []
    texts = [item.get("text") for item in items(paper)]
    assert [text for text in texts if text.startswith(("begin", "end"))] == ["begin a", "end a", "begin b", "end b"]


def test_a_cutter_that_knows_no_partial_cut_is_given_a_full_one(setup):
    sim, _, print_ = setup("--cutter", "full", profile="fullcut80")
    assert print_("a").cut
    assert [one["cut"] for one in sim.do("paper")["tickets"]] == [True]


def test_a_printer_without_a_chinese_font_gets_pictures_of_the_lines_it_lacks(setup):
    sim, _, print_ = setup("--no-hanzi", profile="western80")
    assert print_("a").result == "printed"
    kinds = ["text" if "text" in item else "raster" for item in items(sim.do("paper"))]
    assert kinds == ["text", *["raster"] * 6, "text"]


def test_at_180_dpi_lines_are_narrower_and_the_paper_is_told_in_its_own_millimetres(setup):
    sim, printer, print_ = setup("--dpi", "180", profile="dpi180")
    assert (printer.columns, printer.width_dots) == (42, 512)
    outcome = print_("a", (Text("x" * 42), Text("y"), Qr("https://example.test"), Cut()))
    (paper,) = sim.do("paper")["tickets"]
    assert [item["text"] for item in paper["items"] if "text" in item] == ["x" * 42, "y"]
    assert abs(paper["mm"] - outcome.paper_mm) <= 1


def test_the_roll_is_counted_down_as_the_paper_is_used_and_begun_anew_when_it_is_changed(setup, until):
    sim, printer, print_ = setup(roll_m=10.0, near_end_m=2.0)
    assert isinstance(printer, ReceiptPrinter)
    assert printer.roll().left_mm is None
    sim.do("paper_out")
    until(lambda: printer.health().reason == "printer.paper_out")
    assert printer.roll().left_mm == 0
    sim.do("load_paper", mm=10_000)
    until(lambda: printer.health().reason == "hal.ok")
    for number in range(3):
        print_(f"j{number}")
    assert abs(printer.roll().left_mm - sim.do("state")["paper_mm"]) <= 6
    sim.do("paper_near_end")
    until(lambda: printer.health().reason == "printer.paper_near_end")
    assert printer.roll().left_mm == 2000
    assert printer.roll().tickets_left == 2000 // round(printer.roll().printed_mm / 3)


def test_a_restarted_driver_answers_for_what_it_printed_before(setup, tmp_path):
    sim, printer, print_ = setup()
    assert print_("a").result == "printed"
    printer.close()
    again = queue.Queue()
    opens = partial(line_any.open_line, sim.port, 115200, UsbRoots())
    state = tmp_path / "printer.json"
    other = EscposPrinter("printer", Config(port=sim.port), opens, rasterise=None, on_health=lambda *_: None, state=state)
    other.start()
    other.submit(Job("a", ticket("a"), 10), again.put)
    assert again.get(timeout=10).result == "printed"
    other.close()
    assert [item.get("text") for item in items(sim.do("paper"))].count("end a") == 1
