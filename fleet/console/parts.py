"""The console's few building blocks: tags with text, cards, chips, buttons, tables, pagers, bars."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


class Tag(TextElement):
    """Any HTML element with plain text. The text is never read as HTML."""

    def __init__(self, tag: str, text: str = "", classes: str = "", **attributes: str) -> None:
        super().__init__(tag=tag, text=text)
        if classes:
            self.classes(classes)
        for name, value in attributes.items():
            # As a property, Vue would set an input's value again with every drawing, over what was typed meanwhile; `^` makes it
            # the attribute, which is only what stands there at first.
            key = "^value" if (tag, name) == ("input", "value") else name.rstrip("_").replace("_", "-")
            self._props[key] = value


def link(text: str, to: str, classes: str = "", **attributes: str) -> Tag:
    """A link to another page of the console."""
    return Tag("a", text, classes, href=to, **attributes)


def button(text: str, act: Callable[[], Any], *, kind: str = "", enabled: bool = True, why: str = "") -> Tag:
    """A button that runs `act`; a disabled one says why in its title."""
    made = Tag("button", text, f"btn {kind}".strip(), type="button")
    if enabled:
        made.on("click", lambda _event: act())
    else:
        made._props["disabled"] = True
    if why:
        made._props["title"] = why
    return made


def chip(text: str, tone: str = "") -> Tag:
    """A word in a soft box; the tone is good, warn, bad or empty."""
    return Tag("span", text, f"chip {tone}".strip())


def mark(text: str, tone: str) -> None:
    """A coloured dot with its word beside it."""
    with Tag("span", classes="mark"):
        Tag("span", classes=f"dot {tone}".strip(), aria_hidden="true")
        Tag("span", text)


@contextmanager
def card(title: str = "", classes: str = "", *, more: tuple[str, str] | None = None):  # type: ignore[no-untyped-def]
    """A white box with a title and perhaps a link (text, address) at its end."""
    with Tag("section", classes=f"card {classes}".strip()) as made:
        if title:
            with Tag("div", classes="title"):
                Tag("h2", title)
                if more:
                    link(more[0], more[1], "small nowrap")
        yield made


def kpi(label: str, value: str, note: str = "", tone: str = "", *, to: str = "") -> None:
    """One figure with its name and a note."""
    with Tag("section", classes="card kpi"):
        if to:
            link(label, to, "label")
        else:
            Tag("div", label, "label")
        Tag("div", value, "value")
        Tag("div", note, f"note {tone}".strip())


Cell = str | Callable[[], Any]


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: Sequence[int] = (), label: str = "") -> None:
    """A table; a cell is text, or a function that draws it. `numbers` are the columns set right."""
    with Tag("div", classes="wide"), Tag("table", classes="list", aria_label=label):
        with Tag("thead"), Tag("tr"):
            for index, name in enumerate(head):
                Tag("th", name, "num" if index in numbers else "", scope="col")
        with Tag("tbody"):
            for row in rows:
                with Tag("tr"):
                    for index, cell in enumerate(row):
                        # On a phone rows become blocks, and each cell shows its column's name.
                        classes = "num" if index in numbers else ""
                        if callable(cell):
                            with Tag("td", classes=classes, data_label=head[index]):
                                cell()
                        else:
                            Tag("td", cell, classes, data_label=head[index])


def pairs(rows: Iterable[tuple[str, Cell]]) -> None:
    """Names with their values."""
    with Tag("dl", classes="pairs"):
        for name, cell in rows:
            Tag("dt", name)
            if callable(cell):
                with Tag("dd"):
                    cell()
            else:
                Tag("dd", cell)


def bar(share: float, tone: str = "") -> None:
    """A horizontal bar; its figure stands beside it elsewhere."""
    with Tag("div", classes="bar", aria_hidden="true"):
        Tag("i", classes=tone, style=f"width:{max(0.0, min(1.0, share)) * 100:.1f}%")


def select(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> None:
    """A choice in a form that is sent by GET."""
    with Tag("label", classes="field"):
        Tag("span", label)
        with Tag("select", name=name):
            for value, text in options:
                chosen_props = {"selected": "selected"} if value == chosen else {}
                Tag("option", text, value=value, **chosen_props)


def text_input(name: str, label: str, value: str, **attributes: str) -> None:
    """A text field in a form that is sent by GET."""
    with Tag("label", classes="field"):
        Tag("span", label)
        Tag("input", name=name, value=value, **attributes)


class Entry:
    """A text field whose value handlers read; `value` is what stands in it now."""

    def __init__(self, label: str, value: str = "", *, kind: str = "text", autofocus: bool = False) -> None:
        with Tag("label", classes="field"):
            Tag("span", label)
            field = Tag("input", type=kind, value=value)
            if autofocus:
                field._props["autofocus"] = True
        self.value = value
        field.on("input", self._take, args=["target.value"], js_handler="(e) => emit(e.target.value)")

    def _take(self, event: Any) -> None:
        self.value = str(event.args)[:2_000]


class Area:
    """A text field of several lines; `value` is what stands in it now."""

    def __init__(self, label: str, value: str = "", *, most: int = 2_000) -> None:
        with Tag("label", classes="field"):
            Tag("span", label)
            field = Tag("textarea", value, rows="4", maxlength=str(most))
        self.value = value
        self._most = most
        field.on("input", self._take, args=["target.value"], js_handler="(e) => emit(e.target.value)")

    def _take(self, event: Any) -> None:
        self.value = str(event.args)[: self._most]


class Choice:
    """A select whose value handlers read."""

    def __init__(
        self, label: str, options: Iterable[tuple[str, str]], value: str, *, on_change: Callable[[], Any] | None = None
    ) -> None:
        self.value = value
        self._on_change = on_change
        with Tag("label", classes="field"):
            Tag("span", label)
            with Tag("select") as field:
                for each, text in options:
                    chosen_props = {"selected": "selected"} if each == value else {}
                    Tag("option", text, value=each, **chosen_props)
        field.on("change", self._take, js_handler="(e) => emit(e.target.value)")

    def _take(self, event: Any) -> None:
        self.value = str(event.args)[:200]
        if self._on_change is not None:
            self._on_change()


def confirm(question: str, detail: str, yes: str, no: str, act: Callable[[], Any], *, danger: bool = False) -> None:
    """Ask before something that cannot be undone; `act` runs only on `yes`."""
    with ui.dialog() as dialog, Tag("div", classes="card"):
        Tag("h2", question)
        if detail:
            Tag("p", detail, "soft")
        with Tag("div", classes="btns"):

            def done() -> Any:
                dialog.close()
                return act()

            button(yes, done, kind="danger" if danger else "main-act")
            button(no, dialog.close)
    dialog.open()
