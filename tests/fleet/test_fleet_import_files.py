"""Every format and every kind of dirt an item list comes with: read, cleaned, reported with its place, never lost in silence."""

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from fleet.hall.importer import Mapping, MappingInvalid, load_mapping, read_bytes, read_items
from fleet.hall.importer.result import ReadResult
from pack.model import Department, Duration, Text

NOTHING = Mapping()


def csv_of(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(rows).encode(encoding)


def read(data: bytes | str, mapping: Mapping = NOTHING, **more: Any) -> ReadResult:
    return read_bytes(data.encode() if isinstance(data, str) else data, "list", mapping, **more)


def lines(*records: Any) -> bytes:
    return b"\n".join(
        record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode() for record in records
    )


def workbook(*sheets: tuple[str, list[list[Any]]], merge: str = "") -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if merge:
            sheet.merge_cells(merge)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def one(result: ReadResult) -> Any:
    assert len(result.items) == 1, [problem.reason for problem in result.problems]
    return result.items[0].item


def row_with(**cells: str) -> Any:
    """The item of a CSV with the usual columns and these."""
    columns = {"部门": "民政局", "事项名称": "结婚登记", "实施编码": "A1"} | cells

    def quoted(values: Any) -> str:
        return ",".join('"' + value.replace('"', '""') + '"' for value in values)

    return read(csv_of(quoted(columns), quoted(columns.values())))


def reasons(result: ReadResult, severity: str = "") -> list[str]:
    return [problem.reason for problem in result.problems if not severity or problem.severity == severity]


def provincial(**groups: Any) -> dict[str, Any]:
    item = {"名称": "食品经营许可", "实施主体": "市场监管局", "编码": "B7", "事项类型": "行政许可", "服务对象": "自然人,法人"}
    return {"事项": item} | groups


# Formats


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_csv_is_read_in_the_encodings_and_with_the_separators_in_use(encoding, separator):
    text = "部门,事项名称,编码\n民政局,结婚登记,A1\n".replace(",", separator)
    item = one(read(text.encode(encoding)))
    assert (item.code, item.name.zh) == ("A1", "结婚登记")


def test_an_encoding_named_in_the_mapping_is_used():
    data = csv_of("部门,事项名称,编码", "民政局,结婚登记,A1", encoding="utf-16-le")
    assert one(read(data, Mapping(encoding="utf-16"))).code == "A1"


def test_a_damaged_encoding_is_read_with_a_warning():
    data = csv_of("部门,事项名称,编码", "民政局,结婚登记,A1", encoding="gb18030") + b"\xff\xff\r\n"
    result = read(data)
    assert result.items
    assert any("replaced" in reason for reason in reasons(result, "warning"))


def test_a_workbook_is_read_with_title_rows_above_and_repeated_headers_between():
    head = ["序号", "部门", "事项名称", "实施编码", "承诺时限"]
    data = workbook(
        (
            "清单",
            [
                ["云溪县事项清单"],
                ["截至十一月"],
                head,
                [1, "民政局", "甲", "A1", "5个工作日"],
                head,
                [2, "民政局", "乙", 1002, None],
            ],
        )
    )
    result = read(data)
    assert [(entry.item.code, entry.row) for entry in result.items] == [("A1", 4), ("1002", 6)]
    assert result.refused == 0


def test_merged_department_cells_hold_for_all_their_rows():
    rows = [["部门", "事项名称", "编码"], ["民政局", "甲", "1"], [None, "乙", "2"], [None, "丙", "3"], ["公安局", "丁", "4"]]
    result = read(workbook(("清单", rows), merge="A2:A4"))
    names = {department.code: department.name.zh for department in result.departments}
    assert [names[entry.item.department] for entry in result.items] == ["民政局"] * 3 + ["公安局"]
    assert any("2 blank departments took the one above" in reason for reason in reasons(result, "note"))


def test_sheets_named_after_departments_name_them():
    rows = [["事项名称", "编码"], ["甲", "1"]]
    result = read(workbook(("民政局", rows), ("公安局", [["事项名称", "编码"], ["乙", "2"]]), ("说明", [["请填写"]])))
    assert {department.name.zh for department in result.departments} == {"民政局", "公安局"}
    assert any("not read" in reason for reason in reasons(result, "note"))


def test_only_the_sheet_named_in_the_mapping_is_read():
    rows = [["部门", "事项名称", "编码"], ["民政局", "甲", "1"]]
    data = workbook(("旧", [["部门", "事项名称", "编码"], ["民政局", "旧", "0"]]), ("新", rows))
    assert one(read(data, Mapping(sheet="新"))).code == "1"
    assert "the workbook has 旧, 新" in reasons(read(data, Mapping(sheet="无")), "error")[0]


def test_dates_numbers_and_truth_values_of_a_workbook_are_read_as_a_person_would():
    from datetime import datetime

    head = ["部门", "事项名称", "编码", "生效日期", "是否收费", "到现场次数"]
    item = one(read(workbook(("s", [head, ["民政局", "甲", 12.0, datetime(2025, 1, 31), True, 1.0]]))))
    assert (item.code, item.valid_from, item.charged, item.visits) == ("12", "2025-01-31", True, 1)


def test_nested_json_by_department_main_item_and_sub_items_is_read():
    tree = {"公安局": {"户籍管理": [{"name": "出生登记", "code": "1"}, {"name": "迁移", "url": "x"}], "出入境": {"护照": "3"}}}
    result = read(lines(tree))
    assert [(entry.item.name.zh, entry.item.unread["主项"]) for entry in result.items] == [
        ("出生登记", "户籍管理"),
        ("迁移", "户籍管理"),
        ("护照", "出入境"),
    ]
    assert [department.name.zh for department in result.departments] == ["公安局"]
    assert result.items[1].item.unread["url"] == "x"


def test_nested_json_of_objects_with_children_and_plain_names_is_read():
    tree = {
        "code": 200,
        "data": [{"name": "公安局", "children": [{"name": "户籍", "items": [{"title": "出生登记", "code": "1"}, "迁移"]}]}],
    }
    result = read(lines(tree))
    assert [entry.item.name.zh for entry in result.items] == ["出生登记", "迁移"]


def test_a_link_in_place_of_a_code_is_kept_as_a_link():
    result = read(lines({"公安局": {"出入境": {"护照": "https://example.test/1"}}}))
    assert one(result).unread["link"] == "https://example.test/1"
    assert one(result).code.startswith("x-")


def test_a_provincial_record_is_read_with_its_whole_guide():
    record = provincial(
        办理={
            "承诺办结时限": "6个工作日",
            "法定办结时限": "45个工作日",
            "是否收费": "否",
            "咨询电话": "000-1",
            "办理环节": [{"环节": "受理", "办理人员": "窗口", "办理时限": "1个工作日", "审查标准": "齐全"}],
        },
        申请={
            "受理条件": "有固定场所",
            "材料": [
                {
                    "名称": "申请表",
                    "份数": "2",
                    "提交形式": "纸质/电子",
                    "材料类型": "原件",
                    "材料来源": "窗口领取",
                    "是否必要": "必要",
                },
                {"名称": "营业执照", "份数": "1份", "材料类型": "原件和复印件", "材料来源": "政府部门核发", "是否必要": "非必要"},
            ],
        },
        办理结果=[{"名称": "食品经营许可证", "类型": "证照"}],
        常见问答=[{"问题": "多久？", "答复": "六天。"}],
        法律依据=[{"名称": "食品安全法", "文号": "21号", "条款": "第三十五条", "内容": "许可制度"}],
        来源={"网站": "x"},
    )
    item = one(read(lines(record, provincial())))
    assert (item.kind, item.audience, item.promise) == ("licence", ("person", "company"), Duration(amount=6, unit="working_day"))
    first, second = item.guide.materials
    assert (first.copies, first.form, first.source, first.need) == (2, "paper_or_electronic", "hall", "required")
    assert (second.kind, second.source, second.need) == ("original_and_copy", "government", "conditional")
    assert item.guide.steps[0].limit == Duration(amount=1, unit="working_day")
    assert item.guide.result.zh == "食品经营许可证"
    assert item.guide.legal_basis[0].zh == "《食品安全法》（21号）第三十五条：许可制度"
    assert "网站" in item.unread["来源"]


def test_our_own_records_are_read_as_they_are(tmp_path):
    catalogue = Path(__file__).parents[2] / "demo" / "catalogue"
    departments = read_items(catalogue / "departments.jsonl").departments
    for path in sorted(catalogue.glob("*.json*")):
        result = read_items(path, departments=departments)
        assert result.is_readable, path
        assert result.problems == (), path
    items = read_items(catalogue / "items-guide-1.jsonl")
    assert all(entry.is_full and entry.item.guide and entry.item.name.ko for entry in items.items)


def test_a_misspelt_field_in_our_own_format_is_refused_with_the_decoders_words():
    result = read(lines({"code": "a", "name": {"zh": "甲"}, "department": "d", "promisse": 1}))
    assert (result.refused, result.refused_codes) == (1, frozenset({"a"}))
    assert "promisse" in reasons(result, "error")[0]


def test_a_department_that_nobody_lists_is_reported_once():
    records = [{"code": code, "name": {"zh": "甲"}, "department": "D8"} for code in "ab"]
    result = read(lines(*records))
    assert len(result.items) == 2
    assert [(problem.column, problem.value) for problem in result.problems] == [("department", "D8")]


# Files that cannot be read


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel"),
        (b"PK\x03\x04 damaged", "damaged"),
        (b"<html><body>502 Bad Gateway</body></html>", "a web page"),
        (b"<table><tr><td>x</td></tr></table>", "markup"),
        ("姓名,年龄\n甲,3\n".encode(), "recognisable headers"),
        (b'{"a": 1}', "no list of items"),
        (b"[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]", "no list"),
        (b"[" * 100_000, "deep"),
    ],
)
def test_an_unreadable_file_says_what_it_is_and_what_to_do(data, said):
    result = read(data)
    assert not result.is_readable
    assert any(said in reason for reason in reasons(result, "error")), result.problems


