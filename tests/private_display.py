"""A private X server for tests that open windows, on a display number that it finds free itself."""

import contextlib
import os
import subprocess
from collections.abc import Iterator


@contextlib.contextmanager
def private_display(size: str = "1280x1024") -> Iterator[str]:
    """Run Xvfb and give its DISPLAY; ended with the block. Raises RuntimeError when it does not start."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as told:
            number = told.readline().strip().decode()
            if not number:
                raise RuntimeError("Xvfb did not start; install the Debian package xvfb")
            yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=10)
