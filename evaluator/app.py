"""The evaluator's command line: `nw-evaluator --config FILE` shows the screen, `--check` explains a configuration."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from evaluator.face import EvaluatorFace
    from hal.config import HalConfig
    from runtime.config import DeviceConfig

TITLE = "Nightwindow evaluator"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightwindow", message="%(package)s %(version)s")
@click.option("--config", "config_file", required=True, type=click.Path(path_type=Path), help="The device's device.toml.")
@click.option("--check", is_flag=True, help="Only explain every mistake in the configuration; exit status 1 if there is one.")
@click.option(
    "--outline",
    type=click.Path(path_type=Path),
    envvar="NW_OUTLINE",
    help="Unix socket that tells tests what can be touched; off by default.",
)
@click.option("--position", type=(int, int), metavar="X Y", help="Where the window appears on a desktop; ignored when full screen.")
def main(config_file: Path, check: bool, outline: Path | None, position: tuple[int, int] | None) -> None:
    """The rating device at a window of a service hall. Runs until it is told to stop (SIGTERM or SIGINT).

    It shows the clerk's card, asks for a rating when the clerk's side invites one, and records it in its own journal; the
    agent (nw-agent) hands the journal over. It works without a network and without an agent. See docs/device.md.
    """
    config, hal_config = _settings(config_file)
    if check:
        click.echo(f"{config_file}: no mistakes found.")
        return
    from runtime.identity import IdentityError
    from runtime.journal import JournalError
    from ui.fonts import FontsMissing
    from ui.window import WindowError

    try:
        _show(config, hal_config, outline=outline, position=position)
    except (IdentityError, JournalError, FontsMissing, WindowError, ValueError) as error:
        _fail([str(error)])


def _settings(config_file: Path) -> "tuple[DeviceConfig, HalConfig]":
    from evaluator.panel import panel_of
    from hal import config as hal_settings
    from runtime import config as settings
    from ui.tokens import PanelError

    problems: list[str] = []
    try:
        config = settings.load(config_file)
    except settings.ConfigError as error:
        _fail(error.problems)
    if config.role != "evaluator":
        problems.append(f'role is "{config.role}"; nw-evaluator needs role = "evaluator"')
    panel = config.panel
    try:
        panel_of(config)
    except PanelError as error:
        problems.append(str(error))
    if panel.width_px <= panel.height_px:
        problems.append(
            f"panel.width_px is {panel.width_px} and height_px {panel.height_px}; an evaluator's panel lies, set width above height"
        )
    try:
        hal_config = hal_settings.from_table(config.hal)
    except hal_settings.ConfigError as error:
        _fail(problems + error.problems)
    if problems:
        _fail(problems)
    return config, hal_config


def _set_up(config: "DeviceConfig", position: tuple[int, int] | None) -> None:
    """What has to be there before a window opens: the log, the data folder, the window's settings."""
    from evaluator.panel import panel_of
    from runtime.process import set_up_log
    from ui import window

    set_up_log(config.log.level)
    config.data_path.mkdir(parents=True, exist_ok=True)
    fullscreen = config.panel.fullscreen
    window.configure(panel_of(config), data_dir=config.data_path, title=TITLE, fullscreen=fullscreen, position=position)


def _show(config: "DeviceConfig", hal_config: "HalConfig", *, outline: Path | None, position: tuple[int, int] | None) -> None:
    import structlog

    from runtime.process import software_name
    from ui import window

    log = structlog.get_logger("evaluator.app")
    _set_up(config, position)
    faces: list[EvaluatorFace] = []
    failures: list[Exception] = []

    def build() -> Any:
        from evaluator.face import EvaluatorFace

        face = EvaluatorFace(config, hal_config, software=software_name(), outline=outline)
        faces.append(face)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: face.bridge.post(window.stop))
        return face.stage

    def first_frame(seconds: float) -> None:
        log.info("first frame", first_frame_s=round(seconds, 2), pid=os.getpid())
        faces[0].drawn(seconds)
        faces[0].bridge.post(begin)

    def begin() -> None:
        try:
            _join(faces[0], config)
        except Exception as error:
            # Kivy would swallow nothing, but its traceback would hide what a technician can do about it.
            failures.append(error)
            window.stop()
        else:
            log.info("ready", ready_s=round(window.seconds_since_start(), 2))

    window.run(build, title=TITLE, on_first_frame=first_frame, on_stop=lambda: faces and faces[0].stop())
    if failures:
        raise failures[0]


def _join(face: "EvaluatorFace", config: "DeviceConfig") -> None:
    from runtime.evidence import open_evidence
    from runtime.identity import ensure

    identity = ensure(config.data_path)
    face.start(identity, open_evidence(config, identity=identity, clock=face.device_clock))


def _fail(problems: list[str]) -> NoReturn:
    for problem in problems:
        click.echo(f"nw-evaluator: {problem}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
