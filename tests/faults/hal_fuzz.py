"""Coverage-guided fuzzing of every parser of hal, a process a target: no exception, no hang, in step again within one frame.

Each target is fed until it has taken its bytes *and* every branch of its parsers was reached, whichever is later; what was not
reached when the time is over is told and fails. Atheris guides; coverage.py, which sees branches, judges the corpus it found.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HANG_S = 5
"""No input of a few kilobytes may take longer."""
MOST_BYTES = 8192


def fuzz(name: str, *, total_bytes: int, most_s: float) -> dict[str, Any]:
    """Fuzz one target in rounds; gives `bytes`, `runs`, `seconds`, `unreached` (places) and `failure` (text, empty if none)."""
    taken = {"bytes": 0, "runs": 0}
    started, unreached, failure = time.monotonic(), ["not judged yet"], ""
    with tempfile.TemporaryDirectory(prefix="nightwindow-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        while (taken["bytes"] < total_bytes or unreached) and not failure and time.monotonic() - started < most_s:
            wanted = max(total_bytes - taken["bytes"], total_bytes // 10)
            left_s = max(1, int(most_s - (time.monotonic() - started)))
            failure = _round(name, corpus, wanted, left_s, taken)
            if not failure:
                unreached, failure = _judge(name, corpus)
    return {"name": name, **taken, "seconds": round(time.monotonic() - started, 1), "unreached": unreached, "failure": failure}


def _round(name: str, corpus: Path, wanted: int, left_s: int, taken: dict[str, int]) -> str:
    out = corpus.parent / "round.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, __file__, "feed", name, str(corpus), str(wanted), str(left_s), str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=left_s + 60, cwd=corpus.parent, check=False)
    if not out.exists():
        return (ran.stdout + ran.stderr)[-3000:]
    for key, value in json.loads(out.read_text()).items():
        taken[key] += value
    return ""


def _judge(name: str, corpus: Path) -> tuple[list[str], str]:
    """The branches that nothing reached, and what went wrong while looking."""
    command = [sys.executable, __file__, "judge", name, str(corpus)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return ([], ran.stderr[-3000:]) if ran.returncode else (json.loads(ran.stdout), "")


def feed(name: str, corpus: str, wanted: int, left_s: int, out: str) -> None:
    """The fuzzed process: ends by itself when it has taken its bytes, or the time is over."""
    import os

    import atheris

    with atheris.instrument_imports(include=["hal.drivers", "hal.codes"]):
        from hal_targets import TARGETS
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    taken, end_s = [0, 0], time.monotonic() + left_s

    def one(data: bytes) -> None:
        target.feed(data)
        taken[0] += len(data)
        taken[1] += 1
        if taken[0] >= wanted or time.monotonic() > end_s:
            Path(out).write_text(json.dumps({"bytes": taken[0], "runs": taken[1]}))
            # libFuzzer's loop knows no other end than its own.
            os._exit(0)

    atheris.Setup([sys.argv[0], corpus, f"-timeout={HANG_S}", f"-max_len={MOST_BYTES}", "-verbosity=0", "-close_fd_mask=0"], one)
    atheris.Fuzz()


def judge(name: str, corpus: str) -> None:
    """Feed the whole corpus again under coverage.py and print the branches that nothing reached, as a JSON list."""
    import coverage

    # Modules are judged from their first line on, so they may not have been loaded before.
    sources = [f"*/{path}" for path in ("hal/drivers/*", "hal/codes.py")]
    measured = coverage.Coverage(branch=True, data_file=None, include=sources)
    measured.start()
    from hal_targets import TARGETS

    target = TARGETS[name]
    for path in sorted(Path(corpus).iterdir()):
        target.feed(path.read_bytes())
    measured.stop()
    unreached = []
    with tempfile.TemporaryDirectory() as folder:
        for module in target.modules:
            report = Path(folder) / "report.json"
            measured.json_report(morfs=[module.__file__], outfile=str(report))
            ((_, told),) = json.loads(report.read_text())["files"].items()
            beside = _lines_of(module.__file__, target.beside)
            unreached += [f"{module.__name__}:{line}" for line in told["missing_lines"] if line not in beside]
            unreached += [f"{module.__name__}:{a}->{b}" for a, b in told["missing_branches"] if a not in beside]
    print(json.dumps(unreached))


def _lines_of(path: str, functions: tuple[str, ...]) -> set[int]:
    """The lines of these functions, by qualified name."""
    lines: set[int] = set()

    def look(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                if name in functions:
                    lines.update(range(child.lineno, (child.end_lineno or child.lineno) + 1))
                look(child, f"{name}.")

    look(ast.parse(Path(path).read_text()), "")
    return lines


if __name__ == "__main__":
    verb, *given = sys.argv[1:]
    if verb == "feed":
        feed(given[0], given[1], int(given[2]), int(given[3]), given[4])
    else:
        judge(given[0], given[1])
