"""A process with nothing but hal in it, for `bench_hal`: prints its memory before hal was loaded and with all peripherals well.

`hal_alone.py TABLE` (the table `hal` as JSON) prints `[MB before, MB after, threads of hal]`.
"""

import json
import sys
import time

import psutil


def main() -> None:
    """Open what the table names, wait until every part is well, print."""
    table = json.loads(sys.argv[1])
    before = pss_mb()
    # Loaded here, because what they take is what is measured.
    from hal.config import from_table
    from hal.factory import open_hal

    hal = open_hal(from_table(table), on_event=lambda name, event: None, on_health=lambda name, health: None)
    hal.start()
    try:
        end_s = time.monotonic() + 20
        while any(one.state in ("unknown", "down") for one in hal.health().values()):
            if time.monotonic() > end_s:
                sys.exit(f"not all are well: {hal.health()}")
            time.sleep(0.05)
        print(json.dumps([before, pss_mb(), psutil.Process().num_threads() - 1]))
    finally:
        hal.close()


def pss_mb() -> float:
    """This process's share of memory in MB."""
    return float(psutil.Process().memory_full_info().pss) / 2**20


if __name__ == "__main__":
    main()
