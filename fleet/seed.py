"""An invented hall for screenshots and tests: devices, a month of ratings as signed entries, trouble of every kind, people.

Entries go through the real intake with real signatures; nothing here is used by a running fleet.
"""

import datetime as dt
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey
from sqlalchemy import insert

from fleet.app import open_fleet
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake, Message
from fleet.ratings.tables import services
from fleet.registry import tables
from fleet.registry.pairing import device_name
from fleet.registry.records import Hall, Person, Window
from fleet.services import Fleet
from fleet.setup import prepare
from fleet.store import open_store
from fleet.watch.tables import gauges
from pack.model import Department, Item, Text
from pack.model import Hall as HallCard
from wire.codec import encode
from wire.custody import make_batch
from wire.entry import NO_HASH, SYNCED, Entry, make_entry
from wire.kinds import (
    CloseSecret,
    JournalOpened,
    PressSecret,
    PrintAsked,
    PrintFinished,
    RatingClosed,
    RatingInvited,
    RatingPressed,
    SessionClosed,
    SessionOpened,
    encode_body,
)
from wire.leaf import leaf, new_secret, seal
from wire.messages import DeviceState, Invitation, PartHealth, Picture, Presence, Report
from wire.pairing import Commit, Offer, commitment, make_reveal
from wire.topics import topic

PASSWORD = "demonstration-only"
HOUR, DAY = 3_600_000, 86_400_000
WINDOWS = (
    ("12", "不动产登记", "Property", "二楼东区", 0.97),
    ("06", "商事登记", "Companies", "一楼", 0.965),
    ("07", "出入境", "Passports", "一楼", 0.95),
    ("21", "医疗保障", "Medical insurance", "二楼西区", 0.93),
    ("17", "住房公积金", "Housing fund", "二楼西区", 0.89),
)
REASONS = {
    5: ("lv5.one_window", "lv5.warm", "lv5.nearby"),
    4: ("lv4.one_list", "lv4.good"),
    3: ("lv3.average",),
    2: ("lv2.three_trips", "lv2.no_list"),
    1: ("lv1.many_windows",),
}


class SeedDevice:
    """A device that makes entries as a real one would."""

    def __init__(self, name_seed: int, *, role: str, hall: str, window: str, label: str) -> None:
        self.key = SigningKey(name_seed.to_bytes(32, "big"))
        self.name = device_name(bytes(self.key.verify_key))
        self.role, self.hall, self.window, self.label = role, hall, window, label
        self.journal_id = name_seed.to_bytes(16, "big")
        self.seq, self.hash = 0, NO_HASH
        self.waiting: list[Entry] = []

    def append(self, kind: str, body: Any, *, at_ms: int, trust: int = SYNCED) -> None:
        """Add one entry to the journal."""
        if self.seq == 0 and kind != "journal.opened":
            opened = JournalOpened(device=self.name, stream="evidence", signing_key=bytes(self.key.verify_key))
            self.append("journal.opened", opened, at_ms=at_ms)
        self.seq += 1
        entry = make_entry(
            journal_id=self.journal_id,
            seq=self.seq,
            kind=kind,
            kind_version=1,
            wall_ms=at_ms,
            clock_trust=trust,
            boot_id=bytes(16),
            mono_ms=0,
            prev_hash=self.hash,
            salt=random.Random(self.seq).randbytes(16),
            body=encode_body(kind, body),
        )
        self.hash = entry.hash
        self.waiting.append(entry)

    def batches(self, tenant: str) -> Iterator[Message]:
        """Everything appended since the last call, as signed messages."""
        first = self.seq - len(self.waiting) + 1
        for start in range(0, len(self.waiting), 100):
            part = self.waiting[start : start + 100]
            payload = make_batch(part, device=self.name, journal_id=self.journal_id, first_seq=first + start, key=self.key)
            yield Message(topic(tenant, self.name, "journal"), payload)
        self.waiting = []

    def rate(
        self,
        level: int | None,
        *,
        at_ms: int,
        seal_key: bytes,
        dice: random.Random,
        stage: str = "finish",
        clerk: str = "",
        item: str = "",
        invited: bool = True,
    ) -> bytes:
        """One rating occasion from invitation to close; `level` None means nobody pressed."""
        rating, occasion = dice.randbytes(16), dice.randbytes(16) if invited else None
        if occasion is not None:
            invitation = Invitation(occasion=occasion, stage=stage, clerk_number=clerk, item_code=item, expires_ms=at_ms + 60_000)  # type: ignore[arg-type]
            self.append("rating.invited", RatingInvited(invitation=invitation), at_ms=at_ms)
        made, standing = None, None
        if level is not None:
            secret = new_secret()
            made = leaf(level, secret)
            sealed = seal(PressSecret(level=level, secret=secret), seal_key)
            press = RatingPressed(rating=rating, occasion=occasion, via=dice.choice(("touch", "button")), leaf=made, sealed=sealed)
            self.append("rating.pressed", press, at_ms=at_ms + 4_000)
            standing = self.seq
        reasons = (dice.choice(REASONS[level]),) if level and dice.random() < 0.6 else ()
        outcome = "not_rated" if level is None else "rated" if occasion else "uninvited"
        closed = RatingClosed(
            rating=rating,
            occasion=occasion,
            outcome=outcome,  # type: ignore[arg-type]
            how="timeout" if level is None else "done",
            standing=standing,
            leaf=made,
            tag_set="1",
            sealed=seal(CloseSecret(reasons=reasons), seal_key) if level else None,
            duration_ms=9_000,
        )
        self.append("rating.closed", closed, at_ms=at_ms + 9_000)
        return rating


