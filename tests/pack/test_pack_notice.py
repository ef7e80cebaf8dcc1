"""The one-time notice: what it says about one item, and how several items' notices become one without asking twice."""

from datetime import date

import pytest

from pack.model import LANGUAGES, Duration, Fee, Guide, Item, Material, Step, Text
from pack.notice import duration_text, fee_text, merge_materials, merged_notice, notice
from pack.notice_words import WORDS


def item(code: str, *materials: Material, **more: object) -> Item:
    guide = Guide(conditions=(), materials=materials, steps=(Step(name=Text(zh="受理")),), result=Text(zh="证"))
    return Item(code=code, name=Text(zh=f"事项{code}"), department="d", guide=guide, **more)  # type: ignore[arg-type]


def paper(name: str, **more: object) -> Material:
    return Material(**({"name": Text(zh=name), "kind": "original"} | more))  # type: ignore[arg-type]


@pytest.fixture
def hall(make_content):
    return make_content().hall


def section(made, title):
    return next(part for part in made.sections if part.title == title)


def test_the_same_document_is_asked_for_once_with_the_most_copies():
    merged = merge_materials(
        [item("1", paper("户口簿", copies=1)), item("2", paper("户口簿", copies=3)), item("3", paper("户口簿"))]
    )
    assert [(entry.material.copies, [user.code for user in entry.used_by]) for entry in merged] == [(3, ["1", "2", "3"])]


def test_width_and_punctuation_do_not_make_two_documents_of_one():
    merged = merge_materials([item("1", paper("居民身份证（Ａ面）")), item("2", paper("居民身份证(A面)"))])
    assert len(merged) == 1


def test_original_and_copy_of_the_same_document_stay_apart():
    merged = merge_materials([item("1", paper("户口簿")), item("2", paper("户口簿", kind="copy"))])
    assert [entry.material.kind for entry in merged] == ["original", "copy"]


def test_the_strictest_need_wins():
    needs = ("later", "conditional", "required")
    merged = merge_materials([item(need, paper("照片", need=need)) for need in needs])
    assert merged[0].material.need == "required"
    merged = merge_materials([item(need, paper("照片", need=need)) for need in needs[:2]])
    assert merged[0].material.need == "conditional"


def test_a_document_is_spared_only_when_no_item_needs_it_brought():
    spared, needed = paper("居住证", exempt=True), paper("居住证")
    assert merge_materials([item("1", spared), item("2", spared)])[0].material.exempt
    assert not merge_materials([item("1", spared), item("2", needed)])[0].material.exempt


def test_paper_wins_when_one_item_cannot_take_electronic():
    either, only_paper = paper("表", form="paper_or_electronic"), paper("表", form="paper")
    assert merge_materials([item("1", either), item("2", only_paper)])[0].material.form == "paper"
    assert merge_materials([item("1", either), item("2", paper("表", form="electronic"))])[0].material.form == "electronic"


def test_every_different_remark_is_kept_once():
    first, second = paper("照片", note=Text(zh="白底")), paper("照片", note=Text(zh="一寸"))
    merged = merge_materials([item("1", first), item("2", second), item("3", first)])
    assert merged[0].notes == ("白底", "一寸")


def test_one_item_asking_twice_for_a_document_is_named_once():
    merged = merge_materials([item("1", paper("照片", copies=2), paper("照片", copies=1))])
    assert merged[0].used_by == (item("1", paper("照片", copies=2), paper("照片", copies=1)),)
    assert merged[0].material.copies == 2


def test_a_tick_says_kind_copies_and_form(hall):
    made = notice(item("1", paper("户口簿", kind="original_and_copy", copies=2)), hall)
    (tick,) = section(made, "带什么").ticks
    assert (tick.name, tick.manner, tick.has_box, tick.used_by) == ("户口簿", "原件和复印件、2份、纸质", True, ())


def test_what_need_not_be_brought_has_no_box(hall):
    made = notice(item("1", paper("居住证", exempt=True)), hall)
    (tick,) = section(made, "带什么").ticks
    assert not tick.has_box
    assert tick.remarks[0].startswith("免提交")


def test_an_item_without_a_guide_says_whom_to_ask(hall):
    made = notice(Item(code="1", name=Text(zh="事项"), department="d", phone="000-9"), hall)
    assert "询问" in section(made, "带什么").lines[0]
    rows = {row.label: row.value for row in section(made, "去哪儿").rows}
    assert rows["咨询电话"] == "000-9"
    assert rows["投诉电话"] == hall.complaint_phone


def test_deadlines_are_the_dates_the_caller_worked_out(hall):
    made = notice(item("1", promise=Duration(amount=5, unit="working_day")), hall, due=date(2026, 11, 27), today=date(2026, 11, 20))
    rows = {row.label: row.value for row in section(made, "多久").rows}
    assert rows == {"承诺时限": "5个工作日", "今日受理，最迟办结": "2026年11月27日"}
    assert made.footer[-1] == "出具日期：2026年11月20日"


