"""The receipt printer's outcome agrees with what is really on the simulator's paper, whatever happens to it."""

import base64
import io
import queue
import random

import pytest
import zxingcpp
from PIL import Image

from hal.api import Job
from hal.drivers.escpos_printer import Config, EscposPrinter
from hal.drivers.escpos_talk import Timing
from hal.drivers.line import Line
from hal.paper import Cut, Feed, Qr, Rule, Text

LONG = 20.0
QUICK = Timing(answer_s=0.15, clear_s=1.0, proof_s=1.5, look_again_s=0.25)


def ticket(mark, lines=12):
    """A ticket whose last line before the cut proves that it is complete."""
    return (Text(f"begin {mark}", bold=True), *(Text(f"第{n}行") for n in range(lines)), Text(f"end {mark}"), Cut())


def texts(paper):
    return [[item.get("text", "") for item in one["items"]] for one in [*paper["tickets"], paper["hanging"]]]


def complete(paper, mark):
    """How many complete tickets with this mark are on the paper, cut or hanging."""
    return sum(f"begin {mark}" in lines and f"end {mark}" in lines for lines in texts(paper))


@pytest.fixture
def setup(start_sim, heard, closing, until):
    """A printer on its simulator: `sim, printer, print_(job_id, blocks)`; speed 0 prints at once."""

    def make(*options, profile="generic80", poll_s=0.1):
        sim = start_sim("printer", *(options or ("--mm-per-s", "0")))
        config = Config(poll_s=poll_s, profile=profile)
        printer = closing(
            EscposPrinter(
                "printer", config, lambda: Line(sim.port, 115200), rasterise=None, on_health=heard.on_health, timing=QUICK
            )
        )
        printer.start()
        until(lambda: printer.health().state != "unknown", "health known")

        def print_(job_id, blocks=None, deadline_s=LONG):
            outcomes = queue.Queue()
            printer.submit(Job(job_id, blocks or ticket(job_id), deadline_s), outcomes.put)
            return outcomes.get(timeout=deadline_s + 6)

        return sim, printer, print_

    return make


def test_a_printed_ticket_is_on_the_paper_as_written(setup):
    sim, _, print_ = setup()
    outcome = print_("a")
    assert (outcome.result, outcome.reason, outcome.cut) == ("printed", "hal.ok", True)
    assert outcome.before.raw == "12121212"
    paper = sim.do("paper")
    assert texts(paper)[0] == ["begin a", *(f"第{n}行" for n in range(12)), "end a"]
    assert abs(paper["tickets"][0]["mm"] - outcome.paper_mm) <= 1


def test_the_same_job_id_never_prints_twice(setup):
    sim, _, print_ = setup()
    assert [print_("a").result for _ in range(3)] == ["printed"] * 3
    assert complete(sim.do("paper"), "a") == 1


def test_a_job_that_was_not_printed_can_be_tried_again(setup, until):
    sim, printer, print_ = setup()
    sim.do("cover", open=True)
    assert print_("a").reason == "printer.cover_open"
    sim.do("cover", open=False)
    until(lambda: printer.health().state == "ok")
    assert print_("a").result == "printed"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"do": "paper_out"}, "printer.paper_out"),
        ({"do": "cover", "open": True}, "printer.cover_open"),
        ({"do": "head_hot"}, "printer.head_hot"),
        ({"do": "silence"}, "printer.silent"),
    ],
)
def test_a_printer_that_can_not_print_says_why_and_nothing_comes_out(setup, until, command, reason):
    sim, printer, print_ = setup()
    sim.do(**{"what" if key == "do" else key: value for key, value in command.items()})
    outcome = print_("a")
    assert (outcome.result, outcome.reason, outcome.partial) == ("not_printed", reason, False)
    until(lambda: printer.health().reason == reason)
    assert texts(sim.do("paper")) == [[]]


def test_silence_is_never_taken_for_printed(setup):
    sim, _, print_ = setup("--mm-per-s", "400")
    sim.do("silence", after_mm=15)
    outcome = print_("a")
    assert (outcome.result, outcome.reason) == ("unknown", "printer.silent")
    assert not outcome.after.answered
    assert complete(sim.do("paper"), "a") == 0


def test_a_printer_whose_answers_are_cut_off_while_it_prints_leaves_the_outcome_unknown(setup):
    sim, _, print_ = setup("--mm-per-s", "400")
    sim.do("silence", after_mm=15, prints=True)
    assert print_("a").result == "unknown"


