"""The camera: a phone's QR code is read however it is held, nothing is seen unasked, and every broken camera is told."""

import io
import math
import os
import random
from pathlib import Path

import pytest
import segno
from camera_stage import Stage
from PIL import Image, ImageFilter

from hal.api import Camera, LookEnded, Scanned, ScanRefused
from hal.drivers.camera_v4l2 import read_qr
from hal.drivers.v4l2_frames import CameraError, agreed
from hal.factory import open_hal

TOLD = (
    "Format Video Capture:\n\tWidth/Height      : 640/480\n\tPixel Format      : 'YUYV' (YUYV 4:2:2)\n\tField             : None\n"
)
TOLD += "\tBytes per Line    : 1280\n\tSize Image        : 614400\n\tColorspace        : sRGB\n"


def code(content, *, scale=5):
    """A QR code as a grey picture."""
    file = io.BytesIO()
    segno.make(content, error="m", micro=False).save(file, kind="png", scale=scale, border=4)
    return Image.open(file).convert("L")


def held_up(picture, *, turn=0.0, lean=0.0, noise=0, blur=0.0, seed=1, size=(640, 480)):
    """A phone in front of a camera: turned, leaning away, in bad light, out of focus."""
    width, height = picture.size
    # In perspective: the lower edge is by `lean` smaller than the upper one.
    far = -lean / height
    way_back = (1, far * width / 2, 0, 0, 1 - lean, 0, 0, far)
    leaning = picture.transform((width, height), Image.Transform.PERSPECTIVE, way_back, fillcolor=255)
    shown = Image.new("L", size, 90)
    turned = leaning.rotate(turn, expand=True, fillcolor=255, resample=Image.Resampling.BILINEAR)
    shown.paste(turned, ((size[0] - turned.width) // 2, (size[1] - turned.height) // 2))
    shown = shown.filter(ImageFilter.GaussianBlur(blur)) if blur else shown
    if noise:
        choose = random.Random(seed)
        data = bytes(min(255, max(0, level + int(choose.gauss(0, noise)))) for level in shown.tobytes())
        shown = Image.frombytes("L", size, data)
    return shown


def rows(picture):
    return memoryview(bytearray(picture.tobytes())).cast("B", (picture.height, picture.width))


@pytest.mark.parametrize("turn", [0, 17, 45, 90, 133, 180, 271])
def test_a_code_is_read_at_every_angle(turn):
    assert read_qr(rows(held_up(code("2026-AB-000123"), turn=turn))) == b"2026-AB-000123"


@pytest.mark.parametrize(("lean", "noise", "blur"), [(0.3, 0, 0), (0, 40, 0), (0, 0, 1.6), (0.15, 25, 0.8)])
def test_a_code_is_read_leaning_in_bad_light_and_out_of_focus(lean, noise, blur):
    picture = held_up(code("2026-AB-000123"), turn=8, lean=lean, noise=noise, blur=blur)
    assert read_qr(rows(picture)) == b"2026-AB-000123"


def test_a_bright_phone_in_the_dark_with_an_inverted_code_is_read():
    dark = Image.eval(code("A001"), lambda level: 255 - level)
    assert read_qr(rows(held_up(dark))) == b"A001"


def test_noise_without_a_code_is_no_code():
    choose = random.Random(5)
    for _ in range(5):
        assert read_qr(memoryview(bytearray(choose.randbytes(320 * 240))).cast("B", (240, 320))) is None


def test_a_damaged_code_is_read_right_or_not_at_all():
    for seed in range(12):
        found = read_qr(rows(held_up(code("2026-AB-000123", scale=3), turn=30 * seed, noise=15 * (seed % 6), seed=seed)))
        assert found in (None, b"2026-AB-000123")


def test_what_a_camera_agreed_to_is_checked():
    assert (agreed(TOLD).width, agreed(TOLD).height, agreed(TOLD).frame_bytes) == (640, 480, 614400)
    for wrong, why in (
        (TOLD.replace("YUYV", "MJPG"), "MJPG"),
        (TOLD.replace("614400", "600"), "contradicts"),
        (TOLD.replace("1280", "640"), "contradicts"),
        (TOLD.replace("640/480", "0/480"), "contradicts"),
        (TOLD.replace("640/480", "999999/999999"), "contradicts"),
        ("", "no format"),
    ):
        with pytest.raises(CameraError, match=why):
            agreed(wrong)


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


@pytest.fixture
def camera(stage, heard, closing, until, make_config):
    table = {"driver": "v4l2", "device": str(stage.device), "tool": str(stage.tool), "width": 640, "height": 480}
    hal = closing(open_hal(make_config({"camera": table}), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    one = hal.named("camera")
    assert isinstance(one, Camera)
    until(lambda: one.health().reason == "hal.ok")
    return one


@pytest.mark.parametrize("pixels", ["YUYV", "UYVY", "GREY", "NV12"])
def test_a_look_finds_the_code_and_closes_the_camera(camera, stage, heard, pixels):
    stage.script(format=pixels)
    stage.show(held_up(code("办件 2026-AB-000123"), turn=12, noise=10))
    camera.look(10)
    event = heard.next(10)
    assert isinstance(event, Scanned)
    assert event.text == "办件 2026-AB-000123"
    assert heard.next() == LookEnded("found")
    assert stage.looks() == 1


def test_nothing_is_seen_unasked_and_a_look_ends_in_time(camera, stage, heard):
    stage.show(held_up(code("A001")))
    assert heard.nothing()
    assert stage.looks() == 0
    stage.show(Image.new("L", (640, 480), 90))
    camera.look(1)
    assert heard.next(10) == LookEnded("time")


def test_a_code_that_comes_into_sight_later_is_found(camera, stage, heard, until):
    camera.look(20)
    until(lambda: stage.looks() == 1)
    stage.show(held_up(code("A001")))
    assert heard.next(15).text == "A001"


def test_a_look_can_be_stopped(camera, stage, heard, until):
    camera.look(30)
    until(lambda: stage.looks() == 1)
    camera.stop_looking()
    assert heard.next() == LookEnded("stopped")


def test_a_code_that_is_no_text_is_refused(camera, stage, heard):
    file = io.BytesIO()
    segno.make(bytes([0xFF, 0xFE, 0xFF, 0x81]), mode="byte", micro=False).save(file, kind="png", scale=8)
    stage.show(held_up(Image.open(file).convert("L")))
    camera.look(10)
    assert heard.next(10) == ScanRefused("scan.not_text")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"refuse": "Device or resource busy"}, "busy"),
        ({"frames": 2}, "stopped sending"),
        ({"cut": 1000}, "stopped sending"),
        ({"hang": True}, "no picture within 3 s"),
        ({"format": "MJPG"}, "MJPG"),
    ],
)
def test_a_broken_camera_is_told_and_works_again_when_it_does(camera, stage, heard, until, script, said):
    stage.script(**script)
    camera.look(8)
    assert heard.next(12) == LookEnded("failed")
    until(lambda: camera.health().reason == "camera.failed")
    assert said in camera.health().args["error"]
    stage.script()
    stage.show(held_up(code("A001")))
    camera.look(10)
    assert heard.next(10).text == "A001"
    until(lambda: camera.health().reason == "hal.ok")


