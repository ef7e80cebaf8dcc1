"""What all screens share: the scene they draw, the desk they tell what was touched, and the time."""

from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from evaluator.flow.desk import Desk
from evaluator.flow.scene import Scene, Signs
from ui.catalogue import LANGUAGES
from ui.language import words
from ui.tokens import PROFILES


class View(BoxLayout):
    """Draws one kind of scene. `scene` is replaced as it changes; `desk` takes what the citizen does."""

    scene = ObjectProperty(rebind=True)
    desk = ObjectProperty(None, allownone=True)
    clock = StringProperty("")
    date = StringProperty("")

    def __init__(self, scene: Scene, desk: Desk | None = None, **kwargs: object) -> None:
        super().__init__(scene=scene, desk=desk, **kwargs)

    def begin(self) -> None:
        """The view is used again for another citizen; what it keeps beside the scene has to go."""

    def next_language(self) -> None:
        """The language after the present one."""
        at = LANGUAGES.index(self.scene.language)
        self.desk.use_language(LANGUAGES[(at + 1) % len(LANGUAGES)])

    def next_profile(self) -> None:
        """The profile after the present one."""
        self.desk.use_profile(following(self.scene.profile))


def following(profile: str) -> str:
    """The profile that the toggle leads to."""
    return PROFILES[(PROFILES.index(profile) + 1) % len(PROFILES)]


def other_languages(code: str) -> str:
    """The two languages one is not reading now, each in its own script."""
    own = {"zh": "中文", "ko": "한국어", "en": "English"}
    return " / ".join(own[other] for other in LANGUAGES if other != code)


def other_languages_short(code: str) -> str:
    """The same for a narrow panel."""
    own = {"zh": "中", "ko": "한", "en": "EN"}
    return "·".join(own[other] for other in LANGUAGES if other != code)


class SignLine(BoxLayout):
    """Small signs of what works less than usual; no height when all is well, or when `muted`."""

    signs = ObjectProperty(Signs(), rebind=True)
    lines = NumericProperty(1)
    muted = BooleanProperty(False)
    text = StringProperty("")


def sign_text(signs: Signs) -> str:
    """The signs in words, in one line."""
    said = []
    if signs.on_battery:
        said.append(words.t("sign.on_battery"))
    if signs.offline:
        said.append(words.t("sign.offline"))
    if signs.buttons_down:
        said.append(words.t("sign.buttons_down"))
    return " · ".join(said)
