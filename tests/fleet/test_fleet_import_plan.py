"""What an import would change: new, changed, unchanged, withdrawn, refused; nothing lost, and nothing on the second time."""

import io
import json
import zipfile

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from fleet.hall.importer import Mapping, compare, read_bytes
from fleet.hall.importer.clean import clean_text
from fleet.hall.importer.result import ImportPlan, ReadResult
from pack.fold import fold
from pack.model import Department, Guide, Item, Material, Text

HEAD = "部门,事项名称,编码,咨询电话,申请材料"


def read(*rows: str, head: str = HEAD) -> ReadResult:
    return read_bytes("\n".join((head, *rows)).encode(), "list.csv", Mapping())


def stored(plan: ImportPlan, current: dict[str, Item] | None = None) -> dict[str, Item]:
    """The items as they would be after writing the plan."""
    return (current or {}) | {item.code: item for item in plan.items}


def test_a_first_import_is_all_new_and_brings_its_departments():
    plan = compare({}, read("民政局,甲,1,,", "公安局,乙,2,,"))
    assert (plan.report.new, plan.report.changed, plan.report.withdrawn) == (("1", "2"), (), ())
    assert {department.name.zh for department in plan.departments} == {"民政局", "公安局"}


def test_importing_twice_changes_nothing():
    result = read("民政局,甲,1,000-1,户口簿；照片2份", "公安局,乙,,,", "公安局,丙,2,,", "公安局,丁,2,,")
    first = compare({}, result)
    again = compare(stored(first), result, departments=first.departments)
    assert len(again.report.unchanged) == 4
    assert (again.items, again.departments, again.report.new, again.report.changed) == ((), (), (), ())


def test_a_changed_field_is_a_change_and_the_rest_stays():
    first = compare({}, read("民政局,甲,1,000-1,户口簿", "民政局,乙,2,,"))
    plan = compare(stored(first), read("民政局,甲,1,000-2,户口簿", "民政局,乙,2,,"))
    assert (plan.report.changed, plan.report.unchanged) == (("1",), ("2",))
    assert plan.items[0].phone == "000-2"
    assert plan.items[0].guide == first.items[0].guide


def test_what_the_file_does_not_speak_of_stays_as_people_have_written_it():
    guide = Guide(
        conditions=(Text(zh="自愿", ko="자원"),),
        materials=(Material(name=Text(zh="户口簿", ko="호구부", en="Household register"), kind="copy"),),
        steps=(),
        result=Text(zh="证"),
    )
    old = Item(
        code="1", name=Text(zh="甲", ko="갑", en="A"), department="D", popularity=3, aliases=("俗称",), phone="000-1", guide=guide
    )
    known = Department(code="D", name=Text(zh="民政局"), short_name=Text(zh="民政"))
    read_again = read_bytes((HEAD + "\n民政局,甲,1,,户口簿；照片").encode(), "f", Mapping(), [known])
    (item,) = compare({"1": old}, read_again).items
    assert (item.name, item.popularity, item.aliases, item.phone) == (old.name, 3, ("俗称",), "000-1")
    assert item.guide.conditions == guide.conditions
    assert [material.name for material in item.guide.materials] == [
        Text(zh="户口簿", ko="호구부", en="Household register"),
        Text(zh="照片"),
    ]


def test_a_new_chinese_name_drops_its_old_translations():
    old = Item(code="1", name=Text(zh="甲", ko="갑", en="A"), department="D")
    known = Department(code="D", name=Text(zh="民政局"), short_name=Text(zh="民政"))
    (item,) = compare({"1": old}, read_bytes((HEAD + "\n民政局,甲乙,1,,").encode(), "f", Mapping(), [known])).items
    assert item.name == Text(zh="甲乙")


def test_our_own_full_records_replace_everything():
    old = Item(code="1", name=Text(zh="甲", ko="갑"), department="D", phone="000-1")
    new = msgspec.json.encode(Item(code="1", name=Text(zh="甲"), department="D"))
    (item,) = compare({"1": old}, read_bytes(new, "f", Mapping())).items
    assert item == Item(code="1", name=Text(zh="甲"), department="D")


def test_items_gone_from_a_complete_list_are_withdrawn_and_come_back():
    first = stored(compare({}, read("民政局,甲,1,,", "民政局,乙,2,,")))
    plan = compare(first, read("民政局,甲,1,,"))
    assert plan.report.withdrawn == ("2",)
    second = stored(plan, first)
    assert second["2"].status == "withdrawn"
    assert compare(second, read("民政局,甲,1,,")).report.withdrawn == ()
    back = compare(second, read("民政局,甲,1,,", "民政局,乙,2,,"))
    assert back.report.changed == ("2",)
    assert stored(back, second)["2"].status == "in_use"


def test_a_partial_list_withdraws_nothing():
    first = stored(compare({}, read("民政局,甲,1,,", "民政局,乙,2,,")))
    assert compare(first, read("民政局,甲,1,,"), is_complete=False).report.withdrawn == ()


def test_a_refused_row_does_not_withdraw_its_item():
    first = stored(compare({}, read("民政局,甲,1,,", "民政局,乙,2,,")))
    result = read("民政局,甲,1,,", "民政局,,2,,")
    assert compare(first, result).report.withdrawn == ()
    assert compare(first, result).report.refused == 1