def test_a_camera_that_is_unplugged_and_plugged_again_is_told(camera, stage, until):
    stage.device.unlink()
    until(lambda: camera.health().reason == "port.missing")
    stage.device.touch()
    until(lambda: camera.health().reason == "hal.ok")


def test_a_missing_tool_names_its_package(camera, stage, heard, until):
    stage.tool.unlink()
    camera.look(2)
    assert heard.next(10) == LookEnded("failed")
    until(lambda: camera.health().reason == "hal.not_installed")
    assert camera.health().args == {"package": "v4l-utils"}


def test_closing_ends_a_look_and_its_process(camera, stage, until):
    camera.look(30)
    until(lambda: stage.looks() == 1)
    camera.close()
    mine = f"--stage {stage.folder}".split()[1].encode()
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _holds(path, mine)]
    assert running == []


def _holds(path, part):
    try:
        return part in path.read_bytes()
    except OSError:
        return False


def test_no_picture_is_left_in_any_file(camera, stage, heard, tmp_path):
    stage.show(held_up(code("A001")))
    camera.look(10)
    heard.next(10)
    assert heard.next() == LookEnded("found")
    assert {path.name for path in tmp_path.iterdir()} == {"video0", "v4l2-ctl", "scene.pgm", "agreed", "looks"}


def test_a_real_camera_gives_pictures(closing, make_config, heard):
    device = "/dev/video0"
    if not os.path.exists(device):
        pytest.skip("this computer has no camera, and its kernel neither vivid nor v4l2loopback")
    hal = closing(open_hal(make_config({"camera": {"driver": "v4l2"}}), on_event=heard.on_event, on_health=heard.on_health))
    hal.start()
    hal.named("camera").look(3)
    assert heard.next(12).why in ("time", "found")


def test_the_pictures_of_these_tests_are_as_hard_as_they_say():
    plain, hard = held_up(code("A001")), held_up(code("A001"), noise=40)
    differences = [abs(one - other) for one, other in zip(plain.tobytes(), hard.tobytes(), strict=True)]
    assert math.fsum(differences) / len(differences) > 15
