"""Pages instead of scrolling: rows of one height by the dozen, or rows of any height that fill pages by being measured."""

from collections.abc import Callable, Sequence

from kivy.clock import Clock
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from ui.language import words


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

    def on_kv_post(self, base_widget: object) -> None:
        self.ids.rows.bind(size=self._soon)

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
        gap = grid.spacing[1]
        lines = max(1, int((grid.height + gap) // (self.row_height + gap)))
        per_page = lines * int(self.columns)
        if self.most:
            per_page = min(per_page, int(self.most))
        self.pages = max(1, -(-len(self._entries) // per_page))
        page = min(int(self.page), self.pages - 1)
        grid.clear_widgets()
        for entry in self._entries[page * per_page : (page + 1) * per_page]:
            row = self._make(entry)
            row.size_hint_y, row.height = None, self.row_height
            grid.add_widget(row)


class PagedText(BoxLayout):
    """Rows that grow with their words. They are measured once laid out, then dealt onto pages; a heading keeps its first row.

    `settled` tells that the measuring is over and what is shown is final. Until then nothing is drawn.
    """

    page = NumericProperty(0)
    pages = NumericProperty(1)
    most = NumericProperty(0)
    gap = NumericProperty(0)
    settled = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        self._rows: list[Widget] = []
        self._pages: list[list[Widget]] = []
        self._quiet = 0
        self._watch = Clock.create_trigger(self._when_quiet, 0)
        super().__init__(**kwargs)
        self.fbind("page", self._show)

    def on_kv_post(self, base_widget: object) -> None:
        self.ids.room.bind(size=self._measure)

    def fill(self, rows: Sequence[Widget]) -> None:
        """Show these rows from the first page on. Rows with `keep = True` never end a page."""
        self._rows = list(rows)
        self.page = 0
        for row in self._rows:
            row.bind(height=self._moved)
        self._measure()

    def _measure(self, *_: object) -> None:
        column = self.ids.column
        self.settled, self._pages = False, []
        column.opacity = 0
        column.clear_widgets()
        for row in self._rows:
            row.width = column.width
            column.add_widget(row)
        self._moved()

    def _moved(self, *_: object) -> None:
        if not self.settled:
            self._quiet = 0
            self._watch()

    def _when_quiet(self, *_: object) -> None:
        # Words take their height a frame after they got their width, and their row a frame after them.
        self._quiet += 1
        if self._quiet < 2:
            self._watch()
        else:
            self._deal_now()

    def turn(self, page: int) -> None:
        """Show another page."""
        self.page = page

    def _deal_now(self) -> None:
        room = self.ids.room.height
        pages: list[list[Widget]] = [[]]
        filled = 0.0
        for row in self._rows:
            full = filled + row.height > room or (self.most and len(pages[-1]) >= self.most)
            if pages[-1] and full:
                kept = self._headings_at_end(pages[-1])
                pages.append(kept)
                filled = sum(each.height + self.gap for each in kept)
            pages[-1].append(row)
            filled += row.height + self.gap
        self._pages = [page for page in pages if page]
        self.pages = max(1, len(self._pages))
        self.settled = True
        self._show()

    def _headings_at_end(self, page: list[Widget]) -> list[Widget]:
        kept: list[Widget] = []
        while len(page) > 1 and getattr(page[-1], "keep", False):
            kept.insert(0, page.pop())
        return kept

    def _show(self, *_: object) -> None:
        if not self._pages:
            return
        column = self.ids.column
        wanted = self._pages[min(int(self.page), len(self._pages) - 1)]
        if column.children[::-1] != wanted:
            column.clear_widgets()
            for row in wanted:
                column.add_widget(row)
        column.opacity = 1
