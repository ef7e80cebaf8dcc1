"""What a device is told by its file `device.toml`: every setting, its limits, and every mistake explained at once.

docs/device.md lists all of it. The `[hal]` table is handed on unread: hal.factory knows it.
"""

import tomllib
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from runtime.tomlstruct import explain_unknown, kinds_of, mask, read_struct, read_value

Seconds = Annotated[float, Meta(ge=1, le=3600)]


MAX_SOCKET_BYTES = 107
"""What Linux allows for the path of a Unix socket, without its closing zero."""


class ConfigError(ValueError):
    """The configuration cannot be used; `problems` holds every mistake, each a sentence with key, value, limit, remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class FleetConfig(Struct, frozen=True):
    """Where the fleet is. `url` is the HTTPS address for pairing; empty: the device stays alone and keeps what it records.

    `broker` (`host:port`) replaces the broker's address that the fleet tells, for a device that reaches it by another way.
    """

    url: str = ""
    broker: str = ""


class PanelConfig(Struct, frozen=True):
    """The screen: pixels and real size, so that type and targets come out in millimetres. `day_from`/`night_from` are hours."""

    width_px: Annotated[int, Meta(ge=320, le=7680)] = 1080
    height_px: Annotated[int, Meta(ge=320, le=7680)] = 1920
    width_mm: Annotated[float, Meta(ge=50, le=2000)] = 268.0
    height_mm: Annotated[float, Meta(ge=50, le=2000)] = 477.0
    fullscreen: bool = True
    day_from: Annotated[int, Meta(ge=0, le=23)] = 7
    night_from: Annotated[int, Meta(ge=0, le=23)] = 19


class IdleConfig(Struct, frozen=True):
    """A terminal nobody touches: after `after_s` it warns for `warning_s`, then wipes. Longer in the elder profile."""

    after_s: Annotated[float, Meta(ge=15, le=600)] = 60.0
    warning_s: Annotated[float, Meta(ge=20, le=120)] = 20.0
    elder_after_s: Annotated[float, Meta(ge=30, le=900)] = 120.0
    elder_warning_s: Annotated[float, Meta(ge=20, le=180)] = 30.0


class RatingConfig(Struct, frozen=True):
    """How long each step of a rating waits for the citizen."""

    invitation_s: Annotated[float, Meta(ge=10, le=600)] = 60.0
    correction_s: Annotated[float, Meta(ge=5, le=30)] = 5.0
    reasons_s: Annotated[float, Meta(ge=5, le=120)] = 20.0
    receipt_s: Annotated[float, Meta(ge=3, le=60)] = 10.0


class JournalConfig(Struct, frozen=True):
    """Room taken from the disk in advance. An evidence journal that is nearly full pauses ratings; ops drops its oldest."""

    evidence_budget_mb: Annotated[int, Meta(ge=4, le=4096)] = 32
    ops_budget_mb: Annotated[int, Meta(ge=4, le=1024)] = 16


class AgentConfig(Struct, frozen=True):
    """How the agent watches the face and talks to the fleet."""

    hung_after_s: Seconds = 15.0
    """A face without a heartbeat for so long is reported hung."""
    end_hung_after_s: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    """A face that has been hung for so long is ended, so that it is started anew; 0: only when the console says so."""
    reboot_after_s: Annotated[float, Meta(ge=0, le=86400)] = 180.0
    """When no face has drawn for so long, systemd's watchdog is fed no more, and the unit restarts the device; 0: never."""
    terminate_after_s: Seconds = 10.0
    """How long a face that was told to restart may take before it is terminated."""
    state_every_s: Annotated[float, Meta(ge=5, le=120)] = 60.0
    """How often the state is reported when nothing changes. The fleet calls a device unknown that it has not heard for 180 s."""
    keepalive_s: Annotated[int, Meta(ge=5, le=1200)] = 30
    """MQTT keep-alive: after one and a half of these the fleet knows that the link is gone."""
    resend_after_s: Annotated[float, Meta(ge=2, le=600)] = 15.0
    """A batch that nobody acknowledged for so long is sent again."""
    backoff_max_s: Annotated[float, Meta(ge=2, le=600)] = 60.0
    """The longest wait between two attempts to connect."""


