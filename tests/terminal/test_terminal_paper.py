"""What is on the paper and in the code: every notice of the catalogue, in three languages, on both widths of paper."""

import io
import re
from datetime import date

import pytest
import segno
import zxingcpp
from PIL import Image

from demo.shots import content as pictured
from fleet.hall.importer import Mapping, read_bytes
from hal.paper import Columns, Cut, Qr, Text, TextStyle, columns_of, problems
from pack.model import LANGUAGES, Item, Language, Place
from pack.model import Text as PackText
from pack.notice import merged_notice, notice
from terminal.content import PackContent
from terminal.flow.answers import answers, checklist, count_ready, where, yuan
from terminal.flow.phrase import joined
from terminal.flow.plan import plan
from terminal.flow.ports import Subject
from terminal.print.notice import hanging, notice_blocks, qr_module
from terminal.print.raster import LineDrawer
from terminal.takeaway import MOST_BYTES, item_text, plan_text
from terminal.wording import Wording
from ui.fonts import Fonts

PASSPORT = "11999999MB0000027M4000102002000"
WIDTHS = {48: 576, 32: 384}


def blocks_of(item: Item, content: PackContent, wording: Wording, language: Language = "zh", columns: int = 48, **more: object):  # type: ignore[no-untyped-def]
    say = wording.say(language)
    paper = notice(item, content.hall, language=language, today=date(2026, 11, 22))
    taken = item_text(answers(item, language), say).text
    ticked = more.pop("ticked", frozenset())
    return notice_blocks(paper, ticked=ticked, columns=columns, width_dots=WIDTHS[columns], say=say, taken=taken, **more)  # type: ignore[arg-type]


def lines_of(blocks: tuple[object, ...]) -> list[str]:
    lines = []
    for block in blocks:
        if isinstance(block, Text):
            lines.append(block.line)
        elif isinstance(block, Columns):
            lines.append("".join(cell for cell in block.cells))
    return lines


@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_of_the_catalogue_is_printable(
    content: PackContent, wording: Wording, language: Language, columns: int
) -> None:
    for item in content.pack.items(limit=200):
        blocks = blocks_of(item, content, wording, language, columns)
        assert problems(blocks) == [], item.name.zh
        assert isinstance(blocks[-1], Cut)


def test_a_notice_answers_in_the_order_people_ask(content: PackContent, wording: Wording) -> None:
    item = content.item(PASSPORT)
    assert item is not None
    headings = [line for line in lines_of(blocks_of(item, content, wording)) if line.startswith("[")]
    assert headings[:6] == ["[我能不能办]", "[带什么]", "[去哪儿]", "[多久]", "[多少钱]", "[怎么走]"]


def test_what_the_visitor_has_is_ticked_on_the_paper(content: PackContent, wording: Wording) -> None:
    item = content.item(PASSPORT)
    assert item is not None
    blocks = blocks_of(item, content, wording, ticked=frozenset({0, 2}))
    boxes = [block.cells[0] for block in blocks if isinstance(block, Columns) and block.cells[0] in "√□" and block.cells[0]]
    assert boxes[:4] == ["√", "□", "√", "□"]


def test_the_checklist_on_the_screen_has_the_order_of_the_paper(content: PackContent) -> None:
    for item in content.pack.items(limit=200):
        if item.guide is None:
            continue
        section = next(each for each in notice(item, content.hall).sections if each.ticks)
        assert [tick.name for tick in section.ticks] == [row.name for row in checklist([item], "zh")]


def test_the_masked_name_is_on_the_paper_only_when_a_card_was_there(content: PackContent, wording: Wording) -> None:
    item = content.item(PASSPORT)
    assert item is not None
    assert "申请人：张*" in lines_of(blocks_of(item, content, wording, masked_name="张*"))
    assert not any("申请人：" in line and "*" in line for line in lines_of(blocks_of(item, content, wording)))


def test_invented_content_is_marked_before_anything_else_is_read(content: PackContent, wording: Wording) -> None:
    item = content.item(PASSPORT)
    assert item is not None
    lines = lines_of(blocks_of(item, content, wording))
    assert any("演示" in line for line in lines[:4])


def test_no_line_begins_with_closing_punctuation(content: PackContent, wording: Wording) -> None:
    for item in content.pack.items(limit=200):
        for line in lines_of(blocks_of(item, content, wording, columns=32)):
            assert not line.lstrip().startswith(("。", "，", "、", "》", "）")), line


def test_hanging_lines_stay_within_the_paper() -> None:
    blocks = hanging("□", "中华人民共和国居民身份证（有效期内的，原件和复印件各一份）" * 3, indent=3, columns=32)
    assert len(blocks) > 3
    for block in blocks:
        assert isinstance(block, Columns)
        assert columns_of(block.cells[1]) <= 29


