"""Header, place, footer and panels: the whole screen, kept in step with the visit. One `sync` a change, before the next frame."""

from collections.abc import Callable
from datetime import datetime

from kivy.clock import Clock
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from terminal.flow import places
from terminal.flow.keys import Keys
from terminal.flow.reading import Reading
from terminal.flow.visit import Visit
from terminal.screens.asking import AskingView
from terminal.screens.attract import AttractView
from terminal.screens.details import DetailsView
from terminal.screens.ends import GoodbyeView, SecuredView
from terminal.screens.focus import FocusRing
from terminal.screens.guide import GuideView
from terminal.screens.home import HomeView
from terminal.screens.kept import KeptViews
from terminal.screens.lists import DepartmentsView, ItemsView, ScenariosView, WindowsView
from terminal.screens.overlays import HelpPanel, Identification, LanguagePanel, Overlay, ScanPanel, WarningPanel
from terminal.screens.paper import PaperView
from terminal.screens.parting import PartingView
from terminal.screens.plan import PlanView
from terminal.screens.rate import RateView, ReasonsView
from terminal.screens.reading import read
from terminal.screens.search import SearchView
from terminal.screens.take import TakeView
from terminal.screens.view import View
from ui.language import words
from ui.stage import Stage
from ui.theme import theme
from wire.messages import Words as WireWords

VIEWS: dict[type, type[View]] = {
    places.Home: HomeView,
    places.Search: SearchView,
    places.Departments: DepartmentsView,
    places.DepartmentItems: ItemsView,
    places.ShelfItems: ItemsView,
    places.Windows: WindowsView,
    places.Guide: GuideView,
    places.GuideDetails: DetailsView,
    places.Scenarios: ScenariosView,
    places.Asking: AskingView,
    places.Plan: PlanView,
    places.TakeAway: TakeView,
    places.Paper: PaperView,
    places.Rate: RateView,
    places.Reasons: ReasonsView,
    places.Parting: PartingView,
}
NOT_VISITING: dict[str, type[View]] = {"attract": AttractView, "goodbye": GoodbyeView, "secured": SecuredView}
PANELS: dict[str, type[Overlay]] = {"help": HelpPanel, "language": LanguagePanel, "scan": ScanPanel, "warning": WarningPanel}
OTHERS: dict[str, str] = {"zh": "한 · EN", "ko": "中 · EN", "en": "中 · 한"}


SETTLE_S = 0.3
"""A second tap this soon after a screen has changed was meant for the screen before (EN 301 549 5.8, double strike)."""