def test_paper_that_ends_in_the_middle_is_not_printed_and_the_rest_never_comes_out(setup, until):
    sim, printer, print_ = setup()
    sim.do("paper_out", after_mm=20)
    outcome = print_("a")
    assert (outcome.result, outcome.reason, outcome.partial) == ("not_printed", "printer.paper_out", True)
    sim.do("load_paper")
    until(lambda: printer.health().state == "ok")
    assert "end a" not in str(texts(sim.do("paper")))


def test_a_half_ticket_does_not_become_part_of_the_next_visitors(setup, until):
    sim, printer, print_ = setup()
    sim.do("paper_out", after_mm=20)
    print_("a")
    sim.do("load_paper")
    until(lambda: printer.health().state == "ok")
    assert print_("b").result == "printed"
    last = texts(sim.do("paper"))[-2]
    assert last[0] == "begin b"
    assert "begin a" not in last


def test_a_jammed_cutter_means_printed_but_to_be_torn_off_and_recovers(setup, until):
    sim, printer, print_ = setup()
    sim.do("cutter_jam")
    outcome = print_("a")
    assert (outcome.result, outcome.reason, outcome.cut) == ("printed", "printer.cutter_jam", False)
    assert complete(sim.do("paper"), "a") == 1
    until(lambda: printer.health().reason == "printer.cutter_jam")
    sim.do("cutter_jam", on=False)
    until(lambda: printer.health().state == "ok")


def test_near_end_is_told_while_printing_goes_on(setup, until):
    sim, printer, print_ = setup()
    sim.do("paper_near_end")
    until(lambda: printer.health().reason == "printer.paper_near_end")
    assert printer.health().state == "degraded"
    assert print_("a").result == "printed"


def test_a_hot_head_is_waited_for(setup, until):
    sim, printer, _ = setup("--mm-per-s", "100")
    outcomes = queue.Queue()
    printer.submit(Job("a", ticket("a", lines=15), LONG), outcomes.put)
    until(lambda: sim.do("paper")["hanging"]["items"], "printing has begun")
    sim.do("head_hot")
    until(lambda: sim.do("state")["head_hot"])
    sim.do("head_hot", on=False)
    assert outcomes.get(timeout=LONG).result == "printed"


def test_a_deadline_that_passes_never_claims_paper_that_is_not_there(setup):
    sim, _, print_ = setup("--mm-per-s", "20")
    outcome = print_("a", ticket("a", lines=60), deadline_s=0.5)
    assert outcome.result in ("unknown", "not_printed")
    assert complete(sim.do("paper"), "a") == 0


def test_unplugged_in_the_middle_is_unknown_and_replugged_prints_again(setup, until):
    sim, printer, print_ = setup("--mm-per-s", "200")
    outcomes = queue.Queue()
    printer.submit(Job("a", ticket("a", lines=80), LONG), outcomes.put)
    until(lambda: sim.do("paper")["hanging"]["items"], "printing has begun")
    sim.do("unplug")
    assert outcomes.get(timeout=5).result == "unknown"
    until(lambda: printer.health().reason == "port.missing")
    assert print_("b").reason == "port.missing"
    sim.do("plug")
    until(lambda: printer.health().state in ("ok", "degraded"))
    assert print_("b").result == "printed"


def test_a_simulator_that_dies_and_comes_back_is_found_again(setup, start_sim, until):
    sim, printer, print_ = setup()
    sim.process.kill()
    sim.process.wait()
    until(lambda: printer.health().state == "down")
    start_sim("printer", "--mm-per-s", "0")
    until(lambda: printer.health().state == "ok")
    assert print_("a").result == "printed"


def test_jobs_wait_their_turn_and_too_many_are_refused(setup):
    sim, printer, _ = setup("--mm-per-s", "200")
    outcomes = queue.Queue()
    for number in range(14):
        printer.submit(Job(f"j{number}", ticket(f"j{number}", 2), LONG), outcomes.put)
    told = [outcomes.get(timeout=LONG) for _ in range(14)]
    refused = [outcome.job_id for outcome in told if outcome.reason == "job.queue_full"]
    done = [outcome.job_id for outcome in told if outcome.result == "printed"]
    assert len(refused) + len(done) == 14
    assert refused
    paper = sim.do("paper")
    assert [complete(paper, f"j{number}") for number in range(14)] == [int(f"j{number}" in done) for number in range(14)]


def test_an_impossible_job_is_refused_with_its_reason(setup):
    _, _, print_ = setup()
    outcome = print_("a", (Text("x", size=9),))
    assert (outcome.result, outcome.reason) == ("not_printed", "job.invalid")
    assert "size is 9; use 1 to 4" in outcome.detail
    assert print_("b", (Text("한국어"),)).reason == "job.no_font"


