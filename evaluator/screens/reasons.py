"""Reasons: thanks first, then an offer to say why. It looks the same at arm's length whatever was pressed."""

from kivy.properties import NumericProperty, ObjectProperty

from evaluator.flow.tags import Tag as Reason
from evaluator.screens.view import View
from ui.language import words
from ui.theme import theme
from ui.widgets.chip import Tag

PAGE = 3
"""Choices at a time in the elder profile."""


class ReasonsView(View):
    """Draws scene.Reasons. The tags are made once and then only follow scene and choice.

    The elder profile shows three at a time and `pages` through the rest; the others show all at once.
    """

    page = NumericProperty(0)
    pages = NumericProperty(1)
    look = ObjectProperty()
    """Language and profile; set by the rule."""

    def begin(self) -> None:
        """From the first page again."""
        self.page = 0

    def turn(self) -> None:
        """The next page; after the last one the first."""
        self.page = (self.page + 1) % self.pages

    def offered(self) -> tuple[Reason, ...]:
        """The reasons of the present page."""
        size = PAGE if theme.elder else len(self.scene.tags)
        self.pages = -(-len(self.scene.tags) // size)
        first = min(self.page, self.pages - 1) * size
        return tuple(self.scene.tags[first : first + size])

    def on_kv_post(self, base_widget: object) -> None:
        """Fill the grid once the rules are there, and follow the scene and the language."""
        self.bind(scene=self._follow, page=self._follow, look=self._follow)
        self._follow()

    def _follow(self, *_: object) -> None:
        grid, offered = self.ids.grid, self.offered()
        while len(grid.children) > len(offered):
            grid.remove_widget(grid.children[0])
        while len(grid.children) < len(offered):
            widget = Tag()
            widget.bind(on_release=lambda touched: self.desk.toggle(touched.name))
            grid.add_widget(widget)
        for widget, tag in zip(reversed(grid.children), offered, strict=True):
            widget.name, widget.text = tag.id, words.of(tag.words)
            widget.chosen = tag.id in self.scene.chosen