def test_a_file_over_the_limit_is_not_even_loaded(tmp_path):
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    assert "64 MiB" in reasons(read_items(path), "error")[0]


def test_a_spreadsheet_bomb_is_refused_before_it_unpacks():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 << 20))
    assert "unpacks to 64 MiB" in reasons(read(data.getvalue()), "error")[0]


def test_a_bomb_that_lies_about_its_size_is_refused_too():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"0" * (32 << 20))
    raw = bytearray(data.getvalue())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = raw.find(mark) + offset
        raw[at : at + 4] = struct.pack("<I", 100)
    result = read(bytes(raw))
    assert not result.is_readable
    assert reasons(result, "error")


def test_rows_beyond_the_limit_are_reported():
    from fleet.hall.importer.sheets import MAX_ROWS

    data = "部门,事项名称,编码\n" + "\n" * MAX_ROWS + "民政局,甲,1\n"
    assert any("split the file" in reason for reason in reasons(read(data), "error"))


# Dirt


def test_doubly_escaped_html_becomes_text_with_line_breaks():
    result = row_with(受理条件="&amp;lt;p&amp;gt;年满二十二&lt;br/&gt;双方自愿&amp;lt;/p&amp;gt;")
    assert [text.zh for text in one(result).guide.conditions] == ["年满二十二", "双方自愿"]
    assert any("markup" in reason for reason in reasons(result, "note"))


