"""What the terminal tells the console of its paper: nothing unless it is known, and the printer that has least."""

from hal.api import Outcome, PrinterStatus
from hal.config import GpioConfig
from hal.drivers.escpos_memory import Memory
from hal.drivers.escpos_printer import Config, EscposPrinter
from hal.drivers.gpio import GpioPins
from hal.factory import Hal
from terminal.agent import paper_levels

STATUS = PrinterStatus(answered=True)


def printer(name, folder, *, roll_m, tickets, seen=("out", "ok")):
    memory = Memory(folder / f"{name}.json")
    for paper in seen:
        memory.paper_seen(paper)
    for number in range(tickets):
        memory.sending(f"{number}", 250)
        told = Outcome(f"{number}", "printed", "hal.ok", STATUS, STATUS, cut=True, paper_mm=250)
        memory.settled(told, hanging=False, unfinished=False)
    config = Config(port="/dev/none", roll_m=roll_m)
    return EscposPrinter(name, config, lambda: None, rasterise=None, on_health=lambda *_: None, state=folder / f"{name}.json")


def levels(*printers):
    return paper_levels(Hal({one.name: one for one in printers}, GpioPins(GpioConfig(), {})))


def test_paper_is_told_in_metres_and_in_sheets_once_a_roll_was_put_in(tmp_path):
    assert levels(printer("printer", tmp_path, roll_m=50, tickets=10)) == {"paper_m": 47.0, "paper_tickets": 190.0}


def test_few_sheets_are_told_one_by_one(tmp_path):
    assert levels(printer("printer", tmp_path, roll_m=5, tickets=7)) == {"paper_m": 3.0, "paper_tickets": 13.0}


def test_of_two_printers_the_one_with_less_counts(tmp_path):
    two = printer("printer", tmp_path, roll_m=50, tickets=2), printer("printer_2", tmp_path, roll_m=20, tickets=2)
    assert levels(*two)["paper_m"] == 19.0


def test_nothing_is_told_that_nobody_knows(tmp_path):
    assert levels() == {}
    assert levels(printer("printer", tmp_path, roll_m=0, tickets=5)) == {}
    assert levels(printer("printer_2", tmp_path, roll_m=50, tickets=5, seen=("ok",))) == {}
