"""The A4 printer against a real CUPS with CUPS' own ippeveprinter: what is told of a document is what came out of it."""

import queue
import signal
import time

import private_cups
import pytest

from hal.api import A4Printer, Document
from hal.drivers.cups_calls import Cups, CupsDown
from hal.drivers.cups_memory import Memory, Sent
from hal.drivers.cups_printer import Config, CupsPrinter
from hal.drivers.cups_words import job_seen

LACKING = private_cups.missing()
needs_cups = pytest.mark.skipif(bool(LACKING), reason=f"not installed here: {LACKING}")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
IDS = iter(f"doc-{number}" for number in range(1000))


@pytest.fixture
def cups():
    """The server with its printer well and idle."""
    server = private_cups.PrivateCups.shared()
    # Other modules print on the same one: guided tests, the contract.
    for path in (server.folder / "printed").iterdir():
        path.unlink()
    yield server
    server.calm()


@pytest.fixture
def open_a4(cups, heard, closing, until, tmp_path):
    """A driver, started and heard from; all of a test share one file."""

    def make(**settings):
        config = Config(**{"queue": private_cups.QUEUE, "server": cups.server, "poll_s": 0.1, "answer_s": 1.0, **settings})
        printer = closing(CupsPrinter("a4_printer", config, on_health=heard.on_health, state=tmp_path / "a4.json"))
        printer.start()
        until(lambda: printer.health().state != "unknown", "health known")
        return printer

    return make


def submit(printer, document_id, *, pdf=PDF, deadline_s=20.0, **more):
    outcomes = queue.Queue()
    printer.submit(Document(document_id, pdf, deadline_s=deadline_s, **more), outcomes.put)
    return lambda: outcomes.get(timeout=deadline_s + 6)


@needs_cups
def test_a_document_is_printed_as_it_is_and_never_twice_also_after_a_restart(cups, open_a4):
    one, printer = next(IDS), open_a4()
    assert isinstance(printer, A4Printer)
    assert printer.state_of(one) == "unknown"
    pdf = PDF + bytes(range(256)) * 600
    outcome = submit(printer, one, pdf=pdf)()
    assert (outcome.result, outcome.reason) == ("printed", "hal.ok")
    assert printer.state_of(one) == "over"
    assert submit(printer, one)().result == "printed"
    printer.close()
    assert submit(open_a4(), one)().result == "printed"
    assert cups.printed() == [pdf]


@needs_cups
def test_paper_that_ends_is_told_and_the_document_comes_out_when_there_is_some_again(cups, open_a4, until):
    printer = open_a4()
    cups.says("+media-empty-error")
    cups.hold()
    outcome = submit(printer, next(IDS))
    until(lambda: printer.health().reason == "a4.paper_out")
    cups.says("-media-empty-error")
    cups.hold(False)
    assert outcome().result == "printed"
    until(lambda: printer.health().reason == "hal.ok")
    assert len(cups.printed()) == 1


@needs_cups
def test_what_the_printer_says_of_itself_is_known_without_a_job_of_ours(cups, open_a4, until):
    printer = open_a4()
    cups.says("+media-empty-error")
    cups.print_past_cups()
    # Idle it only reports: one of its trays is empty, and it would print.
    until(lambda: printer.health().reason == "a4.paper_low")
    assert printer.health().state == "degraded"
    cups.calm()
    until(lambda: printer.health().reason == "hal.ok")


@needs_cups
def test_a_jam_until_the_deadline_is_unknown_and_nothing_comes_out_afterwards(cups, open_a4, until):
    printer = open_a4()
    cups.says("+media-jam-error")
    cups.hold()
    outcome = submit(printer, next(IDS), deadline_s=2.0)()
    assert (outcome.result, outcome.reason) == ("unknown", "a4.jam")
    cups.calm()
    assert submit(printer, next(IDS))().result == "printed"
    assert len(cups.printed()) == 1


@needs_cups
def test_a_document_is_cancelled_while_it_waits_and_while_it_prints(cups, open_a4, until):
    printer = open_a4()
    first, second = next(IDS), next(IDS)
    cups.hold()
    printing = submit(printer, first)
    until(lambda: printer.state_of(first) == "printing")
    waiting = submit(printer, second)
    assert printer.state_of(second) == "waiting"
    printer.cancel(second)
    printer.cancel(first)
    assert printing().reason == "job.cancelled"
    cancelled = waiting()
    assert (cancelled.result, cancelled.reason) == ("not_printed", "job.cancelled")
    printer.cancel("never heard of")


@needs_cups
def test_what_a_killed_run_left_in_the_queue_is_taken_out(cups, open_a4, until, tmp_path):
    one = next(IDS)
    left = Cups(cups.server, private_cups.QUEUE, deadline_s=2)
    cups.run("cupsdisable", private_cups.QUEUE)
    # What a run does that is killed right after it gave CUPS the document.
    number, uuid = left.create("nightwindow", {})
    Memory(tmp_path / "a4.json").sending(Sent(one, number, uuid))
    left.send(number, PDF)
    printer = open_a4()
    assert job_seen(left.job(number)).is_over
    assert printer.health().reason == "a4.paused"
    assert submit(printer, one)().reason == "a4.paused"
    cups.run("cupsenable", private_cups.QUEUE)
    until(lambda: printer.health().reason == "hal.ok")
    # It had never begun, so it may be printed now.
    assert submit(printer, one)().result == "printed"
    assert len(cups.printed()) == 1