def test_scripts_and_comments_are_removed_with_their_content():
    item = one(row_with(受理条件="<script>alert(1)</script>自愿<!-- 草稿 --><style>p{}</style>"))
    assert [text.zh for text in item.guide.conditions] == ["自愿"]


def test_angle_brackets_that_are_no_tags_stay():
    assert one(row_with(受理条件="人数<5，年龄>18")).guide.conditions[0].zh == "人数<5，年龄>18"


def test_control_and_invisible_characters_are_taken_out():
    item = one(row_with(事项名称="结\x01婚\u200b登\ufeff记\x7f"))
    assert item.name.zh == "结婚登记"


def test_line_breaks_in_a_name_are_closed_up():
    assert one(row_with(事项名称="结婚\n登记\r\n（补领）")).name.zh == "结婚登记（补领）"
    assert one(row_with(事项名称="ETC_x000D_\nnew tag")).name.zh == "ETC new tag"


def test_wide_letters_and_digits_become_narrow_and_brackets_stay():
    item = one(row_with(事项名称="（Ａ类）许可２", 实施编码="１１－Ａ．２", 咨询电话="０００－１"))
    assert (item.name.zh, item.code, item.phone) == ("（A类）许可2", "11-A.2", "000－1")


@pytest.mark.parametrize("blank", ["", "—", "——", "无", "/", "-", "null", "N/A", " \u3000", "暂无"])
def test_words_that_mean_nothing_are_taken_as_nothing(blank):
    item = one(row_with(承诺时限=blank, 简称=blank, 申请材料=blank, 收费标准=blank))
    assert (item.promise, item.short_name, item.guide, item.fees, item.unread) == (None, None, None, (), {})