def test_money_is_said_with_its_basis_or_free_or_to_be_asked(hall):
    fee = Fee(name=Text(zh="工本费"), standard=Text(zh="每证"), basis=Text(zh="价格局"), amount_fen=2050)
    (charged,) = section(notice(item("1", charged=True, fees=(fee,)), hall), "多少钱").rows
    assert (charged.label, charged.value) == ("工本费", "20.50元：每证 （依据：价格局）")
    assert section(notice(item("1"), hall), "多少钱").rows[0].value == "不收费"
    assert "咨询" in section(notice(item("1", charged=True), hall), "多少钱").rows[0].value


def test_a_merged_notice_names_who_uses_what_and_each_items_deadline(hall):
    items = [item("1", paper("户口簿")), item("2", paper("户口簿"), paper("照片"))]
    made = merged_notice("新生儿出生", items, hall, due={"2": date(2026, 12, 1)})
    shared, own = section(made, "带什么").ticks
    assert (shared.used_by, own.used_by) == (("事项1", "事项2"), ("事项2",))
    assert [part.title for part in made.sections] == ["带什么", "1. 事项1", "2. 事项2"]
    assert any(row.value == "2026年12月1日" for row in made.sections[2].rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_notice_is_complete_in_every_language(catalogue, language):
    for entry in catalogue.items:
        made = notice(entry, catalogue.hall, language=language, due=date(2026, 12, 1), today=date(2026, 11, 22))
        assert made.marks, "invented content must say so"
        shown = [row.value for part in made.sections for row in part.rows] + [tick.name for p in made.sections for tick in p.ticks]
        assert all(text.strip() for text in shown), entry.code


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_scenario_of_the_catalogue_merges(catalogue, language):
    by_code = {entry.code: entry for entry in catalogue.items}
    for scenario in catalogue.scenarios:
        for situation in scenario.situations:
            items = [by_code[code] for code in situation.items]
            made = merged_notice(scenario.name.get(language), items, catalogue.hall, language=language)
            names = [(tick.name, tick.manner) for tick in made.sections[0].ticks]
            assert len(made.sections) == 1 + len(items)
            asked = sum(len(entry.guide.materials) for entry in items if entry.guide)
            assert len(names) <= asked


def test_every_word_is_there_in_every_language():
    assert all(texts.keys() == set(LANGUAGES) and all(texts.values()) for texts in WORDS.values())


def test_amounts_and_limits_read_naturally():
    assert [fee_text(fen, "zh") for fen in (2000, 1050, 5)] == ["20元", "10.50元", "0.05元"]
    assert duration_text(Duration(amount=0, unit="at_once"), "zh") == "即时办结"
    assert duration_text(Duration(amount=3, unit="month"), "ko") == "3개월"
    assert duration_text(Duration(amount=1, unit="working_day"), "en") == "1 working day"
    assert duration_text(Duration(amount=2, unit="working_day"), "en") == "2 working days"


def test_where_a_form_is_from_is_said_once_by_its_own_note_when_it_has_one(hall):
    own = paper("申请表", source="hall", source_note=Text(zh="窗口提供，现场填写"))
    plain = paper("申请表", source="hall")
    for materials, said in (
        ([own], ("窗口提供，现场填写",)),
        ([plain], ("大厅提供表样",)),
        ([plain, own], ("窗口提供，现场填写",)),
    ):
        items = [item(str(number), material) for number, material in enumerate(materials)]
        (tick,) = merged_notice("x", items, hall).sections[0].ticks
        assert tick.remarks == said


@pytest.mark.parametrize("language", ["ko", "en"])
def test_fixed_words_in_korean_and_english_have_no_full_width_marks(hall, language):
    def said(text):
        return Text(zh="一", ko="가", en="a")

    guide = Guide(
        conditions=(said(1),), materials=(Material(name=said(1), kind="original_and_copy", copies=2, source="government"),),
        steps=(Step(name=said(1), limit=Duration(amount=3, unit="working_day")),), result=said(1),
    )  # fmt: skip
    whole = Item(code="1", name=said(1), department="d", guide=guide, promise=Duration(amount=1, unit="hour"), charged=True)
    made = notice(whole, hall, language=language, today=date(2026, 11, 22))
    steps = next(part for part in made.sections if part.lines and part.lines[0].startswith("1. "))
    assert steps.lines[0].endswith(f" ({duration_text(guide.steps[0].limit, language)})")
    words = repr(made.sections).replace(repr(hall.hours.get(language)), "")
    assert not [mark for mark in "（）、，；：。" if mark in words]
    assert not [mark for mark in "（）、，；：。" for text in WORDS.values() if mark in text[language]]
