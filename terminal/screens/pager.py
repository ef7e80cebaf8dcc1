"""Pages instead of scrolling: rows of one height by the dozen, or rows of any height that fill pages by being measured."""

from collections.abc import Callable, Sequence

from kivy.clock import Clock
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.relativelayout import RelativeLayout
from kivy.uix.widget import Widget

from ui.language import words
from ui.theme import theme


class PageBar(BoxLayout):
    """上一页 · 第 1 页，共 3 页 · 下一页. Nothing when there is one page."""

    page = NumericProperty(0)
    pages = NumericProperty(1)
    text = StringProperty("")

    __events__ = ("on_turn",)

    def on_turn(self, page: int) -> None:
        """Another page is wanted. Bind to it."""

    def turn(self, step: int) -> None:
        """One page on (+1) or back (-1)."""
        wanted = min(max(0, int(self.page) + step), int(self.pages) - 1)
        if wanted != self.page:
            self.dispatch("on_turn", wanted)

    def label(self, page: float, pages: float) -> str:
        """What stands between the two buttons."""
        return words.t("list.page", page=int(page) + 1, pages=int(pages))


class PagedList(BoxLayout):
    """Many entries of one height. `make(entry)` builds a row; only the rows of the page shown exist.

    `most` bounds the rows of a page (three in the elder profile); `columns` puts them side by side.
    """

    page = NumericProperty(0)
    pages = NumericProperty(1)
    row_height = NumericProperty(100)
    most = NumericProperty(0)
    columns = NumericProperty(1)

    def __init__(self, **kwargs: object) -> None:
        self._entries: Sequence[object] = ()
        self._make: Callable[[object], Widget] = lambda _: Widget()
        self._soon = Clock.create_trigger(self._fill, -1)
        super().__init__(**kwargs)
        for name in ("page", "row_height", "most", "columns"):
            self.fbind(name, self._soon)

        self.fbind("size", self._soon)

    def fill(self, entries: Sequence[object], make: Callable[[object], Widget]) -> None:
        """Show these entries from the first page on."""
        self._entries, self._make = entries, make
        self.page = 0
        self._soon()

    def turn(self, page: int) -> None:
        """Show another page."""
        self.page = page

    def _fill(self, *_: object) -> None:
        grid = self.ids.rows
        per_page = self._fitting(self.height)
        if len(self._entries) > per_page:
            per_page = self._fitting(self.height - theme.target - self.spacing)
        self.pages = max(1, -(-len(self._entries) // per_page))
        page = min(int(self.page), self.pages - 1)
        grid.clear_widgets()
        for entry in self._entries[page * per_page : (page + 1) * per_page]:
            row = self._make(entry)
            row.size_hint_y, row.height = None, self.row_height
            grid.add_widget(row)

    def _fitting(self, height: float) -> int:
        """Entries of a page that has so much room for rows."""
        gap = self.ids.rows.spacing[1]
        fitting = max(1, int((height + gap) // (self.row_height + gap))) * int(self.columns)
        return min(fitting, int(self.most)) if self.most else fitting


class Room(RelativeLayout):
    """Where a page shows. The pages before and after lie outside it, are not drawn and cannot be touched."""

    def on_touch_down(self, touch: object) -> bool:
        """Rows of other pages are not here."""
        return bool(self.collide_point(*touch.pos) and super().on_touch_down(touch))


class PagedText(BoxLayout):
    """Rows that grow with their words, dealt onto pages by their height, again whenever a height changes.

    All rows stand in one column, which is pushed up page by page. A row with `keep = True` never ends a page.
    """

    page = NumericProperty(0)
    pages = NumericProperty(1)
    most = NumericProperty(0)
    gap = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        self._rows: list[Widget] = []
        self._deal = Clock.create_trigger(self._deal_now, -1)
        super().__init__(**kwargs)
        for name in ("page", "size", "most", "gap"):
            self.fbind(name, self._deal)

    def on_kv_post(self, base_widget: object) -> None:
        self.ids.room.bind(size=self._deal)
        self.ids.column.bind(height=self._deal)

    def fill(self, rows: Sequence[Widget]) -> None:
        """Show these rows from the first page on."""
        self._rows = list(rows)
        self.page = 0
        self.ids.column.clear_widgets()
        for row in self._rows:
            self.ids.column.add_widget(row)
        self._deal()

    def turn(self, page: int) -> None:
        """Show another page."""
        self.page = page

    def _deal_now(self, *_: object) -> None:
        pages = self._dealt(self.height)
        if len(pages) > 1:
            pages = self._dealt(self.height - theme.target - self.spacing)
        self.pages = max(1, len(pages))
        shown = pages[min(int(self.page), len(pages) - 1)] if pages else []
        above = 0.0
        for row in self._rows:
            if row in shown:
                break
            above += row.height + self.gap
        for row in self._rows:
            row.opacity = 1 if row in shown else 0
        column = self.ids.column
        column.y = self.ids.room.height - column.height + above

    def _dealt(self, room: float) -> list[list[Widget]]:
        pages: list[list[Widget]] = []
        page: list[Widget] = []
        filled = 0.0
        for row in self._rows:
            if page and (filled + row.height > room or (self.most and len(page) >= self.most)):
                kept = self._headings_at_end(page)
                pages.append(page)
                page, filled = kept, sum(each.height + self.gap for each in kept)
            page.append(row)
            filled += row.height + self.gap
        return [*pages, page] if page else pages

    def _headings_at_end(self, page: list[Widget]) -> list[Widget]:
        kept: list[Widget] = []
        while len(page) > 1 and getattr(page[-1], "keep", False):
            kept.insert(0, page.pop())
        return kept
