"""An invented hall for pictures of the console: devices, a month of ratings, trouble of every kind. `seed_demo` fills it."""

import random
from typing import Any

from nacl.signing import SigningKey
from sqlalchemy import insert

from demo.seed.device import DAY_MS, SeedDevice, part, state_of
from demo.seed.month import HOUR_MS, live_a_month
from demo.seed.orders import live_with_orders
from demo.seed.pairing import begin_pairing
from demo.seed.picture import sketch_png
from fleet.registry import tables
from fleet.registry.records import Hall, Person, Window
from fleet.services import Fleet
from fleet.watch.tables import gauges
from pack.model import Department, Item, Text
from pack.model import Hall as HallCard
from wire.messages import Picture, Presence, Report

WINDOWS = (
    ("12", "不动产登记", "Property", "二楼东区"),
    ("06", "商事登记", "Companies", "一楼"),
    ("07", "出入境", "Passports", "一楼"),
    ("21", "医疗保障", "Medical insurance", "二楼西区"),
    ("17", "住房公积金", "Housing fund", "二楼西区"),
)


def seed_demo(fleet: Fleet, *, password: str, now_ms: int, days: int = 30) -> dict[str, SeedDevice]:
    """Fill an initialised, empty fleet; gives the devices by their label. Deterministic but for keys and secrets."""
    dice = random.Random(7)
    _people(fleet, password)
    _places(fleet)
    devices = _devices(fleet, now_ms)
    live_a_month(fleet, devices, dice, now_ms=now_ms, days=days)
    fleet.control.refresh_all()
    _states(fleet, devices, now_ms)
    _commands(fleet, devices, now_ms)
    _items(fleet)
    live_with_orders(fleet)
    fleet.watch.flush()
    fleet.watch.review()
    taken = next((each for each in fleet.watch.incidents.list() if each.reason == "printer.paper_out"), None)
    if taken:
        fleet.watch.incidents.take(taken.no, by="chen")
    begin_pairing(fleet, SigningKey((999).to_bytes(32, "big")))
    return devices


def _people(fleet: Fleet, password: str) -> None:
    for name, display, role in (
        ("admin", "系统管理员", "admin"),
        ("chen", "陈敏", "operator"),
        ("zhao", "赵监督", "supervisor"),
        ("qian", "钱监督", "supervisor"),
        ("li", "李科长", "handler"),
        ("guest", "值班室", "viewer"),
    ):
        fleet.access.add_user(name, display=display, role=role, password=password, by="seed")
    fleet.access.make_key("综合窗口系统", by="admin")


def _places(fleet: Fleet) -> None:
    registry, tenant = fleet.registry, fleet.config.tenant
    registry.put(
        Hall(code="yunxi", tenant=tenant, title={"zh": "云溪县政务服务中心", "en": "Yunxi Service Centre"}, demonstration=True)
    )
    registry.put(
        Hall(code="niuhe", tenant=tenant, title={"zh": "牛河镇便民服务中心", "en": "Niuhe Township Centre"}, demonstration=True)
    )
    for number, zh, en, place in WINDOWS:
        registry.put(Window(hall="yunxi", number=number, business={"zh": zh, "en": en}, place={"zh": place}))
        registry.put(
            Person(hall="yunxi", number=f"1{number[-2:]}", name=f"工作人员{number}", post={"zh": "窗口工作人员", "en": "Clerk"})
        )
        fleet.control.set_window(
            "yunxi", number, by="chen", state="serving" if number != "17" else "paused", clerk=f"1{number[-2:]}"
        )
    for number in ("N1", "N2"):
        registry.put(Window(hall="niuhe", number=number, business={"zh": "综合窗口", "en": "General"}, place={"zh": "一楼"}))


