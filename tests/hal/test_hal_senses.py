"""Brightness, volume, headphones and voice: what they do to programs and files, and what they tell when those are missing."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.api import HeadphonesChanged, SpeechEnded
from hal.drivers import alsa_speaker, espeak, neural_voice
from hal.drivers.voice import MAX_TEXT, Voice, silence, spoken
from hal.factory import open_hal
from hal.sim.control import send

FAKES = Path(__file__).parent / "fakes"


@pytest.fixture
def opened(heard, closing, make_config):
    def make(table):
        hal = closing(open_hal(make_config(table), on_event=heard.on_event, on_health=heard.on_health))
        hal.start()
        return hal

    return make


# Backlight


@pytest.fixture
def panel(tmp_path):
    folder = tmp_path / "sys/class/backlight/10-0045"
    folder.mkdir(parents=True)
    (folder / "max_brightness").write_text("31\n")
    (folder / "brightness").write_text("7\n")
    return folder


def lit(panel):
    # Empty for the moment between truncating and writing, which sysfs does not know.
    return int((panel / "brightness").read_text() or -1)


def test_a_panel_is_bright_by_day_dimmed_by_night_and_set_in_percent_of_what_it_can(panel, tmp_path, opened, until):
    (light,) = opened({"backlight": {"driver": "sysfs", "sysfs": str(tmp_path / "sys")}}).peripherals()
    until(lambda: lit(panel) == 31)
    until(lambda: light.health().reason == "hal.ok")
    light.dim(True)
    until(lambda: lit(panel) == 12)
    light.set(0)
    until(lambda: lit(panel) == 0)
    light.dim(False)
    until(lambda: lit(panel) == 31)
    with pytest.raises(ValueError, match="0-100"):
        light.set(101)


def test_a_panel_that_is_missing_is_down_and_gets_its_brightness_when_it_comes(tmp_path, opened, until):
    table = {"driver": "sysfs", "check_s": 0.05, "sysfs": str(tmp_path / "sys")}
    (light,) = opened({"backlight": table}).peripherals()
    until(lambda: light.health().reason == "backlight.missing")
    folder = tmp_path / "sys/class/backlight/late"
    folder.mkdir(parents=True)
    (folder / "max_brightness").write_text("100")
    (folder / "brightness").write_text("3")
    until(lambda: lit(folder) == 100)
    until(lambda: light.health().reason == "hal.ok")


def test_a_panel_that_cannot_be_set_is_told(panel, tmp_path, opened, until):
    (panel / "max_brightness").write_text("not a number")
    (light,) = opened({"backlight": {"driver": "sysfs", "sysfs": str(tmp_path / "sys")}}).peripherals()
    until(lambda: light.health().reason == "backlight.denied")


# Speaker


class Card:
    """The fake sound card's state."""

    def __init__(self, path):
        self.path = path
        self.write({"hw:1": {"Master": "0dB", "Headphone Jack": "off"}})

    def write(self, cards):
        new = self.path.with_suffix(".test")
        new.write_text(json.dumps({"cards": cards}))
        new.replace(self.path)

    def volume(self):
        return json.loads(self.path.read_text())["cards"]["hw:1"]["Master"]

    def table(self, **settings):
        mixer = [sys.executable, str(FAKES / "amixer.py"), str(self.path)]
        return {"speaker": {"driver": "alsa", "device": "hw:1", "mixer": mixer, **settings}}


@pytest.fixture
def card(tmp_path):
    return Card(tmp_path / "card.json")


def test_every_visitor_begins_with_the_normal_volume_and_may_take_twenty_decibels_more(card, opened, until):
    (speaker,) = opened(card.table()).peripherals()
    until(lambda: card.volume() == "-20.00dB", "normal from the start")
    until(lambda: speaker.health().reason == "hal.ok")
    speaker.volume(speaker.steps)
    until(lambda: card.volume() == "0.00dB")
    speaker.volume(1)
    until(lambda: card.volume() == "-15.00dB")
    speaker.reset()
    until(lambda: card.volume() == "-20.00dB")
    with pytest.raises(ValueError, match="0-4"):
        speaker.volume(5)


def test_a_reset_sets_the_volume_also_when_somebody_else_changed_it(card, opened, until):
    (speaker,) = opened(card.table()).peripherals()
    until(lambda: card.volume() == "-20.00dB")
    card.write({"hw:1": {"Master": "-3dB"}})
    speaker.reset()
    until(lambda: card.volume() == "-20.00dB")


