"""What hands can do to each device on the hardware bench: one table of groups and buttons, with their words and their effects."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

from demo.device import LEVEL_BUTTONS, Device
from demo.network import Mode
from hal.sim import thermometer

Do = Callable[[Device], Any]

LEVEL_WORDS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
MID_READ_MS = 350
"""A card is taken away so long after it was laid down: a reader needs about a second for it."""
MID_JOB_MM = 40
"""The roll ends so far into the next ticket: after its heading, before its end."""
ON_PINS = ("door", "tamper", "stuck")
"""Switches that a power cut of the device puts back, because its face simulates the pins."""
PASSPORT = "11999999MB0000027M4000102002000"
"""An item of the demonstration's hall, as posters and websites have its code."""
STRANGE_CODE = "https://pay.example.invalid/?to=4711"
NOISE = "00ff37aa55aa967f"
WARM_C, HOT_C = 31.0, 82.0


class Button(NamedTuple):
    """One button: `do` what a hand does. With `undo` it is a switch, which stays on until it is pressed again.

    `fault` sets it apart: it breaks something, and the console must notice. Of switches with the same `pair` one at a time can be
    on: they are positions of one thing, such as a cable that is cut or hangs.
    """

    name: str
    zh: str
    en: str
    do: Do
    undo: Do | None = None
    fault: bool = False
    pair: str = ""


class Group(NamedTuple):
    """Buttons that belong together; `mark` is one character that is seen from afar."""

    name: str
    mark: str
    zh: str
    en: str
    buttons: list[Button]
    shape: Literal["row", "keypad"] = "row"


def groups(device: Device) -> list[Group]:
    """Everything that can be done to `device`, in the order of the page."""
    if device.role == "terminal":
        found = [_card(), _printer(), _scanner(), _keypad(), _cabinet(is_terminal=True), _mains()]
    elif device.on_cables:
        found = [_levels(device), _box(), _clerk_pc()]
    else:
        found = [_levels(device), _cabinet(is_terminal=False), _mains()]
    return [*found, _network(), _power()]


def _sim(kind: str, do: str, /, **options: Any) -> Do:
    return lambda device: device.sim(kind, {"do": do, **options})


def _switch(kind: str, name: str, zh: str, en: str, do: str, /, *, key: str = "on", **options: Any) -> Button:
    """A fault of a simulator that is switched on and off by one command."""
    act, back = _sim(kind, do, **{key: True, **options}), _sim(kind, do, **{key: False})
    return Button(name, zh, en, act, back, fault=True)


def _cable(kind: str) -> list[Button]:
    """What can happen to any serial cable."""
    do = partial(_sim, kind)
    return [
        Button(f"{kind}_unplug", "拔线", "Unplugged", do("unplug"), do("plug"), fault=True),
        Button(f"{kind}_noise", "线路干扰", "Noise", do("noise", bytes=NOISE), fault=True),
        Button(f"{kind}_split", "逐字节到达", "Byte by byte", do("split", bytes=1), do("split", bytes=0), fault=True),
        Button(f"{kind}_delay", "应答迟缓", "Slow", do("delay", ms=250), do("delay", ms=0), fault=True),
        _switch(kind, f"{kind}_silent", "不应答", "Silent", "silence"),
    ]


def _card() -> Group:
    def pulled(device: Device) -> None:
        device.reader({"do": "insert", "kind": "resident"})
        device.reader({"do": "remove", "after_ms": MID_READ_MS})

    def two(device: Device) -> None:
        device.reader({"do": "two_cards", "on": True})
        device.reader({"do": "insert", "kind": "resident"})

    def one(device: Device) -> None:
        device.reader({"do": "remove"})
        device.reader({"do": "two_cards", "on": False})

    kinds = (
        ("resident", "放上身份证", "ID card"),
        ("hmt_resident", "港澳台居住证", "HMT"),
        ("foreigner_2023", "永居证", "PR card"),
    )
    return Group("card", "证", "证件阅读器", "ID-card reader", [
        *(Button(f"card_{kind}", zh, en, _sim("idcard", "insert", kind=kind)) for kind, zh, en in kinds),
        Button("card_remove", "拿走", "Take away", _sim("idcard", "remove")),
        Button("card_pulled", "读一半抽走", "Pulled mid-read", pulled, fault=True),
        Button("card_two", "叠放两张", "Two cards", two, one, fault=True),
        _switch("idcard", "card_unlicensed", "未授权", "Unlicensed", "unlicensed"),
        Button("card_checksum", "校验错", "Bad checksum", _sim("idcard", "wrong_checksum", times=3), fault=True),
        Button("card_length", "长度错", "Bad length", _sim("idcard", "wrong_length", times=3), fault=True),
        *_cable("idcard"),
    ])  # fmt: skip


def _printer() -> Group:
    return Group("printer", "纸", "凭条打印机", "Receipt printer", [
        Button("paper_take", "取纸", "Take paper", _sim("printer", "take_paper")),
        Button("paper_load", "换新纸", "New roll", _sim("printer", "load_paper", mm=50_000)),
        Button("paper_near_end", "纸将尽", "Nearly empty", _sim("printer", "paper_near_end"), fault=True),
        Button("paper_out", "纸尽", "Empty", _sim("printer", "paper_out", after_mm=0), fault=True),
        Button("paper_out_mid", "打到一半没纸", "Empty mid-job", _sim("printer", "paper_out", after_mm=MID_JOB_MM), fault=True),
        _switch("printer", "cover", "开盖", "Cover open", "cover", key="open"),
        _switch("printer", "cutter", "切刀卡纸", "Cutter jam", "cutter_jam"),
        _switch("printer", "head", "打印头过热", "Head hot", "head_hot"),
        *_cable("printer"),
    ])  # fmt: skip