def test_a_listener_that_fails_does_not_stop_the_printer(setup):
    sim, printer, print_ = setup()

    def fails(outcome):
        raise RuntimeError("listener")

    printer.submit(Job("a", ticket("a"), LONG), fails)
    assert print_("b").result == "printed"
    assert complete(sim.do("paper"), "a") == 1


def test_a_model_without_status_is_degraded_and_never_claims_printed(setup):
    _, printer, print_ = setup("--mm-per-s", "0", profile="silent80")
    assert printer.health().reason == "printer.no_status"
    outcome = print_("a")
    assert (outcome.result, outcome.reason) == ("unknown", "printer.no_status")


@pytest.mark.parametrize(
    ("model", "noise"),
    [
        ((), "00" * 12),
        (
            (
                "--tongue",
                "plain",
            ),
            "0000",
        ),
    ],
    ids=["named", "plain"],
)
def test_stray_bytes_from_the_printer_do_not_fake_an_outcome(setup, until, model, noise):
    sim, printer, _ = setup("--mm-per-s", "60", *model)
    outcomes = queue.Queue()
    printer.submit(Job("a", ticket("a", lines=30), LONG), outcomes.put)
    until(lambda: sim.do("paper")["hanging"]["items"], "printing has begun")
    sim.do("noise", bytes=noise)
    sim.do("paper_out", after_mm=5)
    outcome = outcomes.get(timeout=LONG)
    assert outcome.result != "printed"
    assert complete(sim.do("paper"), "a") == 0


@pytest.mark.parametrize(
    "model",
    [
        (),
        (
            "--tongue",
            "plain",
        ),
    ],
    ids=["named", "plain"],
)
def test_jobs_under_random_faults_agree_with_the_paper(setup, until, model):
    sim, printer, print_ = setup("--mm-per-s", "0", *model, poll_s=0.05)
    choose = random.Random(20)
    seen = {"printed": 0, "not_printed": 0, "unknown": 0}
    for number, fault in enumerate(("none", "out", "jam", "silent", "cover", "none", "out", "silent", "hot", "jam")):
        lines = choose.randint(1, 15)
        if fault == "out":
            sim.do("paper_out", after_mm=choose.randint(0, 60))
        elif fault == "cover":
            sim.do("cover", open=True)
        elif fault == "jam":
            sim.do("cutter_jam")
        elif fault == "silent":
            sim.do("silence", after_mm=choose.randint(0, 40), prints=choose.random() < 0.5)
        elif fault == "hot":
            sim.do("head_hot")
        outcome = print_(f"n{number}", ticket(f"n{number}", lines))
        seen[outcome.result] += 1
        # Whatever was promised must still hold after everything has been put right, so look only then.
        sim.do("load_paper")
        sim.do("cover", open=False)
        sim.do("cutter_jam", on=False)
        sim.do("silence", on=False)
        sim.do("head_hot", on=False)
        until(lambda: printer.health().state == "ok", f"recovery after {fault}")
        really = complete(sim.do("paper", last=5), f"n{number}")
        if outcome.result == "printed":
            assert really == 1, (fault, outcome)
        elif outcome.result == "not_printed":
            assert really == 0, (fault, outcome)
        else:
            assert fault == "silent", (fault, outcome)
    assert seen["printed"] > 1
    assert seen["not_printed"] > 1
    assert seen["unknown"] > 0


def test_the_picture_of_the_paper_shows_a_qr_code_that_a_reader_reads(setup):
    sim, _, print_ = setup()
    print_("a", (Text("一次性告知单", size=2, align="centre"), Rule(), Qr("https://example.test/g/1"), Feed(1), Cut()))
    picture = Image.open(io.BytesIO(base64.b64decode(sim.do("paper")["png"])))
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["https://example.test/g/1"]


def test_a_model_that_tells_no_name_is_printed_on_and_believed_too(setup):
    sim, _, print_ = setup("--mm-per-s", "0", "--tongue", "plain")
    assert print_("a").result == "printed"
    assert complete(sim.do("paper"), "a") == 1


def test_a_faked_status_in_the_middle_of_a_job_does_not_end_it(setup, until):
    sim, printer, _ = setup("--mm-per-s", "200")
    outcomes = queue.Queue()
    printer.submit(Job("a", ticket("a", lines=30), LONG), outcomes.put)
    until(lambda: sim.do("paper")["hanging"]["items"], "printing has begun")
    sim.do("noise", bytes="38000000")
    assert outcomes.get(timeout=LONG).result == "printed"
    assert complete(sim.do("paper"), "a") == 1


def test_taken_paper_is_counted_once(setup):
    sim, _, print_ = setup()
    print_("a")
    assert sim.do("take_paper")["taken"] == 1
    assert sim.do("take_paper")["taken"] == 0