class Frame(BoxLayout):
    """What surrounds a place. `hall`, `label`, `clock` and `date` are said in the header."""

    hall = StringProperty("")
    label = StringProperty("")
    clock = StringProperty("")
    date = StringProperty("")
    left_s = NumericProperty(60)
    of_s = NumericProperty(60)
    visiting = BooleanProperty(False)
    at_home = BooleanProperty(True)
    busy = BooleanProperty(False)
    """True while a print is under way, which nothing interrupts."""
    only_help = BooleanProperty(False)
    """True where nothing can be begun, so that language and profile are nobody's; only help can be called."""
    next_profile = StringProperty("elder")
    bare = BooleanProperty(False)
    """True where the footer has nothing to offer: goodbye, cabinet open."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        super().__init__()

    def home_or_end(self) -> None:
        """The left button: to the first screen, or from there out."""
        if self.at_home:
            self.visit.end()
        else:
            self.visit.home()

    def others(self, code: str) -> str:
        """The languages one could change to."""
        return OTHERS[code]

    def profile_text(self, profile: str, _: object) -> str:
        """A profile by name."""
        return words.t(f"foot.to_{profile}")

    def profile_icon(self, profile: str) -> str:
        """The sign of a profile."""
        return {"standard": "people", "elder": "elder", "contrast": "contrast", "keypad": "speak"}[profile]


class TerminalStage(Stage):
    """The root widget: follows the visit."""

    def __init__(
        self,
        visit: Visit,
        *,
        label: WireWords | None = None,
        hall: WireWords | None = None,
        headline: Callable[[str], object] = lambda _: None,
        **kwargs: object,
    ) -> None:
        """`headline` is told what each new screen is about, in its words; empty for what only the visitor should know."""
        super().__init__(**kwargs)
        self.visit, self._headline = visit, headline
        self._label, self._hall = label, hall
        self._now: datetime | None = None
        self._key: tuple[object, ...] = ()
        self.panel: Overlay | None = None
        self.panel_name = ""
        self._panel_key: tuple[object, ...] = ()
        self._keys: Keys | None = None
        self._ring = FocusRing()
        self._behind: dict[str, Widget] = {}
        self._rest = Clock.create_trigger(lambda _: self._keys and self._keys.look(), SETTLE_S)
        self.frame: Frame | None = None
        self.view: View | None = None
        self._views = KeptViews(visit)
        self._prepare = Clock.create_trigger(lambda _: self._views.prepare(self.frame.ids.slot), SETTLE_S / 2)
        self.sync_soon = Clock.create_trigger(self.sync, -1)
        self._settled = Clock.create_trigger(lambda _: setattr(self, "settling", False), SETTLE_S)
        visit.changed = self.sync_soon
        self._sign: Identification | None = None
        self.bind(on_wake=lambda *_: visit.touch(), on_activity=self._activity)
        self.sync()

    # 语音键盘

    def listen(self, keys: Keys) -> None:
        """Have every screen told by these keys, and what they are at marked."""
        self._keys = keys
        keys.look_soon, keys.marked = self._look_soon, self._mark

    def reading(self) -> Reading:
        """The screen as it is read out."""
        if self.sync_soon.is_triggered:
            # Something has changed and is not drawn yet: what is read shall be what is chosen from.
            self.sync_soon.cancel()
            self.sync()
        made, self._behind = read(self)
        return made

    @property
    def telling_key(self) -> tuple[object, ...]:
        """What makes a screen another one to whoever listens."""
        return (*self._key, None if self.view.follows else self.view.shown)

    def say_line(self, text: str) -> None:
        """Show what was said, for a helper beside."""
        self.frame.ids.said.text = text if theme.profile == "keypad" else ""

    def _look_soon(self) -> None:
        if self._keys is not None:
            self._rest.cancel()
            self._rest()

    def _mark(self) -> None:
        is_shown = self._keys is not None and theme.profile == "keypad"
        self._ring.put(self._behind.get(self._keys.focused) if is_shown else None)

    def rename(self, *, hall: WireWords, label: WireWords) -> None:
        """The fleet gave the device another place."""
        self._hall, self._label = hall, label
        self.sync_soon()

    def _activity(self, *_: object) -> None:
        # The ring is filled with the next second, or with what the touch brings: a frame for it alone would put that off.
        if not self.asleep:
            self.visit.touch()

    def sync(self, *_: object) -> None:
        """Make the screen say what the visit says. Cheap when nothing changed."""
        visit = self.visit
        if words.code != visit.language:
            words.use(visit.language)
            self._say_time()
        if theme.profile != visit.profile:
            theme.use(profile=visit.profile)
        # Without content, or on battery, nothing can be begun, but help can be called: the buttons below must then work at once.
        self.asleep = visit.phase != "visiting" and not (visit.phase == "attract" and (visit.content is None or visit.status.rests))
        key = (visit.phase, type(visit.place), visit.language, visit.profile, id(visit.content))
        if key == self._key and self.view is not None and self._same_place():
            self.view.refresh()
        else:
            self._rebuild(key)
        self._sync_panel()
        self._sync_frame()
        self._look_soon()

    def _same_place(self) -> bool:
        place = self.visit.place
        if self.view.shown == place or self.visit.phase != "visiting":
            return True
        if self.view.follows:
            self.view.follow(place)
            return True
        return False

    def _rebuild(self, key: tuple[object, ...]) -> None:
        self._key = key
        visit = self.visit
        kind = NOT_VISITING.get(visit.phase, VIEWS[type(visit.place)])
        if visit.content is None and kind is HomeView:
            kind = AttractView
        if self.panel is not None:
            self.remove_widget(self.panel)
            self.panel, self._panel_key, self.panel_name = None, (), ""
        if self.frame is None:
            self.frame = Frame(visit)
            self.show(self.frame, visit.screen_name)
        self.screen_name = visit.screen_name
        self.view = self._views.take(kind, visit.place)
        slot = self.frame.ids.slot
        slot.clear_widgets()
        slot.add_widget(self.view)
        self._headline(self.view.headline)
        self.settling = True
        self._settled.cancel()
        self._settled()
        if kind is RateView:
            # Before anybody is heard, so that no touch waits for it.
            self._prepare()

    def _sync_panel(self) -> None:
        visit = self.visit
        name = "warning" if visit.warning else visit.overlay
        key = (name, visit.language, visit.profile)
        if key != self._panel_key:
            if self.panel is not None:
                self.remove_widget(self.panel)
            self.panel = PANELS[name](visit) if name else None
            self._panel_key, self.panel_name = key, name
            if self.panel is not None:
                self.add_widget(self.panel)
            if name == "warning":
                self._headline(words.t("warn.title"))
        elif self.panel is not None:
            self.panel.refresh()
        # The place is not drawn below a panel: less to be confused by, and nothing to read over a shoulder.
        self.frame.ids.slot.opacity = 0 if self.panel is not None else 1

    def _sync_frame(self) -> None:
        frame, visit = self.frame, self.visit
        frame.hall = visit.content.hall.name.get(visit.language) if visit.content else words.of(self._hall)
        frame.label = words.of(self._label)
        frame.visiting = self.attentive = visit.phase == "visiting"
        frame.busy = bool(visit.session and visit.session.desk.busy)
        frame.only_help = visit.session is None and not self.asleep
        frame.bare = visit.phase in ("goodbye", "secured")
        frame.next_profile = visit.following_profile
        frame.at_home = isinstance(visit.place, places.Home)
        self.second()

    def identify(self, seconds: float) -> None:
        """Show for so long which machine this is, so that somebody in the hall finds it."""
        if self._sign is None:
            self._sign = Identification(text=words.of(self._label) or words.of(self._hall))
            self.add_widget(self._sign)
            Clock.schedule_once(self._identified, seconds)

    def _identified(self, *_: object) -> None:
        if self._sign is not None:
            self.remove_widget(self._sign)
            self._sign = None

    def second(self, *_: object) -> None:
        """Once a second during a visit: the ring, and the warning's seconds."""
        idle, frame = self.visit.idle, self.frame
        frame.left_s = -(-idle.left_ms() // 1000)
        frame.of_s = (idle.patience.idle_ms + idle.patience.warning_ms) / 1000
        if self.panel is not None:
            self.panel.refresh()

    def minute(self, now: datetime | None) -> None:
        """The clock in the header; None leaves it out, as a wrong time is worse than none."""
        self._now = now
        self._say_time()

    def _say_time(self) -> None:
        if self.frame is not None:
            self.frame.clock = f"{self._now:%H:%M}" if self._now else ""
            self.frame.date = words.date(self._now) if self._now else ""