def test_a_merged_notice_lists_a_shared_document_once_with_its_users(content: PackContent, wording: Wording) -> None:
    shared = 0
    for scenario in content.scenarios():
        for situation in scenario.situations:
            wanted = plan(content, Subject(scenario=scenario.code, situation=situation.id), "zh")
            assert wanted is not None
            paper = merged_notice("x", wanted.items, content.hall)
            documents = [(tick.name, tick.manner.split("、")[0]) for tick in paper.sections[0].ticks]
            assert len(documents) == len(set(documents)), "only an original and a copy of one document are two rows"
            lines = lines_of(notice_blocks(paper, ticked=frozenset(), columns=48, width_dots=576, say=wording.say("zh")))
            users = sum(len(tick.used_by) > 1 for tick in paper.sections[0].ticks)
            assert sum(line.startswith("→ ") for line in lines) >= users
            shared += users
    assert shared, "the catalogue has no shared document, so this test saw nothing"


# The code a phone takes away


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_fits_and_ends_with_whole_characters(content: PackContent, wording: Wording, language: Language) -> None:
    for item in content.pack.items(limit=200):
        taken = item_text(answers(item, language), wording.say(language))
        assert 0 < len(taken.text.encode()) <= MOST_BYTES
        assert "�" not in taken.text
        assert taken.name in taken.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_reads_the_words_off_the_code(content: PackContent, wording: Wording, language: Language) -> None:
    item = content.item(PASSPORT)
    assert item is not None
    text = item_text(answers(item, language), wording.say(language)).text
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="png", scale=4, border=4)
    (found,) = zxingcpp.read_barcodes(Image.open(picture))
    assert found.text == text


def test_what_had_to_be_left_out_is_said_in_the_text_itself(content: PackContent, wording: Wording) -> None:
    shortened = [
        taken for item in content.pack.items(limit=200) if (taken := item_text(answers(item, "en"), wording.say("en"))).shortened
    ]
    for taken in shortened:
        assert "in all" in taken.text or taken.text.endswith("…")


def test_every_situation_has_a_code_with_its_items(content: PackContent, wording: Wording) -> None:
    for scenario in content.scenarios():
        for situation in scenario.situations:
            taken = plan_text(content, Subject(scenario=scenario.code, situation=situation.id), "zh", wording.say("zh"))
            assert taken is not None
            assert len(taken.text.encode()) <= MOST_BYTES


def test_a_life_event_that_is_gone_gives_no_code(content: PackContent, wording: Wording) -> None:
    assert plan_text(content, Subject(scenario="gone", situation="x"), "zh", wording.say("zh")) is None
    assert plan(content, Subject(scenario=content.scenarios()[0].code, situation="gone"), "zh") is None


@pytest.mark.parametrize("columns", [32, 48])
def test_the_printed_code_and_its_quiet_zone_fit_the_paper(columns: int) -> None:
    text = "办" * 200
    module = qr_module(text, WIDTHS[columns])
    side = segno.make(text.encode(), error="l", micro=False, boost_error=False).symbol_size(border=4)[0]
    assert module >= 2
    assert side * module <= WIDTHS[columns]


# Lines a printer's own font cannot draw


@pytest.mark.parametrize("text", ["여권 발급 안내", "㐂𠮷田", "Zoë", "한국어와 汉字"])
def test_a_drawn_line_has_ink_and_the_right_number_of_bytes(fonts: Fonts, text: str) -> None:
    made = LineDrawer(fonts)(text, TextStyle(bold=False, size=1, align="left", width_dots=384))
    assert made.width == 384
    assert len(made.data) == 48 * made.height
    assert any(made.data)


def test_a_long_drawn_line_continues_below_and_loses_nothing(fonts: Fonts) -> None:
    draw = LineDrawer(fonts)
    style = TextStyle(bold=True, size=1, align="left", width_dots=384)
    one = draw("안내", style)
    many = draw("안내 " * 30, style)
    assert many.height >= 3 * one.height
    whole = draw("가" * 200, style)
    assert whole.height > one.height


def test_a_character_no_font_has_becomes_a_box_with_its_code(fonts: Fonts) -> None:
    made = LineDrawer(fonts)("\U000f1234", TextStyle(bold=False, size=2, align="centre", width_dots=384))
    assert any(made.data)


def test_alignment_moves_the_ink(fonts: Fonts) -> None:
    draw = LineDrawer(fonts)

    def left_edge(align: str) -> int:
        made = draw("가", TextStyle(bold=False, size=1, align=align, width_dots=384))  # type: ignore[arg-type]
        rows = [made.data[i : i + 48] for i in range(0, len(made.data), 48)]
        return min(next((x for x, byte in enumerate(row) if byte), 48) for row in rows)

    assert left_edge("left") < left_edge("centre") < left_edge("right")


