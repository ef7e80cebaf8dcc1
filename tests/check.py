"""`./run check`: every static check, one after the other, each with its own verdict; the last line sums up."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str]] = {
    "ruff": [str(BIN / "ruff"), "check", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "mypy": [str(BIN / "mypy")],
    "imports": [str(BIN / "lint-imports")],
    "translations": [sys.executable, "-m", "ui.locale_check"],
    "documentation": [sys.executable, "-m", "pytest", "-q", "tests/docs", "tests/wire/test_wire_published.py"],
}


def run(name: str) -> tuple[str, bool, float, str]:
    """One check: its name, whether it passed, seconds, and what it printed."""
    started = time.monotonic()
    done = subprocess.run(CHECKS[name], cwd=ROOT, capture_output=True, text=True)
    return name, done.returncode == 0, time.monotonic() - started, done.stdout + done.stderr


def main(names: list[str]) -> int:
    """Run the named checks, or all. Exit status 0 only if every one passed."""
    if {"-h", "--help"} & set(names):
        print(f"Usage: ./run check [NAME]…\n\n  Run all static checks, or those named: {', '.join(CHECKS)}.")
        return 0
    if unknown := [name for name in names if name not in CHECKS]:
        print(f"check: no check named {', '.join(unknown)}; there are {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    failed: list[str] = []
    started = time.monotonic()
    chosen = names or list(CHECKS)
    with ThreadPoolExecutor(2) as pool:
        for name, passed, seconds, printed in pool.map(run, chosen):
            print(f"{'ok    ' if passed else 'FAILED'} {name:14} {seconds:5.1f} s", flush=True)
            if not passed:
                failed.append(name)
                print(printed.rstrip() + "\n")
    print(
        f"check: {len(chosen) - len(failed)} of {len(chosen)} passed in {time.monotonic() - started:.0f} s"
        + (f"; failed: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
