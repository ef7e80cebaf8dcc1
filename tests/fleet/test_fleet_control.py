"""What is wanted of devices, windows, commands with their true state, pictures and packs, on a real store."""

import re

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device
from hypothesis import given
from hypothesis import strategies as st

from demo.seed.picture import sketch_png
from fleet.control.orders import ControlError
from fleet.control.rules import ENDS, LIVE, Transition, transition
from fleet.control.settings import SETTINGS, SettingRefused, read_settings
from fleet.registry.records import NotKnown
from runtime.config import DeviceConfig, dotted, with_overrides
from wire.codec import decode
from wire.messages import Command, Desired, Picture, Report, SignedDesired
from wire.signing import verify

__all__ = ["blank", "clock", "fleet"]


class Broker:
    """Stands for the link: keeps what is published, confirms when told."""

    def __init__(self) -> None:
        self.is_up = True
        self.sent = []
        self.confirm = []

    def publish(self, tenant, device, channel, payload, *, retain=False, expires_s=None, on_sent=None):
        if not self.is_up:
            return False
        self.sent.append((device, channel, payload, retain, expires_s))
        if on_sent:
            self.confirm.append(on_sent)
        return True

    def of(self, channel):
        return [each for each in self.sent if each[1] == channel]


@pytest.fixture
def broker(fleet):
    made = Broker()
    fleet.control.attach(made)
    return made


@pytest.fixture
def device(fleet):
    return place_device(fleet, 1).name


def desired_of(fleet, device) -> Desired:
    signed = decode(fleet.control.refresh(device), SignedDesired)
    verify(fleet.keys.signing.verify_key, "desired", signed.signed, signed.signature)
    return decode(signed.signed, Desired)


def test_a_window_s_evaluator_is_told_its_card_signed_and_retained(fleet, broker, device):
    fleet.control.set_window("yunxi", "12", by="anna", state="serving", clerk="112", ticket="A1")
    card = desired_of(fleet, device).window
    assert (card.state, card.clerk.name, card.ticket) == ("serving", "李强", "A1")
    assert [(each[0], each[3]) for each in broker.of("desired")] == [(device, True)]


def test_the_version_grows_only_when_something_changed(fleet, broker, device):
    assert [desired_of(fleet, device).version for _ in range(3)] == [1, 1, 1]
    fleet.control.set_window("yunxi", "12", by="anna", state="paused")
    assert desired_of(fleet, device).version == 2
    assert len(broker.of("desired")) == 2


def test_a_window_change_tells_only_its_own_evaluators(fleet, broker, device):
    place_device(fleet, 2, window="06")
    fleet.control.set_window("yunxi", "12", by="anna", state="serving")
    assert {each[0] for each in broker.of("desired")} == {device}


def test_a_broker_that_lost_its_state_gets_everything_again(fleet, broker, device):
    fleet.control.refresh_all()
    broker.sent.clear()
    fleet.control.republish()
    assert [each[0] for each in broker.of("desired")] == [device]


def test_a_device_that_was_moved_is_told_by_the_next_round(fleet, broker, device):
    fleet.control.refresh_all()
    fleet.registry.place(device, hall="yunxi", window="06", label={"zh": "新"}, by="anna", at_ms=NOW_MS)
    fleet.control.refresh_all()
    assert desired_of(fleet, device).placement.window == "06"


def test_the_list_of_settings_is_the_device_s_own_with_its_limits():
    """The device refuses what is out of its range; the form must not offer more, less or other defaults."""
    device = DeviceConfig(role="terminal", data_dir="/d")
    usual = {name: value for name, value in dotted(device).items() if with_overrides(device, {name: value})[1] == []}
    assert set(SETTINGS) == set(usual)
    for name, setting in SETTINGS.items():
        assert setting.usual == (f"{usual[name]:g}" if isinstance(usual[name], float) else str(usual[name]))
        if setting.kind in ("whole", "number"):
            for value, is_fine in (
                (setting.low, True), (setting.high, True), (setting.low - 1, False), (setting.high + 1, False),
            ):  # fmt: skip
                given = int(value) if setting.kind == "whole" else float(value)
                clash = [text for text in with_overrides(device, {name: given})[1] if name in text]
                assert (not clash) is is_fine, (name, given)
                for role in setting.roles:
                    if is_fine:
                        assert read_settings({name: str(value)}, role=role) == {name: value}
                    else:
                        with pytest.raises(SettingRefused, match=f"set it to .*{setting.low:g}–{setting.high:g}"):
                            read_settings({name: str(value)}, role=role)


