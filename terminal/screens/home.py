"""The first screen of a visit: the search field and six tiles, every one of which leads somewhere in this release."""

from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from terminal.flow.places import Departments, Place, Scenarios, Search, ShelfItems, Windows
from terminal.screens.attract import fill_banners
from terminal.screens.view import View, local
from ui.language import words
from ui.theme import theme
from ui.widgets.card import Surface, Tile, Touchable

TILES: tuple[tuple[str, str, Place], ...] = (
    ("guide", "departments", Departments()),
    ("life", "scenarios", Scenarios()),
    ("people", "person", ShelfItems("person")),
    ("business", "company", ShelfItems("company")),
    ("hot", "popular", ShelfItems("popular")),
    ("place", "windows", Windows()),
)
EXAMPLES = 3


class SearchField(Touchable, Surface):
    """Looks like a field to write in and opens the keyboard."""


class ElderTile(Touchable, Surface):
    """One of three large choices, as wide as the screen."""

    icon = StringProperty("")
    title = StringProperty("")
    note = StringProperty("")


class HomeView(View):
    """Six tiles by two; in the elder profile three at a time with search first."""

    def build(self) -> None:
        self.ids.search.height = 0 if theme.elder else theme.mm(25 if theme.profile == "keypad" else 35)
        self.ids.search.opacity = 0 if theme.elder else 1
        self.ids.search.disabled = theme.elder
        tiles = [tile for tile in TILES if self._leads_somewhere(tile[2])]
        if theme.elder:
            self.ids.tiles.fill([("search", "search", Search()), *tiles], self._elder_tile)
            self.ids.grid.size_hint_y = None
            self.ids.grid.height = 0
        else:
            self.ids.tiles.size_hint_y = None
            self.ids.tiles.height = 0
            for tile in tiles:
                self.ids.grid.add_widget(self._tile(tile))

    def _leads_somewhere(self, place: Place) -> bool:
        content = self.visit.content
        if content is None:
            return False
        if isinstance(place, Scenarios):
            return bool(content.scenarios())
        if isinstance(place, ShelfItems):
            return bool(content.shelf(place.shelf))
        return True

    def _note(self, name: str) -> str:
        content = self.visit.content
        if name != "scenarios" or content is None:
            return words.t(f"home.{name}_note")
        names = [local(scenario.name) for scenario in content.scenarios()[:EXAMPLES]]
        return words.t("list.comma").join(names)

    def _tile(self, entry: tuple[str, str, Place]) -> Widget:
        icon, name, place = entry
        tile = Tile(icon=icon, title=words.t(f"home.{name}"), note=self._note(name))
        tile.bind(on_release=lambda _: self.visit.go(place))
        return tile

    def _elder_tile(self, entry: tuple[str, str, Place]) -> Widget:
        icon, name, place = entry
        title = "home.search_tile" if name == "search" else f"home.{name}"
        tile = ElderTile(icon=icon, title=words.t(title), note=self._note(name), name=icon)
        tile.bind(on_release=lambda _: self.visit.go(place))
        return tile

    def open_search(self) -> None:
        """The field was touched."""
        self.visit.go(Search())

    def refresh(self) -> None:
        card = self.visit.session.card if self.visit.session else None
        hello = words.t("home.title_card", name=card.masked_name) if card else words.t("home.title")
        self.ids.title.text, self.ids.title.private = hello, card is not None
        well = "home.all_well" if self.visit.can_print else "home.no_print_well"
        fill_banners(self.ids.banners, self.visit, quiet=words.t(well))
