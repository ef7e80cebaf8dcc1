"""Reasons: thanks first, then an offer to say why. It looks the same at arm's length whatever was pressed."""

from evaluator.screens.view import View
from ui.language import words
from ui.widgets.chip import Tag


class ReasonsView(View):
    """Draws scene.Reasons. The tags are made once for a set and then only follow the choice."""

    def on_kv_post(self, base_widget: object) -> None:
        """Fill the grid once the rules are there, and follow the scene and the language."""
        self.bind(scene=self._follow)
        words.bind(of=self._follow)
        self._follow()

    def _follow(self, *_: object) -> None:
        grid = self.ids.grid
        if [tag.name for tag in reversed(grid.children)] != [tag.id for tag in self.scene.tags]:
            grid.clear_widgets()
            for tag in self.scene.tags:
                widget = Tag(name=tag.id)
                widget.bind(on_release=lambda touched: self.desk.toggle(touched.name))
                grid.add_widget(widget)
        texts = {tag.id: words.of(tag.words) for tag in self.scene.tags}
        for widget in grid.children:
            widget.text = texts[widget.name]
            widget.chosen = widget.name in self.scene.chosen