def test_headphones_are_told_where_the_card_has_a_contact(card, opened, heard, until):
    (speaker,) = opened(card.table(jack="Headphone Jack", poll_s=0.05)).peripherals()
    until(lambda: speaker.headphones() is False)
    card.write({"hw:1": {"Master": "0dB", "Headphone Jack": "on"}})
    assert heard.next() == HeadphonesChanged(True)
    card.write({"hw:1": {"Master": "0dB", "Headphone Jack": "off"}})
    assert heard.next() == HeadphonesChanged(False)


def test_a_contact_on_a_pin_tells_of_headphones_too(card, opened, heard, tmp_path, until):
    socket = str(tmp_path / "pins.sock")
    table = {"gpio": {"driver": "socket", "socket": socket}, **card.table(jack_pin=20)}
    (speaker,) = opened(table).peripherals()
    until(lambda: speaker.headphones() is False)
    send(socket, {"set": "jack", "value": 0})
    assert heard.next() == HeadphonesChanged(True)


def test_without_a_contact_nobody_knows_of_headphones(card, opened, until):
    (speaker,) = opened(card.table()).peripherals()
    until(lambda: speaker.health().state == "ok")
    assert speaker.headphones() is None


@pytest.mark.parametrize(
    ("settings", "reason", "args"),
    [
        ({"device": "hw:9"}, "speaker.no_mixer", {"error": "amixer: Mixer attach hw:9 error: No such file or directory"}),
        ({"control": "Speaker"}, "speaker.no_control", {"control": "Speaker"}),
        ({"jack": "Jill"}, "speaker.no_control", {"control": "Jill"}),
        ({"mixer": ["/nowhere/amixer"]}, "speaker.no_mixer", None),
    ],
)
def test_what_is_missing_is_named(card, opened, until, settings, reason, args):
    (speaker,) = opened(card.table(**settings)).peripherals()
    until(lambda: speaker.health().reason == reason)
    assert args is None or speaker.health().args == args


def test_a_card_that_comes_back_gets_its_volume_again(card, opened, until):
    card.write({})
    (speaker,) = opened(card.table(poll_s=0.05)).peripherals()
    until(lambda: speaker.health().reason == "speaker.no_mixer")
    card.write({"hw:1": {"Master": "0dB"}})
    until(lambda: card.volume() == "-20.00dB")
    until(lambda: speaker.health().reason == "hal.ok")


@pytest.mark.skipif(not Path("/proc/asound/cards").exists(), reason="no sound card: /proc/asound/cards is missing")
def test_the_real_mixer_understands_the_drivers_questions():
    controls = subprocess.run(["amixer", "-D", "default", "scontrols"], capture_output=True, text=True, check=True).stdout
    first = re.search(r"'(.+)'", controls)
    if first is None:
        pytest.skip("this sound card has no volume")
    assert alsa_speaker.is_there(alsa_speaker.Config(control=first[1]))


# Speech


class Studio:
    """Fake synthesiser and player, and what was heard."""

    def __init__(self, folder):
        self.texts, self.sounds, self.card = folder / "texts", folder / "sounds", folder / "card"
        self.card.touch()
        self.player = (sys.executable, str(FAKES / "player.py"), str(self.sounds), str(self.card))

    def synth(self, status=0):
        return (sys.executable, str(FAKES / "synth.py"), str(self.texts), str(status))

    def said(self):
        return [line.split("\t")[1] for line in self.texts.read_text().splitlines()] if self.texts.exists() else []

    def heard_at(self):
        return [float(line) for line in self.sounds.read_text().split()] if self.sounds.exists() else []


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path)


@pytest.fixture
def voice(studio, heard, closing):
    def make(status=0):
        told = {"on_event": heard.on_event, "on_health": heard.on_health}
        made = closing(Voice("speech", lambda *_: studio.synth(status), studio.player, retry_s=0.05, **told))
        made.start()
        return made

    return make


def test_a_text_is_spoken_to_its_end_and_told(voice, studio, heard, until):
    speech = voice()
    until(lambda: speech.health().reason == "hal.ok")
    speech.say("请把身份证放在读卡区", "zh")
    assert heard.next() == SpeechEnded(True)
    assert studio.said() == ["请把身份证放在读卡区"]
    assert not speech.is_speaking()


