"""Every kind of dirt an item list comes with: cleaned, reported with its place, never lost in silence."""

import pytest
from item_lists import csv_of, lines, one, provincial, read, reasons, row_with

from fleet.hall.importer import Mapping, MappingInvalid, load_mapping
from pack.model import Department, Duration, Text


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


def test_a_quote_that_is_never_closed_swallows_no_rows():
    rows = ["民政局,甲,1", '民政局,"乙,2', "民政局,丙,3", '民政局,"丁，""戊""",4', "民政局,己,5"]
    result = read("\n".join(["部门,事项名称,编码", *rows]))
    assert [(entry.item.code, entry.item.name.zh) for entry in result.items] == [
        ("1", "甲"), ("2", "乙"), ("3", "丙"), ("4", '丁，"戊"'), ("5", "己"),
    ]  # fmt: skip
    (told,) = [problem for problem in result.problems if "quote is not closed" in problem.reason]
    assert (told.row, told.severity) == (3, "warning")


def test_cells_of_several_lines_with_quotes_in_them_stay_whole():
    result = read('部门,事项名称,编码,受理条件\n民政局,甲,1,"年满""二十二"",\n自愿, 双方"\n民政局,乙,2,\n')
    assert [entry.item.code for entry in result.items] == ["1", "2"]
    assert not reasons(result, "warning")


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
