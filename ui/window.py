"""Opens the one window of a face. Call `configure` before anything imports Kivy, then `run`.

Kivy reads its settings when it is imported; so this module imports it only inside functions.
"""

import ctypes
import gc
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.tokens import Panel

if TYPE_CHECKING:
    from ui.stage import Stage

ACTIVE_FPS = 120
IDLE_FPS = 15
ACTIVE_FOR_S = 4.0
"""So long after the last touch or key, and while the stage is attentive, the window looks for input 120 times a second: a touch
waits 8 ms at most. Later 15 times, which costs an eighth and still sees a first touch within 67 ms. Callables posted over the
bridge wake it at once at any time."""


_M_MMAP_THRESHOLD = -3
SETTLED_AFTER_S = 2.0
"""So long after the first frame everything that lives as long as the face has been made."""


class WindowError(RuntimeError):
    """The window cannot be opened; the message says what is missing and what to do."""


def configure(
    panel: Panel,
    *,
    data_dir: Path,
    title: str,
    fullscreen: bool = False,
    position: tuple[int, int] | None = None,
) -> None:
    """Tell Kivy about the panel: no multisamples, no emulated touches, nothing written to anybody's home.

    Kivy keeps its own files in `data_dir`/kivy, the graphics driver its compiled shaders in `data_dir`/cache/mesa. `position`
    places a window that is not full screen.

    Raises WindowError when Kivy is already imported, since it would ignore all of this.
    """
    if "kivy" in sys.modules:
        raise WindowError("Kivy was imported before window.configure(); import screens and widgets after it")
    _set_environment(data_dir, title)
    _give_back_large_blocks()
    logging.getLogger("kivy").setLevel(logging.WARNING)
    _set_options(panel, fullscreen=fullscreen, position=position)


def _set_environment(data_dir: Path, title: str) -> None:
    home, shaders = data_dir / "kivy", data_dir / "cache" / "mesa"
    home.mkdir(parents=True, exist_ok=True)
    shaders.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        KIVY_HOME=str(home),
        KIVY_NO_ARGS="1",
        KIVY_NO_CONFIG="1",
        KIVY_NO_FILELOG="1",
        KIVY_LOG_MODE="PYTHON",
        KIVY_WINDOW="sdl2",
        KIVY_TEXT="sdl2",
        KIVY_IMAGE="sdl2",
        KIVY_CLIPBOARD="dummy",
        KIVY_METRICS_DENSITY="1",
        MESA_SHADER_CACHE_DIR=str(shaders),
        SDL_VIDEO_ALLOW_SCREENSAVER="0",
        # SDL takes the first press after the window got the focus for one that only focuses, and swallows it: a visitor's first
        # touch after every start, and after anything that took the focus for a moment.
        SDL_MOUSE_FOCUS_CLICKTHROUGH="1",
    )
    os.environ.setdefault("SDL_VIDEO_X11_WMCLASS", title)


def _set_options(panel: Panel, *, fullscreen: bool, position: tuple[int, int] | None) -> None:
    # KIVY_NO_CONFIG leaves Kivy's defaults in memory; these lines are all that differs.
    from kivy.config import Config

    graphics: dict[str, object] = {
        "width": panel.width_px,
        "height": panel.height_px,
        "fullscreen": "auto" if fullscreen else 0,
        "show_cursor": 0 if fullscreen else 1,
        "resizable": 0,
        "multisamples": 0,
        "maxfps": ACTIVE_FPS,
        "min_state_time": 0.035,
    }
    if position is not None:
        graphics |= {"position": "custom", "left": position[0], "top": position[1]}
    for name, value in graphics.items():
        Config.set("graphics", name, str(value))
    for name, value in {"kivy_clock": "interrupt", "exit_on_escape": 0, "log_level": "warning", "window_icon": ""}.items():
        Config.set("kivy", name, str(value))
    # SDL brings touches and mouse itself; Kivy's other providers would report every touch twice, or draw red dots.
    Config.remove_section("input")
    Config.add_section("input")
    Config.set("input", "mouse", "mouse,disable_multitouch")