def test_hush_is_silent_within_a_tenth_of_a_second(voice, studio, heard, until):
    speech = voice()
    for times in range(1, 4):
        before = len(studio.heard_at())
        speech.say("很长的一段话" * 100, "zh")
        until(lambda before=before: len(studio.heard_at()) > before + 3, "the text is heard")
        hushed_s = time.monotonic()
        speech.hush()
        assert heard.next() == SpeechEnded(False), times
        assert not speech.is_speaking()
        assert studio.heard_at()[-1] - hushed_s < 0.1


def test_the_latest_text_takes_the_place_of_all_before(voice, studio, heard, until):
    speech = voice()
    speech.say("第一" * 200, "zh")
    until(studio.heard_at, "the first is heard")
    for number in range(20):
        speech.say(f"replaced {number}", "en")
    speech.say("the last", "en")
    ends = [heard.next() for _ in range(22)]
    assert [end.complete for end in ends] == [False] * 21 + [True]
    assert studio.said()[-1] == "the last"


def test_a_text_is_in_no_argument_no_log_and_no_health(voice, studio, heard, until, capfd, tmp_path):
    speech = voice(status=3)
    until(lambda: speech.health().reason == "hal.ok")
    speech.say("张三 222405199001011234", "zh")
    assert heard.next() == SpeechEnded(False)
    until(lambda: speech.health().reason == "speech.failed")
    assert speech.health().args["status"] == "3"
    for told in (str(heard.healths), *capfd.readouterr(), studio.texts.read_text().split("\t")[0]):
        assert "张三" not in told
        assert "2224" not in told


def test_a_sound_card_that_goes_is_told_with_what_the_player_says_and_its_return_too(voice, studio, heard, until):
    studio.card.unlink()
    speech = voice()
    until(lambda: speech.health().reason == "speech.no_sound")
    assert speech.health().args == {"error": "aplay: main:831: audio open error: No such file or directory"}
    studio.card.touch()
    until(lambda: speech.health().reason == "hal.ok")


def test_closing_ends_what_is_being_said(voice, studio, until):
    speech = voice()
    speech.say("很长的一段话" * 100, "zh")
    until(studio.heard_at)
    start_s = time.monotonic()
    speech.close()
    assert time.monotonic() - start_s < 2
    assert studio.heard_at()[-1] - start_s < 0.1


def test_a_missing_program_is_named_with_its_language(opened, studio, until):
    table = {"driver": "neural", "ko": ["/nowhere/piper"], "zh": list(studio.synth()), "player": list(studio.player)}
    (speech,) = opened({"speech": table}).peripherals()
    until(lambda: speech.health().reason == "speech.no_voice")
    assert speech.health().args["command"] in ("/nowhere/piper", "espeak-ng")


@given(st.text())
def test_what_programs_get_is_one_line_without_commands(text):
    line = spoken(text)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b"[[" not in line
    assert line.decode().strip().isprintable()
    assert len(line.decode()) <= 2 * MAX_TEXT + 1


def test_every_language_has_a_voice_and_the_elder_profile_a_slower_one(heard, closing):
    for language in ("zh", "ko", "en"):
        normal, slow = (espeak.command(("espeak-ng",), language, rate) for rate in (160, 120))
        assert espeak.VOICES[language] in normal
        assert (normal[4], slow[4]) == ("160", "120")
        assert "--stdin" in normal


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize(("language", "text"), [("zh", "请放身份证"), ("ko", "신분증을 올려 주세요"), ("en", "Lay down your card")])
def test_espeak_speaks_all_three_languages(language, text):
    made = subprocess.run(espeak.command(("espeak-ng",), language, 160), input=spoken(text), capture_output=True, check=True).stdout
    assert made[:4] == b"RIFF"
    assert len(made) > 22050 * 2 * 0.5, "half a second at least"


@pytest.mark.skipif(not (shutil.which("espeak-ng") and shutil.which("aplay")), reason="espeak-ng or aplay is not installed")
def test_the_whole_chain_of_real_programs_plays_into_alsas_null_device(opened, heard, until):
    (speech,) = opened({"speech": {"driver": "espeak", "player": ["aplay", "-q", "-D", "null"]}}).peripherals()
    until(lambda: speech.health().reason == "hal.ok")
    speech.say("欢迎", "zh")
    assert heard.next(20) == SpeechEnded(True)


def test_silence_is_a_sound_without_a_sound():
    assert silence()[:4] == b"RIFF"
    assert set(silence()[44:]) == {0}


def test_a_neural_voice_falls_to_no_other_where_it_has_its_own(tmp_path):
    config = neural_voice.Config(zh=("piper", "--model", "zh.onnx"), slowly=("--length_scale", "1.3"))
    assert neural_voice.where(config) == "piper"