def test_a_refused_row_without_a_code_holds_every_withdrawal_back():
    first = stored(compare({}, read("民政局,甲,1,,", "民政局,乙,2,,")))
    assert compare(first, read("民政局,甲,1,,", "民政局,,,x,")).report.withdrawn == ()


def test_a_list_that_would_withdraw_most_of_the_hall_waits_for_a_person():
    first = stored(compare({}, read(*(f"民政局,事项{number},{number},," for number in range(40)))))
    rest = read(*(f"民政局,事项{number},{number},," for number in range(10)))
    plan = compare(first, rest)
    assert "would withdraw 30 of 40 items" in plan.blocked
    assert (plan.items, plan.departments) == ((), ())
    assert len(plan.report.withdrawn) == 30
    confirmed = compare(first, rest, may_withdraw_many=True)
    assert confirmed.blocked == ""
    assert len(confirmed.items) == 30


@pytest.mark.parametrize("data", [b"", b"<html>502</html>", "姓名\n甲".encode(), b"PK\x03\x04"])
def test_an_unreadable_file_changes_nothing(data):
    first = stored(compare({}, read("民政局,甲,1,,")))
    plan = compare(first, read_bytes(data, "bad", Mapping()))
    assert "nothing was read from bad" in plan.blocked
    assert (plan.items, plan.report.withdrawn) == ((), ())


def test_an_item_in_two_files_read_as_one_is_one_item():
    first, second = read("民政局,甲,1,000-1,"), read("民政局,甲,1,,户口簿")
    both = msgspec.structs.replace(first, items=first.items + second.items)
    plan = compare({}, both)
    assert plan.report.new == ("1",)
    assert (plan.items[0].phone, len(plan.items[0].guide.materials)) == ("000-1", 1)


def test_the_summary_is_one_sentence_with_the_figures():
    plan = compare({}, read("民政局,甲,1,,", "民政局,,2,,"))
    assert plan.report.summary() == "list.csv: 1 new, 0 changed, 0 unchanged, 0 withdrawn, 1 refused, 1 problem(s)"


def test_the_report_can_be_sent_as_json():
    plan = compare({}, read("民政局,甲,1,,", "民政局,,2,,"))
    report = json.loads(msgspec.json.encode(plan.report))
    assert report["problems"][0].keys() == {"file", "row", "column", "value", "reason", "severity", "reason_zh"}


CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "无",
            "—",
            "民政局",
            "甲",
            "5个工作日",
            "&amp;lt;p&amp;gt;甲",
            "1.14E+30",
            "A1",
            "<html>",
            "一、甲；二、乙",
            "是",
            "2025年2月30日",
            "\x00",
        ]
    ),
    st.text(max_size=20),
)
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COLUMNS = [
    "部门",
    "事项名称",
    "编码",
    "承诺时限",
    "申请材料",
    "办理地点",
    "是否收费",
    "收费标准",
    "生效日期",
    "办理流程",
    "常见问题",
    "备注",
]


@given(st.binary(max_size=400))
@SETTINGS
def test_no_bytes_make_the_importer_fail(data):
    result = read_bytes(data, "x", Mapping())
    assert result.is_readable or any(problem.severity == "error" for problem in result.problems)


@given(
    st.sampled_from([b"PK\x03\x04", b"{", b"[", b"\xff\xfe", b"\xef\xbb\xbf", b"<html>\n{", "部门,事项名称,编码\n".encode()]),
    st.binary(max_size=200),
)
@SETTINGS
def test_no_bytes_after_a_format_s_mark_make_it_fail(mark, rest):
    read_bytes(mark + rest, "x", Mapping())


KEYS = st.one_of(
    st.sampled_from(["name", "code", "children", "事项", "名称", "办理", "申请", "材料", "data"]),
    st.text(max_size=5),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


@given(JSON)
@SETTINGS
def test_no_json_makes_it_fail(value):
    read_bytes(json.dumps(value).encode(), "x", Mapping())
    read_bytes(
        json.dumps({"事项": {"名称": "甲", "实施主体": "乙", "编码": "1"}, "申请": value, "办理": value}).encode(), "x", Mapping()
    )


@given(st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=8))
@SETTINGS
def test_every_row_becomes_an_item_or_a_reported_problem_and_the_second_time_changes_nothing(rows):
    records = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    data = "\n".join(json.dumps(record) for record in records).encode()
    result = read_bytes(data, "x", Mapping())
    errors = {problem.row for problem in result.problems if problem.severity == "error"}
    names = {fold(entry.item.name.zh).text for entry in result.items}
    for number, record in enumerate(records, start=1):
        assert number in errors or fold(clean_text(record["事项名称"])[0]).text in names
    assert len(errors) == result.refused or not data
    first = compare({}, result)
    again = compare(stored(first), result, departments=first.departments)
    assert again.items == ()
    for item in first.items:
        assert msgspec.json.decode(msgspec.json.encode(item), type=Item) == item


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_no_damage_to_a_workbook_makes_it_fail(data):
    book = Workbook()
    book.active.append(["部门", "事项名称", "编码"])
    book.active.append(["民政局", "甲", "1"])
    whole = io.BytesIO()
    book.save(whole)
    parts = {}
    with zipfile.ZipFile(whole) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    victim = data.draw(st.sampled_from(sorted(parts)))
    at = data.draw(st.integers(0, len(parts[victim]) - 1))
    parts[victim][at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
    damaged = io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, bytes(content))
    read_bytes(damaged.getvalue(), "x.xlsx", Mapping())
