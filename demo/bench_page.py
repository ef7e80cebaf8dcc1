"""The hardware bench: a page on which a person is the citizen. Each button does to the simulated hardware what a hand would do."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from demo.bench_acts import ON_PINS, Button, groups
from demo.device import Device
from hal.sim.control import ControlError

PAGE = Path(__file__).with_name("bench.html")
Share = Annotated[float, Field(ge=0, le=1)]


class Touch(BaseModel):
    """Where the picture of the screen was clicked, as shares of its width and height."""

    x: Share
    y: Share


class Act(BaseModel):
    """One thing a hand does: the name of a button of `demo.bench_acts`. A switch is thrown over each time."""

    act: str


class Bench:
    """The devices with their buttons; remembers which switches are on."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self._devices = devices
        self._buttons = {name: {b.name: b for group in groups(device) for b in group.buttons} for name, device in devices.items()}
        self._on: dict[str, list[str]] = {name: [] for name in devices}
        self._lock = threading.Lock()

    def act(self, device: Device, name: str) -> None:
        """Press a button. Raises KeyError for one that is not there, ControlError and RuntimeError when it has no effect now."""
        button = self._buttons[device.name][name]
        with self._lock:
            on = self._on[device.name]
            if button.undo is None:
                button.do(device)
            elif name in on:
                button.undo(device)
                on.remove(name)
                if name == "power":
                    on[:] = [other for other in on if other not in ON_PINS]
            else:
                self._throw(device, button)

    def _throw(self, device: Device, button: Button) -> None:
        on, known = self._on[device.name], self._buttons[device.name]
        button.do(device)
        on[:] = [name for name in on if not button.pair or known[name].pair != button.pair] + [button.name]

    def on(self, device: Device) -> list[str]:
        """The switches that are on."""
        return list(self._on[device.name])

    def names(self, device: Device) -> list[str]:
        """Every button of this device."""
        return list(self._buttons[device.name])


def state_of(device: Device) -> dict[str, Any]:
    """How the device's surroundings are: power, lamps and guiding lights, and a terminal's paper and card."""
    told: dict[str, Any] = {"power": device.has_power, "lamps": device.lamps(), "lights": device.lights()}
    if device.role == "terminal":
        try:
            told |= {"printer": device.printer({"do": "state"}), "card": device.reader({"do": "state"}).get("card")}
        except ControlError as error:
            told["trouble"] = str(error)
    return told


def bench_app(devices: Mapping[str, Device], *, invite: Callable[[str], str], console_url: str) -> FastAPI:
    """The page and its few calls. `invite(device name)` makes a clerk finish a service there, and gives a sentence about it."""
    app = FastAPI(title="Nightwindow hardware bench", docs_url=None, redoc_url=None)
    bench = Bench(devices)

    def find(name: str) -> Device:
        if name not in devices:
            raise HTTPException(404, f"there is no device {name}; there are {', '.join(devices)}")
        return devices[name]

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return PAGE.read_text(encoding="utf-8").replace("{{console}}", console_url)

    @app.get("/devices")
    def listed() -> list[dict[str, Any]]:
        return [_listed(device) for device in devices.values()]

    _pictures(app, find, bench)

    @app.post("/devices/{name}/touch", status_code=204)
    def touch(name: str, at: Touch) -> None:
        find(name).touch_at(at.x, at.y)

    @app.post("/devices/{name}/do")
    def do(name: str, act: Act) -> dict[Literal["done"], str]:
        device = find(name)
        try:
            if act.act == "invite" and device.role == "evaluator":
                return {"done": invite(name)}
            bench.act(device, act.act)
        except KeyError as error:
            raise HTTPException(422, f"{act.act!r} cannot be done here; known: {', '.join(bench.names(device))}") from error
        except (ControlError, RuntimeError) as error:
            raise HTTPException(409, str(error)) from error
        return {"done": ""}

    return app


def _listed(device: Device) -> dict[str, Any]:
    shown = [
        {
            "name": group.name, "mark": group.mark, "zh": group.zh, "en": group.en, "shape": group.shape,
            "buttons": [
                {"name": b.name, "zh": b.zh, "en": b.en, "fault": b.fault, "switch": b.undo is not None} for b in group.buttons
            ],
        }
        for group in groups(device)
    ]  # fmt: skip
    about = {"name": device.name, "role": device.role, "label": device.label, "w": device.screen.width, "h": device.screen.height}
    return about | {"groups": shown}


def _pictures(app: FastAPI, find: Callable[[str], Device], bench: Bench) -> None:
    """What can be looked at: screens, the state of the hardware, the paper."""

    @app.get("/devices/{name}/screen.jpg")
    def screen(name: str, width: Annotated[int, Field(ge=80, le=1920)] = 540) -> Response:
        return Response(find(name).hands.look(width=width), media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @app.get("/devices/{name}/state")
    def state(name: str) -> dict[str, Any]:
        device = find(name)
        return state_of(device) | {"on": bench.on(device)}

    @app.get("/devices/{name}/paper.png")
    def paper(name: str) -> Response:
        try:
            png = find(name).printer({"do": "paper"}).get("png", "")
        except ControlError as error:
            raise HTTPException(409, str(error)) from error
        return Response(base64.b64decode(png), media_type="image/png", headers={"Cache-Control": "no-store"})
