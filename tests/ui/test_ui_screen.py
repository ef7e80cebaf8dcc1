"""Real widgets on a real window: languages switch live, touches wake, pictures hide, the bridge is bounded, nothing leaks."""

import pytest
import zxingcpp
from PIL import Image

pytestmark = [pytest.mark.window, pytest.mark.timeout(180)]

SIGN = """
Builder.load_string('''
#:import words ui.language.words
#:import theme ui.theme.theme
<Sign@BoxLayout>:
    Words:
        id: said
        text: words.t('level.5')
        color: theme.ink
    Words:
        id: name
        private: True
        text: 'SECRET'
''')
from kivy.factory import Factory
sign = Factory.Sign()
studio.settle(sign)
"""


def test_every_text_follows_a_change_of_language(on_screen):
    told = on_screen(
        SIGN
        + """
said = [sign.ids.said.text]
for code in ("ko", "en"):
    words.use(code); studio.settle(sign); said.append(sign.ids.said.text)
tell(said=said, font=sign.ids.said.face)
"""
    )
    assert told["said"] == ["非常满意", "매우 만족", "Very satisfied"]


def test_korean_is_drawn_with_korean_shapes(on_screen):
    told = on_screen(SIGN + "words.use('ko'); studio.settle(sign); tell(face=sign.ids.said.face)")
    assert "NotoSansCJKKR" in told["face"]


def test_colours_and_sizes_follow_the_profile(on_screen):
    told = on_screen(
        SIGN
        + """
before, small = list(sign.ids.said.color), theme.body
theme.use(profile="contrast"); studio.settle(sign); high = list(sign.ids.said.color)
theme.use(profile="elder"); studio.settle(sign)
tell(before=before, high=high, grows=theme.body > small)
"""
    )
    assert told["before"] != told["high"] == [1, 1, 1, 1]
    assert told["grows"]


def test_a_text_that_does_not_fit_shrinks_and_then_says_so(on_screen):
    told = on_screen(
        """
from ui.widgets.text import Words
theme.use(EVALUATOR_10, kind="desk")
def made(text, width):
    one = Words(text=text, size_hint=(None, 1), size=(width, 70))
    one.font_size = 60; one.render(); return [one.overflows, one.shown_size]
unsized = Words(text="非常不满意非常"); unsized.font_size = 60; unsized.render()
tell(scale=theme.scale, unsized=unsized.shown_size, floor=theme.floor,
     fits=made("满意", 400), shrinks=made("非常不满意非常", 300), never=made("dissatisfied", 20))
"""
    )
    assert told["fits"] == [False, 60]
    assert told["shrinks"][0] is False
    assert told["shrinks"][1] < 60
    assert told["shrinks"][1] in told["scale"], "every other size of a font costs memory"
    assert told["unsized"] == 60, "nothing shrinks for a box that has no size yet"
    assert told["never"][0] is True
    assert told["never"][1] >= int(told["floor"])


def test_pictures_show_no_private_pixel_and_the_window_keeps_it(on_screen):
    told = on_screen(
        SIGN
        + """
from ui import picture
sign.ids.name.text = ""; studio.settle(sign); empty = picture.take(sign).rgb
sign.ids.name.text = "SECRET"; studio.settle(sign); masked = picture.take(sign).rgb
tell(hidden=masked == empty, open=picture.render(sign).rgb != masked, opacity=sign.ids.name.canvas.opacity)
"""
    )
    assert told == {"hidden": True, "open": True, "opacity": 1.0}


def test_a_picture_is_refused_with_its_reason(on_screen):
    told = on_screen(
        SIGN
        + """
from ui import picture
try:
    picture.take(sign, refusal="picture.rating"); tell(reason=None)
except picture.PictureRefused as error:
    tell(reason=error.reason)
"""
    )
    assert told["reason"] == "picture.rating"


