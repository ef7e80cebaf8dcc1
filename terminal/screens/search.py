"""Search as you type: letters, digits, results with every key, the matching characters marked."""

from kivy.properties import ListProperty, StringProperty
from kivy.uix.widget import Widget

from pack.model import Item
from pack.search import Hit
from terminal.flow.places import Departments, Guide, Place
from terminal.screens.lists import about
from terminal.screens.view import View, local
from ui.language import words
from ui.theme import theme
from ui.widgets.card import Surface, Touchable

LIMIT = 20
SUGGESTED = 6


class ResultRow(Touchable, Surface):
    """One result: its name with the match marked, and where it is handled."""

    title = StringProperty("")
    note = StringProperty("")
    spans = ListProperty()


class SearchView(View):
    """Keeps its keyboard while the query changes."""

    follows = True

    def build(self) -> None:
        self.ids.keyboard.bind(on_key=self._key)

    def _key(self, _: object, char: str) -> None:
        if char == "backspace":
            self.visit.erase()
        elif char == "clear":
            self.visit.erase(everything=True)
        elif char != "done":
            self.visit.type(char)

    def follow(self, place: Place) -> None:
        self.shown = place
        self._show_results()

    def refresh(self) -> None:
        self._show_results()

    def _show_results(self) -> None:
        # Only where a code can be read, and not among results, which need the room.
        offers = self.visit.status.codes and not self.shown.query
        scan = self.ids.scan
        scan.height, scan.opacity, scan.disabled = theme.mm(22) if offers else 0, 1 if offers else 0, not offers
        query, content = self.shown.query, self.visit.content
        self.ids.typed.text = query.upper()
        self.ids.empty.text = "" if query else words.t("search.hint_keys" if theme.profile == "keypad" else "search.hint")
        # Only what was searched for is private, not how much was found.
        self.ids.said.aloud = False
        if content is None:
            return
        if not query:
            self.ids.said.text, self.ids.said.aloud = words.t("search.popular"), True
            self.ids.list.fill(list(content.shelf("popular")[:SUGGESTED]), self._suggestion)
            self.ids.nothing.text = ""
            return
        find = content.search_keys if self.shown.by_keys else content.search
        hits = find(query, limit=LIMIT, language=words.code)
        self.ids.said.aloud = bool(hits)
        found = "search.found_many" if len(hits) == LIMIT else "search.found"
        self.ids.said.text = words.t(found, count=len(hits)) if hits else words.t("search.none", query=query.upper())
        self.ids.nothing.text = "" if hits else words.t("search.none_do")
        if hits:
            self.ids.list.fill(list(hits), self._result)
        else:
            self.ids.list.fill([Departments()], self._elsewhere)

    def _elsewhere(self, place: Place) -> Widget:
        row = ResultRow(title=words.t("list.departments"), note=words.t("home.departments_note"), name="departments")
        row.bind(on_release=lambda _: self.visit.go(place))
        return row

    def _suggestion(self, entry: Item) -> Widget:
        return self._row(entry.code, local(entry.name), about(entry), [])

    def _result(self, entry: Hit) -> Widget:
        note = entry.department
        if not entry.spans and entry.why.text != entry.name:
            # The match lies in a word people use for it: show that word, or nobody knows why this was found.
            note = f"{entry.why.text} · {entry.department}" if entry.why.field == "alias" else entry.department
        return self._row(entry.code, entry.name, note, [list(span) for span in entry.spans])

    def _row(self, code: str, title: str, note: str, spans: list[list[int]]) -> Widget:
        row = ResultRow(title=title, note=note, spans=spans, name=f"item {code}")
        row.bind(on_release=lambda _: self.visit.go(Guide(code)))
        return row
