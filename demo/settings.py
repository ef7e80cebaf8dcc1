"""What the demonstration writes into the configuration files of the fleet and its devices."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any


class PortTaken(RuntimeError):
    """A port somebody asked for is in use; the message says by which option to choose another."""


def free_port(wanted: int = 0, *, option: str = "") -> int:
    """A TCP port on the loopback that is free now; `wanted` 0 means any. Raises PortTaken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise PortTaken(
                f"port {wanted} is in use ({error.strerror}); end what uses it, or choose another with {option}"
            ) from error
        port: int = probe.getsockname()[1]
        return port


def toml(tables: dict[str, Any], prefix: str = "") -> str:
    """TOML text of nested tables with plain values (JSON's scalars and lists are TOML's too)."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in tables.items() if not isinstance(value, dict)]
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += [f"\n[{prefix}{key}]", toml(value, f"{prefix}{key}.")]
    return "\n".join(lines)


def fleet_settings(*, broker: int, door: int, console: int) -> dict[str, Any]:
    """fleet.toml: everything on the loopback."""
    return {
        "tenant": "yunxi",
        "broker": {"host": "localhost", "port": broker, "bind": "127.0.0.1"},
        "door": {"host": "localhost", "port": door, "bind": "127.0.0.1"},
        "console": {"port": console, "bind": "127.0.0.1"},
    }


def device_settings(
    role: str,
    folder: Path,
    *,
    size: tuple[int, int],
    mm: tuple[float, float],
    door: int,
    broker: int,
    on_cables: bool = False,
    ups: int = 0,
) -> dict[str, Any]:
    """device.toml: simulated hardware, the fleet behind this device's own cables, short waits between attempts.

    `on_cables`: an evaluator whose buttons are a box and whose clerk has a PC, both on serial ports. `ups`: the port of upsd.
    """
    hal = _evaluator_hardware(folder, on_cables=on_cables) if role == "evaluator" else _terminal_hardware(folder)
    if ups:
        hal["ups"] = {"driver": "nut", "tcp_port": ups, "poll_s": 0.5}
    return {
        "role": role,
        "data_dir": str(folder / "data"),
        "phone": "000-8123456",
        "model": "demonstration",
        "fleet": {"url": f"https://localhost:{door}", "broker": f"localhost:{broker}"},
        "panel": {"width_px": size[0], "height_px": size[1], "width_mm": mm[0], "height_mm": mm[1], "fullscreen": False},
        "agent": {"backoff_max_s": 5.0, "keepalive_s": 10, "resend_after_s": 5.0, "state_every_s": 10.0},
        "hal": hal,
    }


def _pins(folder: Path) -> dict[str, Any]:
    return {"gpio": {"driver": "socket", "socket": str(folder / "pins.sock")}, "tamper": {"driver": "gpio"}}


def _evaluator_hardware(folder: Path, *, on_cables: bool) -> dict[str, Any]:
    if on_cables:
        return {
            "buttons": {"driver": "box", "port": str(folder / "box")},
            "desk": {"driver": "serial", "port": str(folder / "desk")},
        }
    return _pins(folder) | {"buttons": {"driver": "gpio"}}


def _terminal_hardware(folder: Path) -> dict[str, Any]:
    return _pins(folder) | {
        "door": {"driver": "gpio"},
        "keypad": {"driver": "matrix"},
        "light_printer": {"driver": "gpio", "pin": 15},
        "light_card": {"driver": "gpio", "pin": 3},
        "temperature": {"driver": "w1", "root": str(folder / "w1"), "poll_s": 1.0},
        "printer": {"driver": "escpos", "port": str(folder / "printer"), "poll_s": 0.5, "roll_m": 50.0, "near_end_m": 2.0},
        "id_card": {"driver": "samv", "port": str(folder / "idcard")},
        "scanner": {"driver": "serial", "port": str(folder / "scanner")},
    }


def write(path: Path, settings: dict[str, Any]) -> Path:
    """Write one settings file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(toml(settings) + "\n", encoding="utf-8")
    return path
