"""The terminal's command line: run the face, answer a search as the screen would, or check a configuration."""

import json
import os
import signal
import sys
from pathlib import Path

import click


class DefaultRun(click.Group):
    """A group whose verb may be left out: `nw-terminal --config FILE` means `nw-terminal run --config FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` in front when the first word is an option of it."""
        own = ("-h", "--help", "--version")
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=DefaultRun, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightwindow", message="%(package)s %(version)s")
def main() -> None:
    """The 24-hour self-service terminal of a service hall.

    Without a verb, `run` is meant. See docs/terminal.md.
    """


@main.command()
@click.option("--config", "config_file", required=True, type=click.Path(path_type=Path), help="The device's device.toml.")
@click.option("--check", is_flag=True, help="Only explain every mistake in the configuration; exit status 1 if there is one.")
@click.option(
    "--outline", type=click.Path(path_type=Path), envvar="NW_OUTLINE",
    help="Unix socket that tells tests what can be touched; off by default.",
)  # fmt: skip
@click.option("--position", type=(int, int), metavar="X Y", help="Where the window appears on a desktop; ignored when full screen.")
def run(config_file: Path, check: bool, outline: Path | None, position: tuple[int, int] | None) -> None:
    """Show the terminal's screen until it is told to stop (SIGTERM or SIGINT)."""
    from hal import config as hal_settings
    from runtime import config as settings
    from runtime.identity import IdentityError
    from runtime.journal import JournalError
    from ui.fonts import FontsMissing
    from ui.tokens import PanelError
    from ui.window import WindowError

    try:
        config = settings.load(config_file)
    except settings.ConfigError as error:
        _fail(error.problems)
    problems = []
    try:
        hal_config = hal_settings.from_table(config.hal)
    except hal_settings.ConfigError as error:
        problems += error.problems
    if config.role != "terminal":
        problems.append(f'role is "{config.role}"; nw-terminal needs role = "terminal"')
    try:
        from terminal.panel import panel_of

        panel_of(config)
    except PanelError as error:
        problems.append(str(error))
    if problems:
        _fail(problems)
    if check:
        click.echo(f"{config_file}: no mistakes found.")
        return
    try:
        _show(config, hal_config, outline=outline, position=position)
    except (IdentityError, JournalError, FontsMissing, WindowError, hal_settings.ConfigError) as error:
        _fail([str(error)])


def _show(config: object, hal_config: object, *, outline: Path | None, position: tuple[int, int] | None) -> None:
    import structlog

    from runtime.clock import SystemClock
    from runtime.evidence import open_evidence
    from runtime.identity import ensure
    from runtime.process import set_up_log, software_name
    from terminal.diary import recover
    from terminal.panel import panel_of
    from ui import window

    set_up_log(config.log.level)
    log = structlog.get_logger("terminal.app")
    config.data_path.mkdir(parents=True, exist_ok=True)
    identity, clock = ensure(config.data_path), SystemClock()
    journal = open_evidence(config, identity=identity, clock=clock)
    if closed := recover(journal):
        log.warning("a cut left entries open; they were closed", closed=closed)
    title, fullscreen = "Nightwindow terminal", config.panel.fullscreen
    window.configure(panel_of(config), data_dir=config.data_path, title=title, fullscreen=fullscreen, position=position)
    from terminal.face import TerminalFace

    faces: list[TerminalFace] = []

    def build() -> object:
        face = TerminalFace(
            config, hal_config, identity=identity, journal=journal, clock=clock, software=software_name(), outline=outline
        )
        faces.append(face)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: face.bridge.post(window.stop))
        face.start()
        return face.stage

    def first_frame(seconds: float) -> None:
        log.info("first frame", first_frame_s=round(seconds, 2), pid=os.getpid())

    window.run(build, title=title, on_first_frame=first_frame, on_stop=lambda: faces and faces[0].stop())


@main.command()
@click.argument("query")
@click.option("--pack", "pack_file", required=True, type=click.Path(path_type=Path), help="The content pack to search.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="At most so many results.")
@click.option("--language", type=click.Choice(["zh", "ko", "en"]), default="zh", show_default=True, help="Of the names shown.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of results, as the screen gets them.")
def search(query: str, pack_file: Path, limit: int, language: str, as_json: bool) -> None:
    """Answer QUERY exactly as the terminal's search screen would."""
    from pack.errors import PackError
    from pack.reader import open_pack
    from pack.search import answer

    try:
        with open_pack(pack_file, verify_key=None) as pack:
            hits = answer(pack, query, limit, language)
    except (PackError, OSError) as error:
        _fail([str(error)])
    if as_json:
        click.echo(json.dumps(hits, ensure_ascii=False, indent=2))
        return
    for hit in hits:
        click.echo(f"{hit['code']}  {hit['name']}  ({hit['department']})")
    if not hits:
        click.echo(f"nothing found for {query!r}")


def _fail(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"nw-terminal: {problem}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
