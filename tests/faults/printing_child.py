"""A face reduced to its printer, to be killed: prints one ticket and waits. `hal_printing` starts it as a process."""

import sys
import threading
from pathlib import Path

from faults.hal_printing import open_printer, ticket

from hal.api import Job


def main() -> None:
    port, usb, state, job_id, lines = sys.argv[1:]
    printer = open_printer(port, Path(usb), Path(state))
    printer.start()
    printer.submit(Job(job_id, ticket(job_id, int(lines)), 20.0), lambda outcome: None)
    threading.Event().wait()


if __name__ == "__main__":
    main()