def test_settings_and_notice_reach_the_device_signed_and_can_be_taken_back(fleet, broker, device):
    fleet.control.set_settings(device, {"rating.reasons_s": "30", "language": "ko", "phone": ""}, by="anna", notice={"zh": "停电"})
    wanted = desired_of(fleet, device)
    assert (wanted.settings, wanted.notice) == ({"rating.reasons_s": 30.0, "language": "ko"}, {"zh": "停电"})
    assert with_overrides(DeviceConfig(role="evaluator", data_dir="/d"), wanted.settings)[1] == []
    assert "rating.reasons_s=30" in fleet.audit.read(search="device.settings")[0].detail
    fleet.control.set_settings(device, {}, by="anna")
    assert (desired_of(fleet, device).settings, desired_of(fleet, device).notice) == ({}, None)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"data_dir": "/x"}, "cannot set 'data_dir'; it may set language"),
        ({"rating.reason_s": 20}, "did you mean rating.reasons_s"),
        ({"idle.after_s": 60}, "cannot set 'idle.after_s'"),
        ({"rating.reasons_s": "soon", "language": "fr"}, "set it to a number 5–120; language is 'fr'; set it to zh, ko, en"),
        ({"panel.day_from": 7.5}, "a whole number 0–23"),
        ({"panel.day_from": 8, "panel.night_from": 8}, "same hour"),
        ({"phone": "0\x00"}, "at most 40 printable"),
    ],
)
def test_a_setting_that_cannot_be_given_is_refused_with_the_reason(fleet, device, settings, told):
    with pytest.raises(SettingRefused, match=re.escape(told)):
        fleet.control.set_settings(device, settings, by="anna")
    assert fleet.control.settings(device) == ({}, None)


@pytest.mark.parametrize(
    ("notice", "told"), [({"en": "No power"}, "needs its Chinese words"), ({"zh": "停" * 61}, "61 characters; at most 60")]
)
def test_a_notice_that_would_not_fit_or_has_no_chinese_is_refused_and_not_cut(fleet, device, notice, told):
    with pytest.raises(SettingRefused, match=told):
        fleet.control.set_settings(device, {}, by="anna", notice=notice)


def test_an_impossible_window_state_and_an_unknown_window_or_clerk_are_refused(fleet):
    with pytest.raises(ControlError, match="serving, paused or closed"):
        fleet.control.set_window("yunxi", "12", by="anna", state="open")
    with pytest.raises(NotKnown):
        fleet.control.set_window("yunxi", "99", by="anna", state="serving")
    with pytest.raises(NotKnown):
        fleet.control.set_window("yunxi", "12", by="anna", clerk="999")


def test_a_command_is_queued_then_sent_then_what_the_device_says(fleet, broker, device):
    order = fleet.control.orders.give(device, "identify", by="anna")
    assert fleet.control.orders.get(order).state == "queued"
    broker.confirm[0]()
    assert fleet.control.orders.get(order).state == "sent"
    for state in ("received", "running", "done"):
        fleet.control.orders.take_report(device, Report(command=order, state=state, at_ms=NOW_MS))
        assert fleet.control.orders.get(order).state == state
    sent = decode(broker.of("command")[0][2], Command)
    assert (sent.verb, sent.id) == ("identify", order)
    assert fleet.audit.read()[0].action == "command.identify"


def test_a_command_given_without_a_broker_is_sent_when_it_is_back(fleet, broker, device):
    broker.is_up = False
    order = fleet.control.orders.give(device, "picture", by="anna")
    broker.is_up = True
    fleet.control.republish()
    assert decode(broker.of("command")[0][2], Command).id == order


