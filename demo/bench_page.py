"""The hardware bench: a page on which a person is the citizen. Each button does to the simulated hardware what a hand would do."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from demo.device import LEVEL_BUTTONS, Device
from hal.sim.control import ControlError

PAGE = Path(__file__).with_name("bench.html")
Share = Annotated[float, Field(ge=0, le=1)]


class Touch(BaseModel):
    """Where the picture of the screen was clicked, as shares of its width and height."""

    x: Share
    y: Share


class Act(BaseModel):
    """One thing a hand does, by name; `value` where it needs one."""

    act: str
    value: str = ""


def actions(device: Device) -> dict[str, Callable[[str], Any]]:
    """What hands can do to this device."""
    common: dict[str, Callable[[str], Any]] = {
        "network_cut": lambda _: device.network("cut"),
        "network_silent": lambda _: device.network("silent"),
        "network_whole": lambda _: device.network("whole"),
        "power_off": lambda _: device.power(on=False),
        "power_on": lambda _: device.power(on=True),
    }
    if device.role == "evaluator":
        return common | {f"press_{level}": lambda _, name=name: device.press(name) for level, name in LEVEL_BUTTONS.items()}
    return common | {
        "card_insert": lambda kind: device.reader({"do": "insert", "kind": kind or "resident"}),
        "card_remove": lambda _: device.reader({"do": "remove"}),
        "paper_take": lambda _: device.printer({"do": "take_paper"}),
        "paper_out": lambda _: device.printer({"do": "paper_out", "after_mm": 0}),
        "paper_near_end": lambda _: device.printer({"do": "paper_near_end"}),
        "paper_load": lambda _: device.printer({"do": "load_paper", "mm": 50_000}),
        "cover_open": lambda _: device.printer({"do": "cover", "open": True}),
        "cover_close": lambda _: device.printer({"do": "cover", "open": False}),
        "door_open": lambda _: device.door(is_open=True),
        "door_close": lambda _: device.door(is_open=False),
    }


def state_of(device: Device) -> dict[str, Any]:
    """How the device's surroundings are: power, network, lamps, and a terminal's paper and card."""
    told: dict[str, Any] = {
        "power": device.has_power,
        "network": device.cables[0].mode if device.cables else "whole",
        "lamps": device.lamps(),
    }
    if device.role == "terminal":
        try:
            told |= {"printer": device.printer({"do": "state"}), "card": device.reader({"do": "state"}).get("card")}
        except ControlError as error:
            told["trouble"] = str(error)
    return told


def bench_app(devices: Mapping[str, Device], *, invite: Callable[[str], str], console_url: str) -> FastAPI:
    """The page and its few calls. `invite(device name)` makes a clerk finish a service there, and gives a sentence about it."""
    app = FastAPI(title="Nightwindow hardware bench", docs_url=None, redoc_url=None)

    def find(name: str) -> Device:
        if name not in devices:
            raise HTTPException(404, f"there is no device {name}; there are {', '.join(devices)}")
        return devices[name]

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return PAGE.read_text(encoding="utf-8").replace("{{console}}", console_url)

    @app.get("/devices")
    def listed() -> list[dict[str, Any]]:
        return [
            {"name": d.name, "role": d.role, "label": d.label, "w": d.screen.width, "h": d.screen.height} for d in devices.values()
        ]

    _pictures(app, find)

    @app.post("/devices/{name}/touch", status_code=204)
    def touch(name: str, at: Touch) -> None:
        find(name).touch_at(at.x, at.y)

    @app.post("/devices/{name}/do")
    def do(name: str, act: Act) -> dict[Literal["done"], str]:
        known = actions(find(name)) | {"invite": lambda _: invite(name)}
        if act.act not in known:
            raise HTTPException(422, f"{act.act!r} cannot be done here; known: {', '.join(known)}")
        try:
            said = known[act.act](act.value)
        except (ControlError, RuntimeError) as error:
            raise HTTPException(409, str(error)) from error
        return {"done": said if isinstance(said, str) else act.act}

    return app


def _pictures(app: FastAPI, find: Callable[[str], Device]) -> None:
    """What can be looked at: screens, the state of the hardware, the paper."""

    @app.get("/devices/{name}/screen.jpg")
    def screen(name: str, width: Annotated[int, Field(ge=80, le=1920)] = 540) -> Response:
        return Response(find(name).hands.look(width=width), media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @app.get("/devices/{name}/state")
    def state(name: str) -> dict[str, Any]:
        return state_of(find(name))

    @app.get("/devices/{name}/paper.png")
    def paper(name: str) -> Response:
        try:
            png = find(name).printer({"do": "paper"}).get("png", "")
        except ControlError as error:
            raise HTTPException(409, str(error)) from error
        return Response(base64.b64decode(png), media_type="image/png", headers={"Cache-Control": "no-store"})