def seed_demo(fleet: Fleet, *, now_ms: int, days: int = 30) -> dict[str, SeedDevice]:
    """Fill an initialised, empty fleet; gives the devices by their label. Deterministic but for keys and secrets."""
    dice = random.Random(7)
    _people(fleet)
    _places(fleet)
    devices = _devices(fleet, now_ms)
    _month(fleet, devices, dice, now_ms=now_ms, days=days)
    fleet.control.refresh_all()
    _states(fleet, devices, now_ms)
    _commands(fleet, devices, now_ms)
    _items(fleet)
    fleet.watch.flush()
    fleet.watch.review()
    taken = next((each for each in fleet.watch.incidents.list() if each.reason == "printer.paper_out"), None)
    if taken:
        fleet.watch.incidents.take(taken.no, by="chen")
    _pairing(fleet)
    return devices


def _people(fleet: Fleet) -> None:
    for name, display, role in (
        ("admin", "系统管理员", "admin"),
        ("chen", "陈敏", "operator"),
        ("zhao", "赵监督", "supervisor"),
        ("guest", "值班室", "viewer"),
    ):
        fleet.access.add_user(name, display=display, role=role, password=PASSWORD, by="seed")
    fleet.access.make_key("综合窗口系统", by="admin")


def _places(fleet: Fleet) -> None:
    registry, tenant = fleet.registry, fleet.config.tenant
    registry.put(
        Hall(code="yunxi", tenant=tenant, title={"zh": "云溪县政务服务中心", "en": "Yunxi Service Centre"}, demonstration=True)
    )
    registry.put(
        Hall(code="niuhe", tenant=tenant, title={"zh": "牛河镇便民服务中心", "en": "Niuhe Township Centre"}, demonstration=True)
    )
    for number, zh, en, place, _ in WINDOWS:
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
    paired = now_ms - 40 * DAY
    with fleet.store.write() as connection:
        for each in made:
            row = {"name": each.name, "tenant": fleet.config.tenant, "role": each.role, "signing_key": bytes(each.key.verify_key)}
            row |= {"model": "Raspberry Pi 4", "software": "0.1.0", "paired_ms": paired, "paired_by": "chen"}
            connection.execute(insert(tables.devices).values(**row))
            place = {"device": each.name, "hall": each.hall, "window": each.window, "label": {"zh": each.label}}
            connection.execute(insert(tables.placements).values(**place, from_ms=paired, by="chen"))
    return {each.label: each for each in made}


def _level(share: float, dice: random.Random) -> int:
    if dice.random() > share:
        return dice.choice((2, 2, 1))
    return dice.choices((5, 4, 3), (70, 24, 6))[0]