class LogConfig(Struct, frozen=True):
    """What goes to the journal of the system."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class DeviceConfig(Struct, frozen=True):
    """Everything a device is told by its file.

    `data_dir` holds journals, keys and content. `socket` is where agent and face meet (empty: `agent.sock` in `data_dir`).
    `content_file` is a content pack to show while the fleet has sent none. `phone` is shown as the hall's help number.
    """

    role: Literal["terminal", "evaluator"]
    data_dir: str
    socket: str = ""
    language: Literal["zh", "ko", "en"] = "zh"
    model: str = ""
    phone: str = ""
    content_file: str = ""
    fleet: FleetConfig = FleetConfig()
    panel: PanelConfig = PanelConfig()
    idle: IdleConfig = IdleConfig()
    rating: RatingConfig = RatingConfig()
    journal: JournalConfig = JournalConfig()
    agent: AgentConfig = AgentConfig()
    log: LogConfig = LogConfig()
    hal: dict[str, Any] = {}

    @property
    def data_path(self) -> Path:
        """`data_dir` as a path."""
        return Path(self.data_dir)

    @property
    def socket_path(self) -> Path:
        """Where agent and face meet."""
        return Path(self.socket) if self.socket else self.data_path / "agent.sock"


OVERRIDABLE = ("language", "phone", "idle.", "rating.", "panel.day_from", "panel.night_from")
"""Settings that the fleet may override (wire.messages.Desired.settings); a dot at the end means the whole table."""


def load(path: Path) -> DeviceConfig:
    """Read `device.toml`.

    Raises ConfigError: the file cannot be read, is no TOML, or holds mistakes; all of them in one error.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path} cannot be read ({error.strerror}); give the path of a readable TOML file"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path} is not valid TOML: {error}; correct that line"]) from error
    return from_table(table)


def from_table(table: Mapping[str, Any]) -> DeviceConfig:
    """Build a DeviceConfig from parsed TOML. Raises ConfigError with every mistake."""
    problems: list[str] = []
    config = read_struct(DeviceConfig, table, problems, checks=CHECKS)
    if problems or config is None:
        raise ConfigError(problems)
    return typing.cast(DeviceConfig, config)


def with_overrides(config: DeviceConfig, settings: Mapping[str, str | int | float | bool]) -> tuple[DeviceConfig, list[str]]:
    """The effective settings: the file's, with what the fleet overrides by dotted name.

    An override that is unknown, not allowed or out of range is left out and explained in the returned problems.
    """
    problems: list[str] = []
    for name, value in sorted(settings.items()):
        if not any(name == allowed or (allowed.endswith(".") and name.startswith(allowed)) for allowed in OVERRIDABLE):
            problems.append(f"{name} cannot be set by the fleet; it may set {', '.join(OVERRIDABLE)}")
            continue
        section, _, key = name.rpartition(".")
        part: Any = getattr(config, section) if section else config
        mistakes: list[str] = []
        kinds = kinds_of(type(part))
        if key not in kinds:
            mistakes.append(explain_unknown(name, key, kinds))
            checked = None
        else:
            checked = read_value(kinds[key], value, name, mistakes)
        if mistakes:
            problems += mistakes
            continue
        part = msgspec.structs.replace(part, **{key: checked})
        config = msgspec.structs.replace(config, **{section: part}) if section else part
    return config, problems


def dotted(config: Struct, prefix: str = "") -> dict[str, Any]:
    """Every setting by its dotted name, `hal` left out; secrets in addresses masked."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, Struct):
            found |= dotted(value, f"{prefix}{field.name}.")
        elif field.name != "hal":
            found[prefix + field.name] = mask(value) if isinstance(value, str) else value
    return found


def _check_panel(panel: PanelConfig) -> list[str]:
    if panel.day_from == panel.night_from:
        return [f"panel.day_from and panel.night_from are both {panel.day_from}; set two different hours"]
    return []


def _check_data_dir(path: str) -> list[str]:
    if not Path(path).is_absolute():
        return [f"data_dir is {path!r}; give an absolute path, for example /var/lib/nightwindow"]
    return _check_socket(f"{path}/agent.sock")


def _check_socket(path: str) -> list[str]:
    size = len(path.encode())
    if size > MAX_SOCKET_BYTES:
        return [
            f"the socket {path!r} has {size} bytes, a Unix socket's path at most {MAX_SOCKET_BYTES}; set socket to a shorter one"
        ]
    return []


def _check_broker(address: str) -> list[str]:
    host, _, port = address.rpartition(":")
    if address and not (host and port.isdecimal() and 0 < int(port) < 65_536):
        return [f"fleet.broker is {address!r}; write host:port with a port of 1–65535, or leave it out"]
    return []


def _check_url(url: str) -> list[str]:
    if not url:
        return []
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return [f"fleet.url is {mask(url)!r}, which is no address; write https://host:port"]
    if parts.scheme != "https" or not parts.hostname or not port_is_right or parts.query or parts.fragment:
        return [f"fleet.url is {mask(url)!r}; write https://host or https://host:port"]
    if parts.username is not None:
        return [f"fleet.url is {mask(url)!r}; take user and password out, devices prove themselves by their keys"]
    return []


CHECKS: dict[str, Callable[[Any], list[str]]] = {
    "data_dir": _check_data_dir,
    "socket": _check_socket,
    "fleet.url": _check_url,
    "fleet.broker": _check_broker,
    "panel": _check_panel,
}
"""What a setting has to fulfil beyond its type, by dotted name. Each is told beside all other mistakes."""
