"""Halls, windows, staff, devices and dated placements: what the registry keeps and what it refuses, on both databases."""

import pytest
from fleet_model import NOW_MS, ModelDevice, register
from sqlalchemy import insert

from fleet.config import FILE, ConfigError, load_config
from fleet.hall.items import ContentMissing, Items
from fleet.keys import KeysError, load_keys, make_keys
from fleet.registry.records import Area, Hall, NotKnown, Person, Refused, Tenant, Window
from fleet.registry.service import Registry
from fleet.registry.tables import certificates
from fleet.setup import revoked_serials
from fleet.store import open_store
from pack.model import Department, Item, Text

LABEL = {"zh": "24小时自助服务区 · 1号机", "ko": "1호기", "en": "No. 1"}


class Rig:
    """A registry with one tenant, two halls, two windows, and a device."""

    def __init__(self, location):
        self.store = open_store(location, writes="fleet")
        self.ms = NOW_MS
        self.revoked = []
        self.registry = Registry(self.store, clock=lambda: self.ms, on_revoke=self.revoked.append)
        self.registry.put(Tenant(name="county", title={"zh": "云溪县"}))
        for code in ("h1", "h2"):
            self.registry.put(Hall(code=code, tenant="county", title={"zh": f"大厅{code}"}))
        for number in ("1", "2"):
            self.registry.put(Window(hall="h1", number=number, business={"zh": "社保"}, place={"zh": "一楼"}))
        self.device = ModelDevice()
        register(self.store, self.device)

    def place(self, hall="h1", window="1", at_ms=None):
        return self.registry.place(self.device.name, hall=hall, window=window, label=LABEL, by="op", at_ms=at_ms)


@pytest.fixture
def rig(made_store):
    return Rig(made_store)


def test_records_are_given_back_as_they_were_put(rig):
    window = Window(hall="h1", number="7", business={"zh": "户籍", "en": "Residence"}, place={"zh": "二楼"}, department="d")
    person = Person(hall="h1", number="007", name="李梅", post={"zh": "窗口人员"}, photo=b"\x89PNG")
    for record in (window, person):
        rig.registry.put(record)
    assert rig.registry.window("h1", "7") == window
    assert rig.registry.person("h1", "007") == person
    assert rig.registry.staff("h1") == [person]


def test_putting_a_record_again_replaces_it(rig):
    rig.registry.put(Hall(code="h1", tenant="county", title={"zh": "新大厅"}, demonstration=True))
    assert (rig.registry.hall("h1").title, rig.registry.hall("h1").demonstration) == ({"zh": "新大厅"}, True)
    assert len(rig.registry.halls()) == 2


@pytest.mark.parametrize(
    "record",
    [
        Hall(code="h3", tenant="elsewhere", title={"zh": "x"}),
        Hall(code="h3", tenant="county", title={"zh": "x"}, area="000000"),
        Window(hall="h9", number="1", business={"zh": "x"}, place={"zh": "x"}),
        Person(hall="h9", number="1", name="x"),
        Area(code="1", tenant="elsewhere", title={"zh": "x"}),
    ],
)
def test_a_record_that_names_something_unregistered_is_refused(rig, record):
    with pytest.raises(Refused, match="is not registered; add it first"):
        rig.registry.put(record)


@pytest.mark.parametrize("name", ["", "County", "a/b", "a+", "#", "a" * 64, "云溪"])
def test_a_tenant_name_that_could_break_a_topic_is_refused(rig, name):
    with pytest.raises(Refused, match="lower-case letters"):
        rig.registry.put(Tenant(name=name, title={"zh": "x"}))


def test_what_is_not_there_is_named(rig):
    for ask in (
        lambda: rig.registry.hall("h9"),
        lambda: rig.registry.window("h1", "9"),
        lambda: rig.registry.person("h1", "9"),
        lambda: rig.registry.device("nwx"),
    ):
        with pytest.raises(NotKnown, match="is not registered"):
            ask()


def test_a_device_without_placement_stands_nowhere(rig):
    assert rig.registry.placement(rig.device.name) is None
    assert rig.registry.placed_now() == []


def test_placements_are_dated(rig):
    rig.place(window="1", at_ms=NOW_MS)
    rig.place(window="2", at_ms=NOW_MS + 100)
    at = lambda ms: rig.registry.placement(rig.device.name, at_ms=ms)  # noqa: E731
    assert at(NOW_MS - 1) is None
    assert [at(NOW_MS).window, at(NOW_MS + 99).window, at(NOW_MS + 100).window, at(2**53 - 1).window] == ["1", "1", "2", "2"]
    assert [(p.from_ms, p.until_ms) for p in rig.registry.placements(rig.device.name)] == [
        (NOW_MS, NOW_MS + 100),
        (NOW_MS + 100, None),
    ]


def test_moving_a_device_does_not_change_where_it_stood(rig):
    rig.place(hall="h1", window="1")
    rig.ms += 1_000
    rig.place(hall="h2", window="")
    assert rig.registry.placement(rig.device.name, at_ms=NOW_MS).hall == "h1"
    assert [device.name for device in rig.registry.devices(hall="h2")] == [rig.device.name]
    assert rig.registry.devices(hall="h1") == []


