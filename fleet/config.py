"""The fleet's configuration, `<data>/fleet.toml`: every setting has a default, and all errors are told at once."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire.topics import NAME

Port = Annotated[int, Meta(ge=1, le=65_535)]
FILE = "fleet.toml"


class ConfigError(Exception):
    """The configuration cannot be used; the message has one line for each thing to mend."""


class Broker(Struct, frozen=True, forbid_unknown_fields=True):
    """`[broker]`: where Mosquitto listens, and under which name devices reach it."""

    host: str = "localhost"
    port: Port = 8883
    bind: str = "0.0.0.0"


class Door(Struct, frozen=True, forbid_unknown_fields=True):
    """`[door]`: HTTPS for pairing, renewal and content."""

    host: str = "localhost"
    port: Port = 8443
    bind: str = "0.0.0.0"


class Console(Struct, frozen=True, forbid_unknown_fields=True):
    """`[console]`: console and API, plain HTTP on this machine; put a reverse proxy before it to reach it from others."""

    port: Port = 8080
    bind: str = "127.0.0.1"


class Ingest(Struct, frozen=True, forbid_unknown_fields=True):
    """`[ingest]`: how many messages share one commit, and how long it waits for more."""

    batch_messages: Annotated[int, Meta(ge=1, le=10_000)] = 500
    batch_wait_ms: Annotated[int, Meta(ge=0, le=1_000)] = 5


class Notify(Struct, frozen=True, forbid_unknown_fields=True):
    """`[notify]`: who is told of work orders, as Apprise URLs; `people` are users by name. Empty: nobody is."""

    supervision: tuple[str, ...] = ()
    people: dict[str, tuple[str, ...]] = {}


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `database` is empty for SQLite in the data directory, or a postgresql+psycopg:// URL."""

    tenant: str = "county"
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    """Names and addresses in the server's certificate: all under which devices reach broker and door."""
    database: str = ""
    broker: Broker = Broker()
    door: Door = Door()
    console: Console = Console()
    ingest: Ingest = Ingest()
    notify: Notify = Notify()


def load_config(data: Path) -> Config:
    """Read `<data>/fleet.toml`; defaults when there is none. Raises ConfigError with one line for each fault."""
    path = data / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    faults: list[str] = []
    config: Config = _read(Config, raw, "", faults)
    if not faults and not NAME.fullmatch(config.tenant):
        faults.append(f"tenant is {config.tenant!r}; use 1–63 lower-case letters, digits and hyphens")
    if not faults and config.database and not config.database.startswith("postgresql+psycopg://"):
        faults.append("database is not an address; leave it empty for SQLite or write postgresql+psycopg://USER@HOST/DATABASE")
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return config


def _read(kind: type[Any], raw: dict[str, Any], prefix: str, faults: list[str]) -> Any:
    """Read one table setting by setting, so that every fault is found, not only the first."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    good: dict[str, Any] = {}
    for key, value in raw.items():
        name = prefix + key
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            faults.append(
                f"{name} is no setting; " + (f"did you mean {prefix}{near[0]}?" if near else f"known: {', '.join(types)}")
            )
        elif isinstance(types[key], type) and issubclass(types[key], Struct) and isinstance(value, dict):
            good[key] = _read(types[key], value, name + ".", faults)
        else:
            try:
                good[key] = msgspec.convert(value, types[key])
            except msgspec.ValidationError as error:
                faults.append(f"{name} is {value!r}: {error}")
    return kind(**good)
