"""Every format an item list comes in is read; what cannot be read says what it is and what to do."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from item_lists import csv_of, lines, one, provincial, read, reasons, workbook

from fleet.hall.importer import Mapping, read_items
from pack.model import Duration

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