def test_a_placement_before_a_later_one_is_refused(rig):
    rig.place(at_ms=NOW_MS + 100)
    with pytest.raises(Refused, match="begins after"):
        rig.place(at_ms=NOW_MS)
    assert len(rig.registry.placements(rig.device.name)) == 1


@pytest.mark.parametrize(("hall", "window"), [("h9", ""), ("h1", "9"), ("h2", "1")])
def test_a_device_cannot_be_placed_where_nothing_is(rig, hall, window):
    with pytest.raises(NotKnown, match="add it first"):
        rig.place(hall=hall, window=window)


def test_an_unknown_device_cannot_be_placed(rig):
    with pytest.raises(NotKnown, match="device 'nwx'"):
        rig.registry.place("nwx", hall="h1", label=LABEL, by="op")


def test_revoking_marks_device_and_certificates_and_tells_the_broker_side(rig):
    with rig.store.write() as connection:
        for serial, subject in (("aa", rig.device.name), ("bb", "nwother")):
            connection.execute(insert(certificates).values(serial=serial, subject=subject, issued_ms=1, expires_ms=2, der=b""))
    rig.place()
    rig.registry.revoke(rig.device.name, by="op", why="stolen")
    device = rig.registry.device(rig.device.name)
    assert (device.is_revoked, device.revoked_by, device.revoked_why) == (True, "op", "stolen")
    assert revoked_serials(rig.store) == [("aa", NOW_MS)]
    assert rig.revoked == [rig.device.name]
    assert rig.registry.placed_now() == []


def test_the_first_revocation_stands_and_a_second_closes_the_link_again(rig):
    rig.registry.revoke(rig.device.name, by="op", why="stolen")
    rig.ms += 1
    rig.registry.revoke(rig.device.name, by="other", why="again")
    device = rig.registry.device(rig.device.name)
    assert (device.revoked_ms, device.revoked_why, len(rig.revoked)) == (NOW_MS, "stolen", 2)


def test_revoking_a_stranger_is_refused(rig):
    with pytest.raises(NotKnown):
        rig.registry.revoke("nwx", by="op", why="?")
    assert rig.revoked == []


def item(code, name="事项"):
    return Item(code=code, name=Text(zh=name), department="d1")


def test_items_are_kept_with_a_version_that_counts_their_changes(rig):
    items = Items(rig.store)
    assert (
        items.put("h1", [item("a"), item("b"), Department(code="d1", name=Text(zh="局"), short_name=Text(zh="局"))], by="op") == 3
    )
    assert items.put("h1", [item("a"), item("b", "新名")], by="op") == 1
    assert [items.version("h1", code) for code in ("a", "b", "c")] == [1, 2, 0]
    assert items.items("h1") == {"a": item("a"), "b": item("b", "新名")}
    assert items.items("h2") == {}


def test_a_hall_without_a_card_has_no_content_to_build(rig):
    with pytest.raises(ContentMissing, match=r"import hall\.json"):
        Items(rig.store).content("h1")


def test_every_fault_of_the_configuration_is_told_at_once(tmp_path):
    (tmp_path / FILE).write_text('tennant = "x"\n[broker]\nport = 70000\nhosst = "a"\n[ingest]\nbatch_messages = "many"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert "did you mean tenant?" in lines[0]
    assert "broker.port is 70000" in lines[1]
    assert "did you mean broker.host?" in lines[2]
    assert "ingest.batch_messages is 'many'" in lines[3]


@pytest.mark.parametrize(
    ("text", "what"),
    [("tenant = ", "Invalid value"), ('tenant = "A b"', "lower-case letters"), ('database = "mysql://x"', "leave it empty")],
)
def test_a_configuration_that_cannot_work_is_refused(tmp_path, text, what):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match=what):
        load_config(tmp_path)


def test_without_a_file_everything_has_a_default(tmp_path):
    assert load_config(tmp_path).broker.port == 8883


def test_keys_are_made_once_and_stay(tmp_path):
    make_keys(tmp_path)
    first = load_keys(tmp_path)
    make_keys(tmp_path)
    again = load_keys(tmp_path)
    assert [bytes(first.signing), bytes(first.seal)] == [bytes(again.signing), bytes(again.seal)]
    assert bytes(first.signing) != bytes(first.seal)


def test_keys_that_others_may_read_are_refused(tmp_path):
    make_keys(tmp_path)
    (tmp_path / "seal.key").chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        load_keys(tmp_path)


def test_a_missing_or_cut_key_says_what_to_do(tmp_path):
    make_keys(tmp_path)
    (tmp_path / "seal.key").write_bytes(b"short")
    with pytest.raises(KeysError, match="has 5 bytes instead of 32"):
        load_keys(tmp_path)
    (tmp_path / "signing.key").unlink()
    with pytest.raises(KeysError, match="restore it from a backup"):
        load_keys(tmp_path)