@pytest.mark.parametrize(
    ("said", "amount", "unit"),
    [
        ("5个工作日", 5, "working_day"), ("５ 个 工作日", 5, "working_day"), ("十五个工作日内", 15, "working_day"),
        ("20（工作日）", 20, "working_day"), ("即时办结", 0, "at_once"), ("当场办理", 0, "at_once"), ("0个工作日", 0, "at_once"),
        ("2小时", 2, "hour"), ("30日", 30, "day"), ("不超过60天", 60, "day"), ("三个月", 3, "month"), ("1年", 12, "month"),
        ("2周", 14, "day"), ("一百二十个自然日", 120, "day"),
    ],
)  # fmt: skip
def test_time_limits_are_read_in_every_usual_form(said, amount, unit):
    assert one(row_with(承诺时限=said)).promise == Duration(amount=amount, unit=unit)


@pytest.mark.parametrize("said", ["5天左右", "视情况", "5", "3650000天", "法定20日，承诺5日", "半个工作日", "²天"])
def test_a_time_limit_that_cannot_be_read_is_kept_as_text(said):
    result = row_with(承诺时限=said)
    assert one(result).promise is None
    assert one(result).unread == {"承诺时限": said}
    (problem,) = [problem for problem in result.problems if problem.severity == "warning"]
    assert (problem.file, problem.row, problem.column, problem.value) == ("list", 2, "承诺时限", said)


def test_a_bare_number_takes_the_unit_of_its_header():
    assert one(row_with(**{"承诺时限（工作日）": "5", "法定期限(单位：天)": "30.0"})).promise == Duration(
        amount=5, unit="working_day"
    )


@pytest.mark.parametrize(
    "said", ["2025年1月31日", "2025/1/31", "2025.01.31", "20250131", "2025-01-31 08:00:00", "45688", "２０２５-1-31"]
)
def test_dates_are_read_in_every_usual_form(said):
    assert one(row_with(生效日期=said)).valid_from == "2025-01-31"


@pytest.mark.parametrize("said", ["2025-13-01", "去年", "99999999"])
def test_an_impossible_date_is_kept_as_text(said):
    assert one(row_with(生效日期=said)).unread == {"生效日期": said}


@pytest.mark.parametrize(
    "cell",
    [
        "1. 户口簿（原件）2. 照片2份；3.申请表（原件及复印件一式两份）",
        "户口簿（原件）；照片2份；申请表（原件及复印件，各2份）",
        "①户口簿（原件1份）②照片（2份）③申请表(原件、复印件2份)",
        "（1）户口簿\n（2）照片（二份）\n（3）申请表（原件和复印件两份）",
        "一、户口簿（纸质）\n二、照片（2份）\n三、申请表（原件与复印件2份）",
    ],
)
def test_several_materials_in_one_cell_are_parted(cell):
    materials = one(row_with(申请材料=cell)).guide.materials
    assert [material.name.zh for material in materials] == ["户口簿", "照片", "申请表"]
    assert materials[1].copies == 2
    assert (materials[2].kind, materials[2].copies) == ("original_and_copy", 2)


def test_brackets_that_say_something_else_stay_in_a_materials_name():
    (first, second) = one(row_with(申请材料="身份证（正反面）复印件1份；委托书（非本人办理时提供；需签字）")).guide.materials
    assert (first.name.zh, first.kind) == ("身份证（正反面）", "copy")
    assert second.name.zh == "委托书（非本人办理时提供；需签字）"