def test_a_command_nobody_answered_expires_and_a_late_end_is_still_believed(fleet, broker, device, clock):
    order = fleet.control.orders.give(device, "picture", by="anna", ttl_ms=60_000)
    clock.on(seconds=61)
    assert fleet.control.orders.expire() == 1
    assert fleet.control.orders.get(order).state == "expired"
    fleet.control.orders.take_report(device, Report(command=order, state="failed", at_ms=NOW_MS, detail="face.down"))
    assert fleet.control.orders.get(order).state == "failed"


def test_another_device_cannot_report_a_command_done(fleet, broker, device):
    other = place_device(fleet, 2, window="06").name
    order = fleet.control.orders.give(device, "identify", by="anna")
    assert not fleet.control.orders.take_report(other, Report(command=order, state="done", at_ms=NOW_MS))
    assert fleet.control.orders.get(order).state == "queued"


def test_a_revoked_device_and_an_unknown_verb_take_no_orders(fleet, device):
    with pytest.raises(ControlError, match="no order"):
        fleet.control.orders.give(device, "self_destruct", by="anna")
    fleet.registry.on_revoke = None
    fleet.registry.revoke(device, by="anna", why="lost")
    with pytest.raises(ControlError, match="revoked"):
        fleet.control.orders.give(device, "identify", by="anna")


@given(st.lists(st.sampled_from([*LIVE, *ENDS]), max_size=10))
def test_states_go_forward_only_and_ends_are_final(reports):
    state, rank = "queued", {"queued": 0, "sent": 1, "received": 2, "running": 3}
    for reported in reports:
        before = state
        if transition(state, reported) is Transition.TAKE:
            state = reported
        if before in ("done", "failed", "refused"):
            assert state == before
        elif before in rank and state in rank:
            assert rank[state] >= rank[before]


def test_a_picture_is_kept_only_if_it_was_asked_of_this_device_and_is_one(fleet, broker, device):
    order = fleet.control.orders.give(device, "picture", by="anna")
    good = Picture(command=order, at_ms=NOW_MS, screen="idle", png=sketch_png())
    other = place_device(fleet, 2, window="06").name
    assert not fleet.control.orders.take_picture(other, good)
    assert not fleet.control.orders.take_picture(device, Picture(command=b"x" * 16, at_ms=NOW_MS, screen="idle", png=good.png))
    assert not fleet.control.orders.take_picture(
        device, Picture(command=order, at_ms=NOW_MS, screen="idle", png=b"<svg onload=alert(1)>")
    )
    assert fleet.control.orders.take_picture(device, good)
    assert fleet.control.orders.picture(device).png == good.png


def test_the_last_picture_replaces_the_one_before(fleet, broker, device):
    for screen in ("idle", "ask"):
        order = fleet.control.orders.give(device, "picture", by="anna")
        fleet.control.orders.take_picture(device, Picture(command=order, at_ms=NOW_MS, screen=screen, png=sketch_png()))
    assert fleet.control.orders.picture(device).screen == "ask"


def test_a_published_pack_is_kept_by_its_hash_and_told_to_the_hall(fleet, broker, device, tmp_path):
    pack = tmp_path / "a.nwpack"
    pack.write_bytes(b"pack one")
    ref = fleet.control.packs.publish("yunxi", pack, version="v1", manifest=b"m", built_ms=1, by="anna")
    assert (fleet.control.packs.folder / ref.sha256.hex()).read_bytes() == b"pack one"
    assert desired_of(fleet, device).content == ref


def test_publishing_an_older_pack_again_brings_it_back(fleet, tmp_path, clock):
    for version in ("v1", "v2"):
        (tmp_path / version).write_bytes(version.encode())
        fleet.control.packs.publish("yunxi", tmp_path / version, version=version, manifest=b"", built_ms=1, by="anna")
        clock.on(seconds=1)
    fleet.control.packs.publish("yunxi", tmp_path / "v1", version="v1", manifest=b"", built_ms=1, by="anna")
    assert fleet.control.packs.current("yunxi").version == "v1"


def test_an_empty_pack_is_refused(fleet, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(ValueError, match="0 bytes"):
        fleet.control.packs.publish("yunxi", tmp_path / "empty", version="v", manifest=b"", built_ms=1, by="anna")