def _scanner() -> Group:
    return Group("scanner", "码", "扫码器", "Scanner", [
        Button("scan_item", "出示护照事项编码", "An item's code", _sim("scanner", "scan", text=PASSPORT)),
        Button("scan_strange", "出示不认识的码", "A strange code", _sim("scanner", "scan", text=STRANGE_CODE), fault=True),
        Button("scan_bytes", "出示乱码", "No text", _sim("scanner", "scan", bytes="81ff81ff"), fault=True),
        *_cable("scanner"),
    ])  # fmt: skip


def _keypad() -> Group:
    signs = [*"123456789", "clear", "0", "enter"]
    words = {"clear": ("清除 ←", "Clear"), "enter": ("确认 ○", "Enter")}
    keys = [Button(f"key_{key}", *words.get(key, (key, "")), lambda device, key=key: device.type_key(key)) for key in signs]
    return Group("keypad", "键", "语音数字键盘", "Keypad", keys, "keypad")


def _levels(device: Device) -> Group:
    buttons = [
        Button(f"press_{level}", f"{level} {LEVEL_WORDS[level]}", "", lambda device, name=name: device.press(name))
        for level, name in LEVEL_BUTTONS.items()
    ]
    if not device.on_cables:
        stuck = Button(
            "stuck", "“满意”键卡住", "Stuck key", lambda device: device.pin("level_4", 0), lambda device: device.pin("level_4", 1),
            fault=True,
        )  # fmt: skip
        buttons.append(stuck)
    return Group("levels", "评", "五个评价按键", "Rating buttons", buttons)


def _box() -> Group:
    return Group("box", "盒", "按键盒与线", "Button box", [
        Button("box_cut", "按键盒断电", "Box loses power", _sim("box", "power_cut"), fault=True),
        Button("box_half", "一帧发到一半断线", "Cut mid-frame", _sim("box", "cut_frame"), _sim("box", "plug"), fault=True),
        Button("box_replay", "重放旧帧", "Replay frames", _sim("box", "replay"), fault=True),
        Button("box_acks", "应答丢失", "Lost answers", _sim("box", "drop_acks", times=3), fault=True),
        Button("box_checksum", "校验错", "Bad checksum", _sim("box", "wrong_checksum", times=3), fault=True),
        Button("box_opened", "盒盖打开", "Box opened", _sim("box", "flags", flags=1), _sim("box", "flags", flags=0), fault=True),
        *_cable("box"),
    ])  # fmt: skip


def _clerk_pc() -> Group:
    return Group("desk", "窗", "窗口电脑的线", "Clerk's cable", _cable("desk"))


def _cabinet(*, is_terminal: bool) -> Group:
    def warm(celsius: float) -> Do:
        return lambda device: thermometer.show_w1(device.folder / "w1", celsius)

    def pulled(device: Device) -> None:
        shutil.rmtree(device.folder / "w1", ignore_errors=True)

    def pins(name: str, zh: str, en: str) -> Button:
        return Button(name, zh, en, lambda device: device.pin(name, 1), lambda device: device.pin(name, 0), fault=True)

    buttons = [pins("tamper", "断开防拆线", "Tamper")]
    if is_terminal:
        buttons = [
            pins("door", "打开柜门", "Door open"),
            *buttons,
            Button("hot", f"柜内 {HOT_C:.0f} °C", "Too hot", warm(HOT_C), warm(WARM_C), fault=True, pair="w1"),
            Button("no_sensor", "拔掉温度探头", "No sensor", pulled, warm(WARM_C), fault=True, pair="w1"),
        ]
    return Group("cabinet", "柜", "机柜", "Cabinet", buttons)


def _mains() -> Group:
    def back(device: Device) -> None:
        device.sim("ups", {"do": "battery", "charge": 100, "runtime_s": 1800})
        device.sim("ups", {"do": "mains", "on": True})

    def low(device: Device) -> None:
        device.sim("ups", {"do": "mains", "on": False})
        device.sim("ups", {"do": "battery", "charge": 8, "runtime_s": 60})

    return Group("ups", "电", "市电与 UPS", "Mains and UPS", [
        Button("mains", "停电", "Mains out", _sim("ups", "mains", on=False), back, fault=True, pair="mains"),
        Button("battery", "停电且电池将尽", "Battery low", low, back, fault=True, pair="mains"),
        _switch("ups", "ups_silent", "UPS 失联", "UPS silent", "silence"),
    ])  # fmt: skip


def _network() -> Group:
    def cable(name: str, zh: str, en: str, mode: Mode) -> Button:
        act, back = (lambda device: device.network(mode)), (lambda device: device.network("whole"))
        return Button(name, zh, en, act, back, fault=True, pair="network")

    cut, silent = cable("network_cut", "拔网线", "Cut", "cut"), cable("network_silent", "网络假死", "Silent", "silent")
    return Group("network", "网", "网线", "Network", [cut, silent])


def _power() -> Group:
    off, on = (lambda device: device.power(on=False)), (lambda device: device.power(on=True))
    return Group("power", "源", "整机电源", "Power", [Button("power", "拔电源", "Power cut", off, on, fault=True)])
