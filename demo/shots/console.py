"""`python -m demo.shots.console DIR`: every page of the console as PNG, Chinese and English, desktop and phone width.

Needs Chromium (Debian's) and playwright. The pages show the invented hall of demo.seed.
"""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}
PAGES = (
    "/",
    "/incidents",
    "/incidents/1",
    "/halls",
    "/devices",
    "/devices/{terminal}",
    "/pairing",
    "/ratings",
    "/working-days",
    "/items",
    "/users",
    "/audit",
)
SUPERVISED = ("/ratings", "/work-orders", "/work-orders/1", "/work-orders/2", "/revisits", "/revisits/1")
HANDLED = ("/work-orders", "/work-orders/3")
READY_S = 60


@contextmanager
def demo_server(data: Path) -> Iterator[tuple[str, str]]:
    """A console over a seeded directory in a process of its own; gives its address and everybody's password.

    Raises RuntimeError when it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "demo.seed", str(data), str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        password = process.stdout.readline().strip()
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + READY_S
        while True:
            try:
                urllib.request.urlopen(address + "/healthz", timeout=2)
                break
            except OSError as error:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the console did not start; its own words are above") from error
                time.sleep(0.2)
        yield address, password
    finally:
        process.terminate()
        process.wait(timeout=15)


def open_browser(playwright) -> Browser:  # type: ignore[no-untyped-def]
    """Debian's Chromium without a window."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


def log_in(page: Page, address: str, name: str, password: str) -> None:
    """Log in and wait for the overview."""
    page.goto(address + "/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_selector("main h1")


def shoot(address: str, password: str, folder: Path) -> list[Path]:
    """All pictures; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with sync_playwright() as playwright:
        browser = open_browser(playwright)
        for size, (width, height) in SIZES.items():
            for language in ("zh", "en"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, locale="zh-CN" if language == "zh" else "en-GB"
                )
                page = context.new_page()
                page.goto(address + "/login")
                page.goto(f"{address}/language/{language}")
                page.screenshot(path=folder / f"console-login-{language}-{size}.png")
                made.append(folder / f"console-login-{language}-{size}.png")
                for who, paths in (("admin", PAGES), ("zhao", SUPERVISED), ("li", HANDLED)):
                    log_in(page, address, who, password)
                    page.goto(address + "/devices?q=1%E5%8F%B7%E6%9C%BA")
                    terminal = page.locator("table.list a").first.get_attribute("href") or "/devices"
                    for path in paths:
                        page.goto(address + path.replace("/devices/{terminal}", terminal))
                        page.wait_for_selector("main h1")
                        page.wait_for_load_state("networkidle")
                        name = (path.strip("/").replace("/", "-").replace("{terminal}", "one") or "overview") + (
                            {"zhao": "-supervisor", "li": "-handler"}.get(who, "")
                        )
                        target = folder / f"console-{name}-{language}-{size}.png"
                        page.screenshot(path=target, full_page=True)
                        made.append(target)
                    context.clear_cookies(name="nw_session")
                context.close()
        browser.close()
    return made


def main(folder: Path) -> list[Path]:
    """Seed, serve, shoot."""
    with tempfile.TemporaryDirectory() as data, demo_server(Path(data) / "fleet") as (address, password):
        return shoot(address, password, folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m demo.shots.console DIR")
    for each in main(Path(sys.argv[1])):
        print(each)
