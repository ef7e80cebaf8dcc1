"""The peer of a face: the same screen as a page in Chromium's kiosk mode, and how much memory each of them takes.

The pages show the words, icons, faces and sizes of the faces' screens, from the same catalogues and in the same fonts; they are
plain local HTML without any script but a clock, so Chromium is given every advantage a page can have.
"""

from __future__ import annotations

import html
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from eye import Eye, colours
from lone import CARD, HALL, ITEM, SIZES, Role

from demo.catalogue import read_catalogue
from demo.processes import Processes
from demo.screens import start as start_screen
from ui import catalogue
from ui.fonts import ICONS

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--kiosk",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_STYLE = f"""
@font-face {{ font-family: icons; src: url(file://{ICONS}); }}
* {{ box-sizing: border-box; margin: 0; }}
html, body {{ height: 100%; overflow: hidden; background: #F6F4EF; color: #1B2430; font-family: 'Noto Sans CJK SC'; }}
body {{ display: flex; flex-direction: column; padding: 28px 48px 20px; gap: 24px; }}
i {{ font: normal 56px icons; color: #1F5FA8; }}
h2 {{ font-size: 42px; }}
small {{ color: #5B6675; font-size: 27px; display: block; }}
.row {{ display: flex; gap: 20px; align-items: center; }}
.fill {{ flex: 1; }}
.box {{ background: #fff; border: 2px solid #8E8778; border-radius: 26px; padding: 32px; }}
.pill {{ background: #fff; border: 2px solid #8E8778; border-radius: 44px; padding: 16px 28px; font-size: 30px; }}
"""
_FACES = {
    5: ("#2E7D5B", '<path d="M28 58 a22 21 0 0 0 44 0z" fill="#fff"/>'),
    4: ("#5A8732", '<path d="M32 60 C40 72 60 72 68 60" fill="none" stroke="#fff" stroke-width="5"/>'),
    3: ("#E3B93A", '<path d="M32 64 H68" stroke="#1B2430" stroke-width="5"/>'),
    2: ("#C0651F", '<path d="M32 70 C40 58 60 58 68 70" fill="none" stroke="#fff" stroke-width="5"/>'),
    1: ("#B23A30", '<path d="M30 74 C38 54 62 54 70 74" fill="none" stroke="#fff" stroke-width="5"/>'),
}


class Texts:
    """The product's own Chinese texts, HTML-escaped."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as cache:
            folders = [ROOT / room / "locale" for room in ("ui", "terminal", "evaluator")]
            self._catalogue = catalogue.load(folders, Path(cache))

    def __call__(self, message: str, **args: object) -> str:
        if not self._catalogue.has(message):
            raise LookupError(f"no text {message}: the peer's page would differ from the face's screen")
        return html.escape(self._catalogue.say("zh", message, args))


def page(role: Role) -> str:
    """The peer of the terminal's home screen or of the evaluator's question."""
    body = _home(Texts()) if role == "terminal" else _ask(Texts())
    script = "const c=document.getElementById('clock');c&&setInterval(()=>c.textContent=new Date().toTimeString().slice(0,5),60000)"
    # Without this, Chromium opens a panel of its own that offers to translate, at Chromium's cost.
    head = f'<meta charset="utf-8"><meta name="google" content="notranslate"><title>{role}</title><style>{_STYLE}</style>'
    return (
        f'<!doctype html><html lang="zh-CN" translate="no"><head>{head}</head><body>{body}<script>{script}</script></body></html>'
    )


def _home(t: Texts) -> str:
    names = "、".join(scenario.name.zh for scenario in read_catalogue().scenarios[:3])
    tiles = [("e873", "departments"), ("e87c", "scenarios"), ("e7fb", "person"), ("e0af", "company"), ("e80e", "popular")]
    tiles.append(("e55f", "windows"))
    grid = "".join(
        f'<div class="box"><i>&#x{icon};</i><h2>{t(f"home.{name}")}</h2>'
        f"<small>{t(f'home.{name}_note', examples=names)}</small></div>"
        for icon, name in tiles
    )
    foot = [("e5cd", "foot.end"), ("e8fd", "foot.help"), ("e894", ""), ("e84e", "foot.to_elder")]
    pills = "".join(f'<span class="pill"><i>&#x{icon};</i> {t(text) if text else "한 · EN"}</span>' for icon, text in foot)
    return (
        f'<div class="row"><b class="box"></b><div class="fill"><h2>{HALL["zh"]}</h2><small>24小时自助服务区 · 1号机</small></div>'
        f'<div><h1 id="clock">14:26</h1><small>11月22日 星期日</small></div></div><h1 style="font-size:64px">{t("home.title")}</h1>'
        f'<div class="box row"><i>&#xe8b6;</i><span class="fill" style="font-size:37px">{t("home.search")} <b>sfz</b></span>'
        f'<i>&#xe312;</i></div><div class="fill" style="display:grid;grid-template-columns:1fr 1fr;gap:20px">{grid}</div>'
        f'<div class="box">{t("home.all_well")}</div><div class="row">{pills}</div>'
    )


def _ask(t: Texts) -> str:
    cards = "".join(
        '<div class="box fill" style="text-align:center"><svg viewBox="0 0 100 100">'
        f'<circle cx="50" cy="50" r="46" fill="{colour}"/>'
        f'<circle cx="35" cy="43" r="5.6" fill="#fff"/><circle cx="65" cy="43" r="5.6" fill="#fff"/>{mouth}</svg>'
        f"<h2>{t(f'level.{level}')}</h2><small>{t('ask.button', level=level)}</small></div>"
        for level, (colour, mouth) in _FACES.items()
    )
    about = f"{ITEM['zh']} · {t('ask.case_tail', tail='0417')}"
    return (
        f'<div class="row"><b class="box"></b><div><h2>{CARD.business["zh"]} · {t("idle.window", number=CARD.number)}</h2>'
        f'<small>{about}</small></div></div><div class="row"><h1 class="fill">{t("ask.title")}</h1>'
        f'<small>{t("ask.voluntary")}</small></div><div class="row fill">{cards}</div><div class="row">'
        f'<span class="pill">{t("ask.skip")}</span><span class="pill"><i>&#xe894;</i> 한국어 / English</span>'
        f'<span class="pill"><i>&#xe84e;</i></span><span class="fill"></span><small>{t("ask.ends", seconds=60)}</small></div>'
    )


@dataclass(frozen=True)
class Memory:
    """Proportional set size of a program and all processes it has started, in MB (10^6 bytes), and how many they are."""

    pss_mb: float
    processes: int


def memory_of(pid: int) -> Memory:
    """What this process and its descendants take now, from the kernel's smaps_rollup."""
    parent = psutil.Process(pid)
    total, count = 0, 0
    for process in [parent, *parent.children(recursive=True)]:
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        count += 1
    return Memory(total / 1e6, count)


def sharers(library: str, pid: int) -> int:
    """How many processes other than this one and its descendants map a file with this name in its path, as far as one may look.

    PSS divides a mapped file among all who map it: every one of them makes a figure smaller than it is on a device.
    """
    own = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    count = 0
    for process in psutil.process_iter():
        try:
            count += process.pid not in own and library in Path(f"/proc/{process.pid}/maps").read_text()
        except (OSError, psutil.Error):
            continue
    return count


@contextmanager
def kiosk(role: Role) -> Iterator[int]:
    """Chromium in kiosk mode with the peer's page, drawn and at rest on a screen of its own; gives its process id."""
    with tempfile.TemporaryDirectory(prefix="nightwindow-bench-kiosk-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        processes = Processes(folder, say=print)
        try:
            screen = start_screen(processes, "kiosk", SIZES[role], is_window=False)
            (folder / "page.html").write_text(page(role), encoding="utf-8")
            width, height = SIZES[role]
            where = [
                f"--user-data-dir={folder / 'profile'}",
                "--window-position=0,0",
                f"--window-size={width},{height}",
                f"file://{folder}/page.html",
            ]
            chromium = processes.start("chromium", ["/usr/bin/chromium", *FLAGS, *where], environment={"DISPLAY": screen.display})
            eye = Eye(screen.display)
            eye.until(lambda shown: colours(shown) > 50, eye.whole, what="the page in Chromium", within_s=30.0)
            eye.until_still(eye.whole, for_s=2.0, within_s=20.0)
            yield chromium.pid
            eye.close()
        finally:
            processes.end_all()