def test_details_of_a_material_that_cannot_be_read_are_kept():
    record = provincial(申请={"材料": [{"名称": "图纸", "份数": "若干", "材料类型": "蓝图", "是否必要": "看情况"}]})
    result = read(lines(record, provincial()))
    assert {"材料·份数（图纸）": "若干", "材料·材料类型（图纸）": "蓝图", "材料·是否必要（图纸）": "看情况"}.items() <= one(
        result
    ).unread.items()


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("事项类型", "行政检查"),
        ("办件类型", "上报件"),
        ("服务对象", "外星人"),
        ("是否收费", "看情况"),
        ("到现场次数", "很多次"),
        ("状态", "草稿"),
    ],
)
def test_unknown_values_are_kept_as_text_and_named(column, said):
    result = row_with(**{column: said})
    assert one(result).unread == {column: said}
    assert [problem.column for problem in result.problems] == [column]


def test_an_unknown_column_is_kept_and_mentioned_once():
    result = read(csv_of("部门,事项名称,编码,备注", "民政局,甲,1,常办", "民政局,乙,2,少办"))
    assert [entry.item.unread for entry in result.items] == [{"备注": "常办"}, {"备注": "少办"}]
    assert len(result.problems) == 1


def test_places_are_parted_into_floor_zone_and_windows():
    place = one(row_with(办理地点="政务服务中心三楼公安服务区24号、25号窗口")).place
    assert (place.floor.zh, place.zone.zh, place.windows) == ("三楼", "公安服务区", ("24", "25"))
    place = one(row_with(楼层="二楼", 区域="综合区", 窗口="1-3号")).place
    assert (place.floor.zh, place.zone.zh, place.windows) == ("二楼", "综合区", ("1", "2", "3"))
    item = one(row_with(办理地点="河滨路9号"))
    assert (item.place.floor.zh, item.place.zone.zh) == ("", "河滨路9号")


def test_fees_are_read_with_basis_and_amount():
    item = one(row_with(是否收费="是", 收费标准="换领20元/证；补领40元/证", 收费依据="价格局3号"))
    assert [(fee.amount_fen, fee.basis.zh) for fee in item.fees] == [(2000, "价格局3号"), (4000, "价格局3号")]
    assert one(row_with(收费标准="不收费")).charged is False
    assert one(row_with(收费标准="20元至50元")).fees[0].amount_fen is None


def test_a_row_without_a_code_gets_one_that_stays_the_same():
    first, second = row_with(实施编码="无"), row_with(实施编码="")
    assert one(first).code == one(second).code
    assert one(first).code.startswith("x-")
    assert "no code" in reasons(first, "warning")[0]


@pytest.mark.parametrize("said", ["1.14402E+30", "甲-1", "A 1/2", "x" * 65])
def test_an_unusable_code_is_kept_as_text(said):
    result = row_with(实施编码=said)
    assert one(result).code.startswith("x-")
    assert one(result).unread == {"实施编码": said}


def test_the_same_row_twice_counts_once():
    result = read(csv_of("部门,事项名称,编码", "民政局,甲,1", "民政局,甲,1"))
    assert len(result.items) == 1
    assert "the same as row 2" in reasons(result)[0]


def test_a_code_used_for_two_themes_is_one_item_with_both():
    result = read(csv_of("部门,事项名称,编码,主题分类,咨询电话", "民政局,甲,1,婚育,", "民政局,甲,1,住房,000-1"))
    assert (one(result).theme, one(result).phone) == ("婚育、住房", "000-1")


def test_two_rows_that_disagree_keep_both_values():
    result = read(csv_of("部门,事项名称,编码,咨询电话", "民政局,甲,1,000-1", "民政局,甲,1,000-2"))
    assert one(result).phone == "000-1"
    assert one(result).unread == {"phone（3）": "000-2"}
    assert "phone differ: row 2 was kept" in reasons(result, "warning")[0]