def test_the_first_touch_only_wakes(on_screen):
    told = on_screen(
        """
from kivy.base import EventLoop
from kivy.input.motionevent import MotionEvent
from ui.stage import Stage
from ui.widgets.pill import Pill
class Finger(MotionEvent):
    def depack(self, args):
        self.is_touch = True; self.sx, self.sy = args; self.profile = ["pos"]; super().depack(args)
stage, hit, woke = Stage(), [], []
button = Pill(text="X", size_hint=(1, 1)); button.bind(on_press=lambda _: hit.append(1))
stage.show(button, "test"); stage.bind(on_wake=lambda _: woke.append(1)); studio.settle(stage)
def touch(number):
    finger = Finger("test", number, (.5, .5))
    finger.x = finger.y = finger.ox = finger.oy = 50; finger.pos = (50, 50)
    stage.on_touch_down(finger); stage.on_touch_up(finger)
    for _ in range(3): Clock.tick()
stage.asleep = True; touch(1); asleep = [len(hit), len(woke)]
stage.asleep = False; touch(2)
import time
end = time.monotonic() + 5
while not hit and time.monotonic() < end: Clock.tick()
tell(asleep=asleep, awake=len(hit))
"""
    )
    assert told == {"asleep": [0, 1], "awake": 1}


def test_the_bridge_keeps_order_and_refuses_when_the_screen_is_stuck(on_screen):
    told = on_screen(
        """
import threading
from ui.bridge import Bridge
bridge, ran, taken = Bridge(limit=50), [], []
def post():
    for n in range(60): taken.append(bridge.post(lambda n=n: ran.append(n)))
thread = threading.Thread(target=post); thread.start(); thread.join()
Clock.tick()
tell(ran=ran, taken=taken.count(True), refused=bridge.refused)
"""
    )
    assert told == {"ran": list(range(50)), "taken": 50, "refused": 10}


def test_a_callable_that_posts_again_does_not_hold_up_the_frame(on_screen):
    told = on_screen(
        """
from ui.bridge import Bridge
bridge, ran = Bridge(), []
def again():
    ran.append(1); bridge.post(again)
bridge._run_soon.cancel(); bridge.post(again); bridge._run()
tell(ran=len(ran))
"""
    )
    assert told["ran"] == 1


def test_a_qr_code_on_the_screen_can_be_read(on_screen, tmp_path):
    path = tmp_path / "qr.png"
    on_screen(
        f"""
from ui import picture
from ui.widgets.qr import QrImage
theme.use(EVALUATOR_7, kind="desk")
code = QrImage(data="评价回执码 7K3M-P0XW-9"); studio.settle(code)
open({str(path)!r}, "wb").write(picture.render(code).png()); tell()
"""
    )
    (found,) = zxingcpp.read_barcodes(Image.open(path))
    assert found.text == "评价回执码 7K3M-P0XW-9"


def test_a_broken_photograph_leaves_the_drawn_figure(on_screen):
    told = on_screen(
        r"""
from ui.widgets import portrait
tell(broken=[portrait.decode(data) is None for data in (b"\xff\xd8nonsense", b"GIF89a", b"\x89PNG" + b"x" * 60000, b"")])
"""
    )
    assert told["broken"] == [True] * 4


def test_the_keyboard_types_letters_digits_and_commands(on_screen):
    told = on_screen(
        """
from ui.widgets.keyboard import Key, Keyboard
theme.use(TERMINAL_21, kind="kiosk")
board, typed = Keyboard(can_finish=True), []
board.bind(on_key=lambda _, char: typed.append(char)); studio.settle(board)
keys = {key.char: key for key in board.walk() if isinstance(key, Key)}
for char in ("s", "7", "backspace", "clear", "done"): keys[char].dispatch("on_press")
tell(typed=typed, keys=len(keys))
"""
    )
    assert told == {"typed": ["s", "7", "backspace", "clear", "done"], "keys": 39}


def test_screens_that_are_gone_leave_nothing_behind(on_screen):
    told = on_screen(
        SIGN
        + """
import gc
from kivy.uix.widget import Widget
del sign
for _ in range(30):
    one = Factory.Sign(); studio.settle(one, frames=2)
del one; gc.collect()
tell(left=sum(issubclass(type(each), Widget) for each in gc.get_objects()))
"""
    )
    assert told["left"] <= 3


def test_configuring_after_kivy_was_imported_is_an_error(on_screen):
    told = on_screen(
        """
from ui import window
try:
    window.configure(EVALUATOR_7, data_dir=Path(sys.argv[1]), title="x"); tell(said="")
except window.WindowError as error:
    tell(said=str(error))
"""
    )
    assert "import screens and widgets after it" in told["said"]