def _give_back_large_blocks() -> None:
    """Have the C library map every block from 128 KB on by itself, so that the system has it back at once when it is freed.

    By itself glibc raises that limit up to 32 MB with every large block it frees; then what a font or a texture leaves lies between
    smaller things and stays with the process (mallopt(3), M_MMAP_THRESHOLD).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 131_072)


class Pace:
    """How often the window looks for input: often while somebody is there, seldom otherwise. Drawing happens on change only."""

    def __init__(self, *, active_for_s: float = ACTIVE_FOR_S) -> None:
        from kivy.clock import Clock

        self._clock = Clock
        self._slow_down = Clock.create_trigger(self._idle, active_for_s)
        self._now = Clock.create_trigger(lambda _: None, 0)
        self._attentive = False
        self.awake()

    def awake(self, *_: object) -> None:
        """Somebody is there: full rate for the next seconds."""
        # Kivy has no public setting for the rate of a running clock; this attribute is what its own Config option sets.
        self._clock._max_fps = float(ACTIVE_FPS)
        self._slow_down.cancel()
        self._slow_down()

    def at_once(self, *_: object) -> None:
        """SDL brought a touch. Kivy hands it on after its next wait between two frames; have it not wait."""
        self._now()

    def attend(self, _: object, attentive: bool) -> None:
        """Somebody is asked, or no longer: full rate until further notice, or only for the next seconds."""
        self._attentive = attentive
        self.awake()

    def _idle(self, *_: object) -> None:
        if self._attentive:
            return
        self._clock._max_fps = float(IDLE_FPS)
        let_go()


def let_go() -> None:
    """Give back what screens before this one took: open fonts, widgets that hold each other, free pages of the C library."""
    from ui.openfonts import open_fonts

    open_fonts.rest()
    gc.collect()
    # Without this, glibc keeps tens of megabytes of freed fonts and textures between what is still in use (mallopt(3)).
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def run(
    build: Callable[[], "Stage"],
    *,
    title: str,
    on_first_frame: Callable[[float], object] | None = None,
    on_stop: Callable[[], object] | None = None,
) -> None:
    """Open the window, show what `build` makes and return when `stop` is called or the window is closed.

    `on_first_frame` gets the seconds from the start of this process to the first drawn frame. `on_stop` runs before the
    window closes.

    Raises WindowError when there is no display to open a window on.
    """
    from kivy.base import EventLoop, runTouchApp
    from kivy.clock import Clock

    EventLoop.ensure_window()
    window: Any = EventLoop.window
    if window is None:
        raise WindowError(
            "no window could be opened; set DISPLAY to a running X server (or run under Xvfb), or start on a console with KMS"
        )
    window.set_title(title)
    pace = Pace()
    window.bind(on_touch_down=pace.awake, on_key_down=pace.awake, on_mouse_down=pace.at_once, on_mouse_up=pace.at_once)

    def first_frame(*_: object) -> None:
        window.funbind("on_flip", first_frame)
        Clock.schedule_once(_settled, SETTLED_AFTER_S)
        if on_first_frame is not None:
            on_first_frame(seconds_since_start())

    window.fbind("on_flip", first_frame)
    try:
        stage = build()
        _ground(window)
        stage.fbind("attentive", pace.attend)
        pace.attend(stage, stage.attentive)
        runTouchApp(stage)
    finally:
        if on_stop is not None:
            on_stop()


def _ground(window: Any) -> None:
    """Clear the window in the colour of the paper. A rectangle below everything would be drawn pixel by pixel without a graphics
    processor, a quarter of a frame's time."""
    from ui.theme import theme

    def paint(*_: object) -> None:
        window.clearcolor = theme.paper
        window.canvas.ask_update()

    theme.fbind("paper", paint)
    paint()


def _settled(*_: object) -> None:
    # The collector looks at some hundred thousand objects again and again, and nobody's touch is answered meanwhile
    # (tens of milliseconds on a small computer). Those of the start never go; it need not look at them any more.
    gc.collect()
    gc.freeze()


def stop() -> None:
    """End `run`. Call it on the Kivy thread (through the bridge)."""
    from kivy.base import stopTouchApp

    stopTouchApp()


def seconds_since_start() -> float:
    """Seconds since the kernel started this process, so that interpreter start and imports count too (Linux)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
