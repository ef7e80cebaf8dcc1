"""Lists to choose from: departments, a department's items, ready-made shelves, life events, windows."""

from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from pack.model import Department, Item, Scenario, Window
from terminal.flow.answers import limit
from terminal.flow.places import DepartmentItems, Guide, ShelfItems
from terminal.flow.tree import enter, leads
from terminal.screens.view import Row, View, join, local
from ui.language import words
from ui.theme import theme
from ui.widgets.banner import Banner


class ListView(View):
    """A heading, the way back, and pages of rows. Subclasses say what is listed and what a row shows."""

    heading = StringProperty("")
    icon = ""

    def entries(self) -> list[object]:
        """What is listed, in order."""
        raise NotImplementedError

    def row(self, entry: object) -> Widget:
        """One row of the list."""
        raise NotImplementedError

    def title(self) -> str:
        """What stands above the list."""
        raise NotImplementedError

    def build(self) -> None:
        entries = self.entries()
        self.heading = self.title()
        if entries:
            self.ids.list.fill(entries, self.row)
        else:
            self.ids.notes.add_widget(Banner(text=words.t("list.empty"), icon="info"))

    def opens(self, row: Row, place: object) -> Row:
        """Make a row lead to a place."""
        row.bind(on_release=lambda _: self.visit.go(place))
        return row


class DepartmentsView(ListView):
    """All departments with something to do here."""

    def title(self) -> str:
        return words.t("list.departments")

    def entries(self) -> list[object]:
        return list(self.visit.content.departments())

    def row(self, entry: Department) -> Widget:
        count = len(self.visit.content.items_of(entry.code))
        mark = words.t("list.count_one") if count == 1 else words.t("list.count", count=count)
        row = Row(icon="department", title=local(entry.name), mark=mark, name=f"department {entry.code}")
        return self.opens(row, DepartmentItems(entry.code))


class ItemsView(ListView):
    """The items of a department or of a shelf."""

    def title(self) -> str:
        if isinstance(self.shown, ShelfItems):
            return words.t(f"home.{self.shown.shelf}")
        departments = self.visit.content.departments()
        return next((local(each.name) for each in departments if each.code == self.shown.department), "")

    def entries(self) -> list[object]:
        content = self.visit.content
        if isinstance(self.shown, ShelfItems):
            return list(content.shelf(self.shown.shelf))
        return list(content.items_of(self.shown.department))

    def row(self, entry: Item) -> Widget:
        row = Row(icon="guide", title=local(entry.name), note=about(entry), name=f"item {entry.code}")
        if entry.status == "paused":
            row.mark = words.t("list.paused")
        return self.opens(row, Guide(entry.code))


def about(item: Item) -> str:
    """Where and how long, in one line."""
    place = item.place
    where = local(place.floor) if place else ""
    window = words.t("guide.windows", windows=words.t("list.comma").join(place.windows)) if place and place.windows else ""
    return join([where, window, limit(item.promise) if item.promise else ""])


class ScenariosView(ListView):
    """Life events that can be entered; a broken one is not offered."""

    def build(self) -> None:
        self.ids.list.row_height = theme.mm(70 if theme.elder else 40)
        super().build()

    def title(self) -> str:
        return words.t("list.scenarios")

    def entries(self) -> list[object]:
        return [scenario for scenario in self.visit.content.scenarios() if can_enter(scenario)]

    def row(self, entry: Scenario) -> Widget:
        row = Row(icon="life", title=local(entry.name), note=local(entry.summary), note_lines=2)
        row.name = f"scenario {entry.code}"
        return self.opens(row, enter(entry))


def can_enter(scenario: Scenario) -> bool:
    """Whether the first screen of a life event has somewhere to go."""
    if scenario.questions:
        return any(leads(scenario, choice) for choice in scenario.questions[0].choices)
    return bool(scenario.situations)


class WindowsView(ListView):
    """Which window is where. Nothing to touch: it is read."""

    def title(self) -> str:
        return words.t("list.windows")

    def build(self) -> None:
        super().build()
        hall = self.visit.content.hall
        phones = words.t("list.phone", phone=hall.phone, complaint=hall.complaint_phone)
        self.ids.notes.add_widget(Banner(lead=words.t("list.hours"), text=f"{local(hall.hours)}\n{phones}", icon="time"))

    def entries(self) -> list[object]:
        return list(self.visit.content.hall.windows)

    def row(self, entry: Window) -> Widget:
        number = words.t("list.window", number=entry.number)
        where = join([local(entry.floor), local(entry.zone)])
        row = Row(icon="place", title=local(entry.business), note=where, mark=number, leads=False)
        row.disabled = True
        return row
