"""A UPS through Network UPS Tools: asks upsd every few seconds, and tells when the power comes from the battery."""

from __future__ import annotations

import ipaddress
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import structlog

from hal.api import EventListener, HealthListener, PowerChanged, PowerState
from hal.drivers.nut_lines import NutDown, NutLink, NutRefused, is_name, judge, whole
from hal.drivers.own_thread import OwnThread
from hal.tools import Tools

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 5.0
POWEROFF_DEADLINE_S = 20.0
_REFUSALS = {"UNKNOWN-UPS": "ups.unknown_name", "DATA-STALE": "ups.no_data", "DRIVER-NOT-CONNECTED": "ups.no_data"}

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """A UPS that an upsd serves, on this computer or for the whole hall.

    `ups` its name there. `host` (an IP address, or localhost) and `tcp_port` of upsd. `poll_s` how often it is asked,
    `deadline_s` how long an answer may take. `dead_s` after so long without a word of it *while on battery* the battery
    counts as nearly empty. `low_runtime_s` an estimate below this counts as nearly empty too; 0 = only the UPS's own word.
    `shutdown` how the computer is switched off then: `systemd` by `systemctl poweroff`, `none` not at all (somebody else
    does, or it is a demonstration).
    """

    ups: str = "ups"
    host: str = "127.0.0.1"
    tcp_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 3493
    poll_s: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 2.0
    deadline_s: Annotated[float, msgspec.Meta(ge=0.1, le=30)] = 3.0
    dead_s: Annotated[float, msgspec.Meta(ge=1, le=300)] = 15.0
    low_runtime_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0
    shutdown: Literal["none", "systemd"] = "none"


def check(config: Config) -> list[str]:
    """See `hal.registry.DRIVERS`."""
    wrong = []
    if not is_name(config.ups):
        wrong.append(f".ups is {config.ups!r}; give the name that `upsc -l` shows: letters, digits, . : _ -")
    if not _is_address(config.host):
        # Looking a name up may hang for longer than anything here may wait, most of all while the mains are out.
        wrong.append(f".host is {config.host!r}; give an IP address, or localhost")
    return wrong


def _is_address(host: str) -> bool:
    try:
        return host == "localhost" or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def where(config: Config) -> str:
    """What `nw-hal list` shows."""
    return f"{config.ups}@{config.host}:{config.tcp_port}"


def is_there(config: Config) -> bool:
    """Whether an upsd answers there now."""
    try:
        NutLink(config.host, config.tcp_port, deadline_s=1.0).close()
    except NutDown:
        return False
    return True


def open_driver(name: str, config: Config, tools: Tools) -> NutUps:
    """See `hal.registry`."""
    return NutUps(name, config, on_event=tools.on_event, on_health=tools.on_health)


class NutUps(OwnThread):
    """`hal.api.Ups`."""

    def __init__(
        self,
        name: str,
        config: Config,
        *,
        on_event: EventListener,
        on_health: HealthListener,
        poweroff: Sequence[str] = ("systemctl", "poweroff"),
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config, self._poweroff = config, tuple(poweroff)
        self._power = PowerChanged("unknown")
        self._told: PowerState = "mains"
        self._heard_s = time.monotonic()
        self._link: NutLink | None = None
        self._ending = threading.Lock()

    def power(self) -> PowerChanged:
        """See `Ups.power`."""
        return self._power

    def _interrupt(self) -> None:
        link = self._link
        if link is not None:
            link.close()

    def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stop.is_set():
            try:
                link = self._link = NutLink(self._config.host, self._config.tcp_port, deadline_s=self._config.deadline_s)
                try:
                    while not self._stop.is_set():
                        self._ask(link)
                        retry_s = FIRST_RETRY_S
                        self._stop.wait(self._config.poll_s)
                finally:
                    link.close()
            except NutDown as down:
                self._unheard(down.reason, **down.args_of_reason)
            except Exception as error:
                log.exception("driver failed", peripheral=self.name)
                self._unheard("hal.driver_failed", error=f"{type(error).__name__}: {error}")
            self._stop.wait(retry_s)
            retry_s = min(retry_s * 2, LAST_RETRY_S)

    def _ask(self, link: NutLink) -> None:
        """One round of questions. Raises NutDown."""
        ups = self._config.ups
        try:
            status = link.variable(ups, "ups.status")
            charge = whole(link.variable(ups, "battery.charge"), 100)
            runtime_s = whole(link.variable(ups, "battery.runtime"), 10_000_000)
        except NutRefused as refused:
            self._refused(link, refused.code)
            return
        state, reason = judge(status or "")
        if reason == "ups.no_data":
            self._unheard(reason)
            return
        if state == "battery" and runtime_s is not None and runtime_s < self._config.low_runtime_s:
            state, reason = "low", "ups.battery_low"
        self._heard_s = time.monotonic()
        self._tell(PowerChanged(state, runtime_s, charge), reason)

    def _refused(self, link: NutLink, code: str) -> None:
        reason = _REFUSALS.get(code, "ups.refused")
        if reason == "ups.unknown_name":
            self._unheard(reason, ups=self._config.ups, known=", ".join(link.names())[:200] or "-")
        elif reason == "ups.refused":
            self._unheard(reason, code=code[:200])
        else:
            self._unheard(reason)

    def _unheard(self, reason: str, **args: str) -> None:
        """Nothing is known now. On battery that is no comfort: as NUT's own monitor does, the worst is assumed after a while."""
        before = self._power.state
        if before == "low" or (before == "battery" and time.monotonic() - self._heard_s >= self._config.dead_s):
            state: PowerState = "low"
        else:
            state = "battery" if before == "battery" else "unknown"
        self._tell(PowerChanged(state), reason, **args)

    def _tell(self, power: PowerChanged, reason: str, **args: str) -> None:
        if self._stop.is_set():
            return
        self._power = power
        self._health.set(reason, **args)
        if power.state == self._told:
            return
        self._told = power.state
        self._emit(power)

    def shut_down(self) -> None:
        """See `Ups.shut_down`."""
        if self._config.shutdown == "none":
            log.warning("the battery is nearly empty, and shutdown is none: nothing switches this computer off")
            return
        if self._ending.acquire(blocking=False):
            threading.Thread(target=self._switch_off, name=f"hal-{self.name}-off", daemon=True).start()

    def _switch_off(self) -> None:
        try:
            subprocess.run(self._poweroff, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=POWEROFF_DEADLINE_S)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error).encode()
            log.error("the computer could not be switched off", error=str(error))
            self._health.set("ups.shutdown_failed", error=said.decode("utf-8", "replace").strip()[:200])
        finally:
            self._ending.release()