def _month(fleet: Fleet, devices: dict[str, SeedDevice], dice: random.Random, *, now_ms: int, days: int) -> None:
    """A month of ratings, visits and prints, taken by the intake as if day by day."""
    seal_key, clock = bytes(fleet.keys.seal.public_key), [0]
    store = open_store(fleet.config.database or fleet.data, writes="journal")
    intake = Intake(store, Directory(fleet.store), fleet.keys.signing, clock=lambda: clock[0])
    shares = {row[0]: row[4] for row in WINDOWS}
    given: list[dict[str, Any]] = []
    midnight = now_ms - now_ms % DAY - 8 * HOUR
    for back in range(days - 1, -1, -1):
        start = midnight - back * DAY + 9 * HOUR
        for device in devices.values():
            for number in range(dice.randint(6, 11)):
                at = start + number * 40 * 60_000 + dice.randint(0, 20) * 60_000
                if at > now_ms - 20_000:
                    break
                _occasion(device, at, seal_key, dice, shares, given)
        clock[0] = min(now_ms, start + 9 * HOUR)
        for device in devices.values():
            intake.take(list(device.batches(fleet.config.tenant)))
    store.close()
    with fleet.store.write() as connection:
        connection.execute(insert(services), given)
    fleet.projection.catch_up()


def _occasion(
    device: SeedDevice, at: int, seal_key: bytes, dice: random.Random, shares: dict[str, float], given: list[dict[str, Any]]
) -> None:
    if device.role == "terminal":
        session, job = dice.randbytes(16), dice.randbytes(6).hex()
        device.append("session.opened", SessionOpened(session=session), at_ms=at)
        device.append("print.asked", PrintAsked(job=job, what="notice", session=session), at_ms=at + 30_000)
        outcome = dice.choices(("printed", "not_printed", "unknown"), (95, 4, 1))[0]
        device.append("print.finished", PrintFinished(job=job, what="notice", outcome=outcome, session=session), at_ms=at + 40_000)  # type: ignore[arg-type]
        if dice.random() < 0.4:
            device.rate(_level(0.96, dice), at_ms=at + 50_000, seal_key=seal_key, dice=dice, stage="selfservice")
        how = dice.choices(("done", "timeout"), (85, 15))[0]
        closed = SessionClosed(session=session, how=how, matters=("search", "guide", "notice"), duration_ms=70_000)  # type: ignore[arg-type]
        device.append("session.closed", closed, at_ms=at + 70_000)
        return
    chance = dice.random()
    level = _level(shares.get(device.window, 0.95), dice) if chance < 0.72 else None
    device.rate(
        level,
        at_ms=at,
        seal_key=seal_key,
        dice=dice,
        clerk=f"1{device.window[-2:]}",
        item="000133001000",
        invited=chance < 0.7 or chance > 0.74,
    )
    if dice.random() < 0.3:
        local = dt.datetime.fromtimestamp(at / 1000, dt.UTC) + dt.timedelta(hours=8)
        row = {
            "occasion": dice.randbytes(16),
            "source": "api",
            "hall": device.hall,
            "window": device.window,
            "item": "",
            "stage": "finish",
        }
        given.append(row | {"clerk": "", "at_ms": at, "day": local.date().isoformat(), "hour": local.hour, "invited": False})


def part(name: str, now_ms: int, state: str = "ok", reason: str = "hal.ok", step: str = "next.nothing", **args: str) -> PartHealth:
    """The health of one part since 18 minutes."""
    return PartHealth(part=name, state=state, reason=reason, next_step=step, args=args, since_ms=now_ms - 18 * 60_000)  # type: ignore[arg-type]


def state_of(role: str, now_ms: int, **changes: Any) -> DeviceState:
    """A healthy device's state, with changes."""
    parts = (
        (part("printer", now_ms), part("id_card", now_ms))
        if role == "terminal"
        else (part("buttons", now_ms), part("lamps", now_ms))
    )
    good = DeviceState(
        role=role,  # type: ignore[arg-type]
        at_ms=now_ms,
        boot_id=bytes(16),
        clock_trust=2,
        software="0.1.0",
        face="up",
        face_since_ms=now_ms - 6 * DAY,
        screen="attract" if role == "terminal" else "idle",
        parts=parts,
        configuration_version=1,
        evidence_free=0.93,
        levels={"cpu_temperature_c": 51.0, "disk_free_mb": 18_240.0} | ({"paper_m": 38.0} if role == "terminal" else {}),
    )
    return msgspec.structs.replace(good, **changes)


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
        fleet.watch.take_presence(device.name, Presence(online=not away, connection=4, since_ms=now_ms - DAY))

        version = wanted[device.name][0]
        state = state_of(device.role, now_ms, **({"configuration_version": version} | changes.get(label, {})))
        fleet.watch.take_state(device.name, state, retained=away)
    rows = []
    paper = devices["24小时自助区 · 3号机"].name
    for hours in range(72, 0, -1):
        rows.append({"device": paper, "name": "paper_m", "at_ms": now_ms - hours * HOUR, "value": 6.4 + hours * 0.16})
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


