"""Everything the guide says beyond the six answers, as pages of plain text."""

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from pack.model import Fee, Item, Step
from terminal.flow.answers import bring, fee_line, legal, limit, where
from terminal.screens.view import View, join, local, say
from ui.language import words


class Heading(BoxLayout):
    """A section's name; it never stands alone at the end of a page."""

    text = StringProperty("")
    keep = BooleanProperty(True)


class Paragraph(BoxLayout):
    """One paragraph, with a soft second line when it has one."""

    text = StringProperty("")
    more = StringProperty("")


class DetailsView(View):
    """Sections of paragraphs; empty sections are left out."""

    def build(self) -> None:
        item = self.visit.content.item(self.shown.code)
        self.ids.crumb.text = local(item.name) if item else words.t("guide.gone")
        rows: list[BoxLayout] = []
        for title, paragraphs in sections(item) if item else ():
            if paragraphs:
                rows.append(Heading(text=title))
                rows += [Paragraph(text=text, more=more) for text, more in paragraphs]
        self.ids.text.fill(rows)


Section = tuple[str, list[tuple[str, str]]]


def sections(item: Item) -> list[Section]:
    """All that is known of an item: (title, [(paragraph, second line)])."""
    guide = item.guide
    said: list[Section] = []
    if guide:
        said = [
            (words.t("details.conditions"), _plain(local(text) for text in guide.conditions)),
            (words.t("details.not_accepted"), _plain(local(text) for text in guide.not_accepted)),
            (words.t("details.materials"), [_material(material) for material in guide.materials]),
            (words.t("details.steps"), [_step(at, step) for at, step in enumerate(filter(_named, guide.steps), start=1)]),
        ]
    said.append((words.t("details.limits"), _plain([_limits(item)])))
    said.append((words.t("details.fees"), [_fee(fee) for fee in item.fees] or _plain([_no_fee(item)])))
    if guide:
        said.append((words.t("details.result"), _plain([local(guide.result)])))
        said.append((words.t("details.questions"), [_question(each) for each in guide.questions]))
        said.append((words.t("details.legal"), _plain(local(text) for text in guide.legal_basis)))
    said.append((words.t("details.place"), _plain([_place(item)])))
    said.append((words.t("details.phones"), _plain([_phones(item)])))
    said.append(("", [(words.t("details.code", code=item.code, version=item.version), "")]))
    return said


def _plain(texts: object) -> list[tuple[str, str]]:
    return [(text, "") for text in texts if text.strip()]


def _material(material: object) -> tuple[str, str]:
    notes = [local(text) for text in (material.note, material.source_note) if text]
    row = bring(material, words.code, notes=notes)
    return row.name, join(row.about)


def _named(step: Step) -> bool:
    return bool(local(step.name).strip())


def _step(number: int, step: Step) -> tuple[str, str]:
    more = join([local(step.by), limit(step.limit) if step.limit else "", local(step.note)])
    return words.t("details.step", number=number, name=local(step.name)), more


def _limits(item: Item) -> str:
    promised = words.t("details.promised", limit=say(limit(item.promise))) if item.promise else ""
    return join([promised, legal(item)]) or words.t("guide.how_long_ask")


def _fee(fee: Fee) -> tuple[str, str]:
    amount = fee_line(fee, words.code)
    standard = "" if fee.amount_fen is None else local(fee.standard)
    basis = words.t("details.basis", basis=local(fee.basis)) if local(fee.basis) else ""
    return "  ".join(filter(None, [local(fee.name), say(amount)])), join([standard, basis])


def _no_fee(item: Item) -> str:
    return words.t("fee.ask" if item.charged else "fee.none")


def _question(each: object) -> tuple[str, str]:
    asked = words.t("details.question", text=local(each.question))
    return asked, words.t("details.answer", text=local(each.answer))


def _place(item: Item) -> str:
    place = item.place
    windows = words.t("guide.windows", windows=words.t("list.comma").join(place.windows)) if place and place.windows else ""
    return join([where(place, words.code), windows, local(item.hours)])


def _phones(item: Item) -> str:
    phone = f"{words.t('guide.phone')} {item.phone}" if item.phone else ""
    complaint = f"{words.t('guide.complaint')} {item.complaint_phone}" if item.complaint_phone else ""
    return join([phone, complaint])