def test_one_code_for_two_items_keeps_both():
    rows = ("部门,事项名称,编码", "民政局,甲,1", "民政局,乙,1")
    first, second = read(csv_of(*rows)).items
    assert (first.item.code, first.item.name.zh, second.item.name.zh) == ("1", "甲", "乙")
    assert second.item.code.startswith("1-")
    assert [entry.item for entry in read(csv_of(*rows)).items] == [first.item, second.item]


def test_a_row_without_a_name_is_refused_with_its_place():
    result = read(csv_of("部门,事项名称,编码", "民政局,甲,1", "民政局,无,2"))
    (problem,) = [problem for problem in result.problems if problem.severity == "error"]
    assert (problem.row, problem.column, result.refused, result.refused_codes) == (3, "事项名称", 1, frozenset({"2"}))


def test_a_row_without_a_department_is_refused_unless_a_default_is_set():
    data = csv_of("事项名称,编码", "甲,1")
    assert "no department" in reasons(read(data), "error")[0]
    assert one(read(data, Mapping(defaults={"department": "民政局"}))).code == "1"


def test_error_pages_between_records_are_refused_one_by_one():
    result = read(lines(provincial(), b"<!DOCTYPE html><html><body>504 Gateway Time-out</body></html>", b"{broken", provincial()))
    assert (len(result.items), result.refused) == (1, 2)
    assert [problem.row for problem in result.problems if problem.severity == "error"] == [2, 3]


def test_an_error_page_in_a_cell_refuses_its_row():
    result = row_with(受理条件="<html><head><title>404 Not Found</title></head></html>")
    assert (len(result.items), result.refused, result.refused_codes) == (0, 1, frozenset({"A1"}))


def test_a_cell_over_the_limit_is_cut_and_reported():
    result = row_with(办公时间="日" * 30_000)
    assert len(one(result).hours.zh) == 20_000
    assert any("cut off" in reason for reason in reasons(result, "warning"))


def test_a_phone_over_the_limit_is_kept_as_text():
    assert one(row_with(咨询电话="0" * 300)).unread == {"咨询电话": "0" * 300}


def test_unbalanced_quotes_do_not_lose_the_rows_before_them():
    result = read('部门,事项名称,编码\n民政局,甲,1\n民政局,"乙' + "x" * 200_000 + "\n")
    assert [entry.item.code for entry in result.items] == ["1"]
    assert any("no CSV" in reason for reason in reasons(result, "error"))


# Departments and mapping files


def test_known_departments_are_found_by_name_or_code():
    known = Department(code="D1", name=Text(zh="云溪县民政局"), short_name=Text(zh="民政局"))
    for said in ("民政局", "云溪县民政局", "D1", "云溪县 民政局"):
        data = csv_of("部门,事项名称,编码", f"{said},甲,1")
        result = read(data, departments=[known])
        assert (one(result).department, result.departments) == ("D1", ())


def test_a_new_department_gets_a_code_that_stays_the_same():
    first, second = row_with(部门="水利局"), row_with(部门="水利局", 事项名称="乙")
    assert first.departments == second.departments
    assert first.departments[0].name.zh == "水利局"


def test_a_mapping_file_names_columns_values_departments_and_defaults(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        '[columns]\n"经办科室" = "department"\n"叫什么" = "name"\n"备注" = "ignore"\n"热" = "keep"\n'
        '[departments]\n"一科" = "D9"\n[values.kind]\n"审批类" = "licence"\n[defaults]\nphone = "000-7"\n'
    )
    mapping = load_mapping(path)
    data = csv_of("经办科室,叫什么,编码,事项类型,备注,热", "一科,甲,1,审批类,x,y")
    item = one(read(data, mapping))
    assert (item.department, item.name.zh, item.kind, item.phone, item.unread) == ("D9", "甲", "licence", "000-7", {"热": "y"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[columns]\n"a" = "nmae"\n"b" = "cod"', "nmae"),
        ('[columns]\n"a" = "nmae"\n"b" = "cod"', "cod"),
        ("[colums]", "colums"),
        ("not toml", "map.toml"),
        ('encoding = "latin1"', "gb18030"),
    ],
)
def test_a_wrong_mapping_file_is_explained(tmp_path, text, said):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(MappingInvalid, match=said):
        load_mapping(path)