def sketch_png(width: int = 270, height: int = 480) -> bytes:
    """A small PNG that stands for a terminal's screen: paper, a header, six tiles, a lamp."""
    paper, card, ink, lamp = b"\xf6\xf4\xef", b"\xff\xff\xff", b"\x1b\x24\x30", b"\xe8\xa3\x3d"
    rows = []
    for y in range(height):
        row = bytearray(paper * width)
        if 20 <= y < 44:
            row[20 * 3 : 44 * 3] = ink * 24
            row[56 * 3 : 190 * 3] = ink * 134
        if 70 <= y < 110:
            row[20 * 3 : (width - 20) * 3] = card * (width - 40)
        for top in (130, 235, 340):
            if top <= y < top + 92:
                for left in (20, 140):
                    row[left * 3 : (left + 110) * 3] = card * 110
                    if 12 <= y - top < 36:
                        row[(left + 12) * 3 : (left + 36) * 3] = lamp * 24
        rows.append(b"\0" + bytes(row))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


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


def make_request(name: str) -> bytes:
    """A certificate request as a device makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def offer(key: SigningKey, *, role: str = "evaluator", nonce: bytes = bytes(32)) -> bytes:
    """What a new device reveals."""
    name = device_name(bytes(key.verify_key))
    made = Offer(
        device=name,
        role=role,  # type: ignore[arg-type]
        signing_key=bytes(key.verify_key),
        certificate_request=make_request(name),
        software="0.1.0",
        model="Raspberry Pi 5",
        nonce=nonce,
    )
    return encode(made)


def _pairing(fleet: Fleet) -> None:
    begin_pairing(fleet, SigningKey((999).to_bytes(32, "big")))


def begin_pairing(fleet: Fleet, key: SigningKey, *, role: str = "evaluator") -> str:
    """Let a new device ask to be paired; gives its name."""
    data = offer(key, role=role)
    challenge = fleet.pairings.commit(Commit(commitment=commitment(data)), peer="10.0.3.27")
    fleet.pairings.reveal(make_reveal(challenge.pairing, data, key))
    return device_name(bytes(key.verify_key))


def prepare_demo(data: Path, *, now_ms: int, configuration: str = "", days: int = 30) -> None:
    """Make a data directory with an invented hall in it."""
    data.mkdir(parents=True, exist_ok=True)
    if configuration:
        (data / "fleet.toml").write_text(configuration, encoding="utf-8")
    prepare(data, now=dt.datetime.now(dt.UTC))
    fleet = open_fleet(data)
    try:
        seed_demo(fleet, now_ms=now_ms, days=days)
    finally:
        fleet.close()


def serve_demo(data: Path, port: int) -> None:
    """Serve the console over a seeded directory without a broker, the devices kept as if they spoke. Prints the password first."""
    import threading
    import time

    import uvicorn

    from fleet.web import make_web

    print(PASSWORD, flush=True)
    fleet = open_fleet(data)
    fleet.watch.set_broker(True)
    away = {known.device for known in fleet.watch.devices() if known.hall == "niuhe"}

    def speak() -> None:
        while True:
            for known in fleet.watch.devices():
                if known.device not in away:
                    fleet.watch.touch(known.device)
            fleet.watch.review()
            time.sleep(5)

    threading.Thread(target=speak, daemon=True).start()
    uvicorn.run(make_web(fleet), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    import sys
    import time

    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m fleet.seed DATA-DIRECTORY PORT")
    _data = Path(sys.argv[1])
    if not (_data / "fleet.db").exists():
        prepare_demo(_data, now_ms=time.time_ns() // 1_000_000)
    serve_demo(_data, int(sys.argv[2]))