@needs_cups
def test_a_strangers_job_under_a_number_given_again_is_left_alone(cups, open_a4, tmp_path):
    cups.run("cupsdisable", private_cups.QUEUE)
    other = Cups(cups.server, private_cups.QUEUE, deadline_s=2)
    number, _ = other.create("somebody else", {})
    other.send(number, PDF)
    Memory(tmp_path / "a4.json").sending(Sent(next(IDS), number, "urn:uuid:of-another-job"))
    printer = open_a4()
    assert printer.health().reason == "a4.paused"
    assert not job_seen(other.job(number)).is_over
    other.cancel(number)
    cups.run("cupsenable", private_cups.QUEUE)


@needs_cups
def test_what_had_begun_when_a_run_was_killed_is_unknown_and_not_printed_again(cups, open_a4, until, tmp_path):
    one = next(IDS)
    left = Cups(cups.server, private_cups.QUEUE, deadline_s=2)
    cups.hold()
    number, uuid = left.create("nightwindow", {})
    Memory(tmp_path / "a4.json").sending(Sent(one, number, uuid))
    left.send(number, PDF)
    until(lambda: job_seen(left.job(number)).began)
    printer = open_a4()
    cups.hold(False)
    told = submit(printer, one)()
    assert (told.result, told.reason) == ("unknown", "job.stopped")


@needs_cups
def test_a_print_server_that_dies_in_the_middle_leaves_the_outcome_unknown_and_is_found_again(cups, open_a4, until):
    printer, one = open_a4(), next(IDS)
    cups.hold()
    outcome = submit(printer, one)
    until(lambda: printer.state_of(one) == "printing")
    cups.signal("cupsd", signal.SIGKILL)
    told = outcome()
    assert (told.result, told.reason) == ("unknown", "a4.no_cups")
    assert printer.health().args == {"server": cups.server}
    cups.start_cups()
    until(lambda: printer.health().reason == "hal.ok")
    cups.hold(False)
    assert submit(printer, one)().result == "unknown"
    assert submit(printer, next(IDS))().result == "printed"


@needs_cups
def test_a_print_server_that_hangs_blocks_nobody(cups, open_a4, until):
    printer = open_a4()
    cups.signal("cupsd", signal.SIGSTOP)
    try:
        until(lambda: printer.health().reason == "a4.no_cups")
        start_s = time.monotonic()
        outcome = submit(printer, next(IDS), deadline_s=5.0)
        assert time.monotonic() - start_s < 0.2
        assert outcome().result == "not_printed"
        assert time.monotonic() - start_s < 10
        start_s = time.monotonic()
        other = CupsPrinter("other", Config(queue="A4", server=cups.server, answer_s=10), on_health=lambda *_: None)
        other.start()
        other.close()
        assert time.monotonic() - start_s < 2.5
    finally:
        cups.signal("cupsd", signal.SIGCONT)
    until(lambda: printer.health().reason == "hal.ok")


@needs_cups
def test_a_printer_that_is_switched_off_is_told(cups, open_a4, until):
    printer = open_a4()
    cups.signal("ippeveprinter", signal.SIGKILL)
    until(lambda: printer.health().reason == "a4.offline")
    assert submit(printer, next(IDS))().reason == "a4.offline"
    cups.start_printer()
    until(lambda: printer.health().reason == "hal.ok")


@needs_cups
def test_a_queue_that_does_not_exist_is_told_by_its_name(open_a4):
    health = open_a4(queue="B5").health()
    assert (health.reason, health.args) == ("a4.no_queue", {"queue": "B5"})


@needs_cups
def test_a_queue_that_only_hands_bytes_over_confirms_nothing(open_a4):
    outcome = submit(open_a4(confirms="no"), next(IDS))()
    assert (outcome.result, outcome.reason) == ("unknown", "job.unconfirmed")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (Document("a b", PDF), "use 1 to 64 of A-Z a-z 0-9"),
        (Document("", PDF), "use 1 to 64"),
        (Document("a", b"GIF89a"), "begins with %PDF-"),
        (Document("a", b"%PDF-" + bytes(20_000_000)), "use up to 20000000"),
        (Document("a", PDF, copies=10), "use 1 to 9"),
    ],
)
def test_a_document_that_cannot_be_printed_is_refused_with_the_limit(document, says, closing, tmp_path):
    printer = closing(CupsPrinter("a4_printer", Config(queue="A4", server=str(tmp_path / "no")), on_health=lambda *_: None))
    printer.start()
    outcomes = queue.Queue()
    printer.submit(document, outcomes.put)
    outcome = outcomes.get(timeout=6)
    assert (outcome.result, outcome.reason) == ("not_printed", "job.invalid")
    assert says in outcome.detail


def test_without_the_library_health_names_the_package():
    def connect(server):
        raise ModuleNotFoundError("No module named 'cups'")

    with pytest.raises(CupsDown) as down:
        Cups("", "A4", deadline_s=1, connect=connect).printer()
    assert (down.value.reason, down.value.reason_args) == ("hal.not_installed", {"package": "python3-cups"})