# The six answers


def test_an_item_without_a_guide_says_so_and_names_the_phone(content: PackContent) -> None:
    item = next(item for item in content.pack.items(limit=200) if item.guide is None)
    said = answers(item, "zh")
    assert not said.complete
    assert said.bring == ()
    assert said.phone


def test_free_items_say_free_and_charged_ones_say_how_much(content: PackContent) -> None:
    items = content.pack.items(limit=200)
    free = next(item for item in items if not item.charged)
    assert answers(free, "zh").how_much[0].id == "fee.none"  # type: ignore[union-attr]
    passport = content.item(PASSPORT)
    assert passport is not None
    assert answers(passport, "zh").how_much[0].args == {"yuan": "120"}  # type: ignore[union-attr]


def test_money_is_written_without_useless_zeros() -> None:
    assert [yuan(fen) for fen in (0, 100, 12_000, 1_050, 5)] == ["0", "1", "120", "10.50", "0.05"]


def test_only_required_documents_are_counted(content: PackContent) -> None:
    passport = content.item(PASSPORT)
    assert passport is not None
    rows = checklist([passport], "zh")
    needed, ready = count_ready(rows, {0, len(rows) - 1})
    assert needed == sum(row.required for row in rows)
    assert ready == 1


def test_qr_blocks_hold_what_the_screen_shows(content: PackContent, wording: Wording) -> None:
    item = content.item(PASSPORT)
    assert item is not None
    (code,) = [block for block in blocks_of(item, content, wording) if isinstance(block, Qr)]
    assert code.text == item_text(answers(item, "zh"), wording.say("zh")).text


# What a hall's own list leaves out

THIN = {
    "materials only": ("申请材料,办理地点,是否收费", "备案表,31号窗口,是"),
    "conditions only": ("受理条件,办理地点", "已经登记的市场经营者。,2楼"),
    "steps only": ("办理流程,办理地点", "受理→决定,城东分厅"),
}


def imported(kind: str) -> Item:
    """A thin row of a list, read by the fleet's own importer."""
    columns, cells = THIN[kind]
    data = f"事项名称,实施编码,部门,{columns}\r\n户外广告设置备案,A1,城市管理局,{cells}".encode()
    (entry,) = read_bytes(data, "list.csv", Mapping()).items
    assert entry.item.guide is not None
    return entry.item


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", THIN)
def test_a_thin_record_leaves_no_stray_marks_on_paper_or_phone(
    kind: str, language: Language, content: PackContent, wording: Wording
) -> None:
    item = imported(kind)
    phone = item_text(answers(item, language), wording.say(language)).text.split("\n")
    paper = lines_of(blocks_of(item, content, wording, language))
    assert all(line and not line.rstrip().endswith(("：", ":")) for line in phone), phone
    for line in phone + paper:
        assert not re.search(r"[·、→]\s*$|^\s*[；;、→]|[·；;、→]\s*[·；;、→]|\[\]|（）|\(\)", line), line


def test_floor_and_zone_are_joined_only_when_both_are_known() -> None:
    assert [answers(imported(kind), "zh").where for kind in THIN] == ["", "2楼", "城东分厅"]
    both = Place(floor=PackText(zh="二楼"), zone=PackText(zh="B区"))
    assert where(both, "zh") == "二楼 · B区"


def test_the_thin_guides_in_the_pictures_are_what_the_importer_makes() -> None:
    thin = {item.guide.materials != (): item for item in pictured.THIN if item.guide}
    for kind, has_materials in (("materials only", True), ("conditions only", False)):
        drawn, made = thin[has_materials], imported(kind)
        assert drawn.guide == made.guide
        assert drawn.place == made.place


# Sentences on one line


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_full_stop_stands_before_a_separator(language: Language, content: PackContent, wording: Wording) -> None:
    say = wording.say(language)
    for item in content.pack.items(limit=200):
        for row in checklist([item], language):
            assert not re.search(r"[。.] ·|[。.]$", joined(row.about, say)) or len(row.about) == 1
        for line in lines_of(blocks_of(item, content, wording, language)):
            assert not re.search(r"[。.][；;]", line)


def test_a_single_sentence_keeps_its_full_stop_and_empty_remarks_leave_no_mark() -> None:
    assert joined(["带户口簿。"], str) == "带户口簿。"
    assert joined(["", "原件 1 份", " ", "带户口簿。", "公安机关签发。"], str) == "原件 1 份 · 带户口簿 · 公安机关签发"
    assert joined(["and so on...", "two"], str) == "and so on... · two"