def _devices(fleet: Fleet, now_ms: int) -> dict[str, SeedDevice]:
    made = [SeedDevice(100 + n, role="terminal", hall="yunxi", window="", label=f"24小时自助区 · {n}号机") for n in (1, 2, 3)]
    made += [
        SeedDevice(200 + n, role="evaluator", hall="yunxi", window=row[0], label=f"{row[0]}号窗口评价器")
        for n, row in enumerate(WINDOWS)
    ]
    made.append(SeedDevice(300, role="terminal", hall="niuhe", window="", label="牛河自助机"))
    made += [
        SeedDevice(301 + n, role="evaluator", hall="niuhe", window=f"N{n + 1}", label=f"牛河{n + 1}号评价器") for n in range(2)
    ]
    paired = now_ms - 40 * DAY_MS
    with fleet.store.write() as connection:
        for each in made:
            row = {"name": each.name, "tenant": fleet.config.tenant, "role": each.role, "signing_key": bytes(each.key.verify_key)}
            row |= {"model": "Raspberry Pi 4", "software": "0.1.0", "paired_ms": paired, "paired_by": "chen"}
            connection.execute(insert(tables.devices).values(**row))
            place = {"device": each.name, "hall": each.hall, "window": each.window, "label": {"zh": each.label}}
            connection.execute(insert(tables.placements).values(**place, from_ms=paired, by="chen"))
    return {each.label: each for each in made}


def _states(fleet: Fleet, devices: dict[str, SeedDevice], now_ms: int) -> None:
    fleet.watch.set_broker(True)
    wanted = fleet.control.wanted_versions()
    out = (part("printer", now_ms, "down", "printer.paper_out", "next.load_paper"), part("id_card", now_ms))
    near = (part("printer", now_ms, "degraded", "printer.paper_near_end", "next.order_paper"), part("id_card", now_ms))
    changes: dict[str, dict[str, Any]] = {
        "24小时自助区 · 2号机": {"parts": out, "levels": {"paper_m": 0.0}},
        "24小时自助区 · 3号机": {"parts": near, "levels": {"paper_m": 6.4, "cpu_temperature_c": 55.0, "disk_free_mb": 17_800.0}},
        "12号窗口评价器": {"clock_trust": 0},
        "21号窗口评价器": {"face": "hung", "face_since_ms": now_ms - 4 * 60_000, "waiting_entries": 3},
        "17号窗口评价器": {
            "parts": (
                part("buttons", now_ms, "degraded", "buttons.chattering", "next.replace_button", button="3"),
                part("lamps", now_ms),
            )
        },
    }
    for label, device in devices.items():
        away = device.hall == "niuhe"
        fleet.watch.take_presence(device.name, Presence(online=not away, connection=4, since_ms=now_ms - DAY_MS))

        version = wanted[device.name][0]
        state = state_of(device.role, now_ms, **({"configuration_version": version} | changes.get(label, {})))
        fleet.watch.take_state(device.name, state, retained=away)
    rows = []
    paper = devices["24小时自助区 · 3号机"].name
    for hours in range(72, 0, -1):
        rows.append({"device": paper, "name": "paper_m", "at_ms": now_ms - hours * HOUR_MS, "value": 6.4 + hours * 0.16})
    with fleet.store.write() as connection:
        connection.execute(insert(gauges), rows)


def _commands(fleet: Fleet, devices: dict[str, SeedDevice], now_ms: int) -> None:
    name, orders = devices["24小时自助区 · 1号机"].name, fleet.control.orders
    picture = orders.give(name, "picture", by="chen")
    orders.take_report(name, Report(command=picture, state="running", at_ms=now_ms))
    orders.take_picture(name, Picture(command=picture, at_ms=now_ms, screen="attract", png=sketch_png()))
    orders.take_report(name, Report(command=picture, state="done", at_ms=now_ms))
    identify = orders.give(name, "identify", by="chen")
    orders.take_report(name, Report(command=identify, state="received", at_ms=now_ms))


def _items(fleet: Fleet) -> None:
    hall = HallCard(
        code="yunxi",
        name=Text(zh="云溪县政务服务中心", en="Yunxi Service Centre"),
        area_code="999999",
        zones=(Text(zh="综合服务区"),),
        windows=(),
        hours=Text(zh="周一至周五 9:00–17:00"),
        phone="0000-0000000",
        complaint_phone="12345",
        demonstration=True,
    )
    department = Department(code="D1", name=Text(zh="自然资源局", en="Natural Resources"), short_name=Text(zh="自然资源局"))
    names = (
        "不动产转移登记",
        "不动产抵押登记",
        "房屋权属证明查询",
        "个体工商户设立登记",
        "居民身份证换领",
        "普通护照首次申请",
        "城乡居民医保参保登记",
        "公积金提取",
    )
    items = [
        Item(
            code=f"00013300{n}000",
            name=Text(zh=name),
            department="D1",
            popularity=n + 1,
            handling="at_once" if n % 3 == 0 else "promise",
        )
        for n, name in enumerate(names)
    ]
    fleet.items.put("yunxi", [hall, department, *items], by="chen")
