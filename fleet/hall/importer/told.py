"""What the importer says of a file, in Chinese and in English: every sentence stands here once, with its arguments named."""

from typing import NamedTuple


class Told(NamedTuple):
    """One finding in words, for the console in either language and for the command line in English."""

    zh: str
    en: str


_SENTENCES = {
    # Files that cannot be read at all.
    "file.empty": Told("文件是空的", "the file is empty"),
    "file.large": Told(
        "文件有 {size} MiB，上限 {limit} MiB，请拆开", "the file has {size} MiB; the limit is {limit} MiB: split it"
    ),
    "file.old_excel": Told(
        "这是旧版 Excel 文件（.xls），请用表格软件打开，另存为 .xlsx 或 CSV",
        "this is an old Excel file (.xls); open it in a spreadsheet program and save it as .xlsx or CSV",
    ),
    "file.web_page": Told(
        "这是网页，不是事项清单，请用表格软件打开，另存为 .xlsx",
        "this is a web page, not an item list; open it in a spreadsheet program and save it as .xlsx",
    ),
    "file.markup": Told(
        "这是标记文本，不是事项清单，请用表格软件打开，另存为 .xlsx",
        "this is markup, not an item list; open it in a spreadsheet program and save it as .xlsx",
    ),
    "file.lines": Told("文件超过 {limit} 行，请拆开", "the file has more than {limit} lines; split it"),
    "file.characters": Told(
        "{count} 个字符不是 {encoding}，已用 � 代替", "{count} characters are not {encoding}; they were replaced by �"
    ),
    "json.deep": Told("JSON 层数过多，不是事项清单", "the JSON nests too deeply; that is no list of items"),
    "json.levels": Told(
        "JSON 超过 {limit} 层，不是事项清单", "the JSON nests deeper than {limit} levels; that is no list of items"
    ),
    "json.unknown": Told(
        "这个 JSON 不是按部门列出的事项，也不是可识别的记录，格式见 docs/items.md",
        "this JSON is no list of items by department, and no record this importer knows; see docs/items.md",
    ),
    "sheet.damaged": Told(
        "表格文件已损坏（{error}），请用原软件打开后另存",
        "the spreadsheet is damaged ({error}); open it in its own program and save it again",
    ),
    "sheet.large": Told(
        "表格解压后有 {size} MiB、{parts} 个部分，上限 {limit} MiB、原大小的 {ratio} 倍和 {most} 个部分，请存为 CSV",
        "the spreadsheet unpacks to {size} MiB in {parts} parts; the limits are {limit} MiB, "
        "{ratio} times its size and {most} parts: save it as CSV",
    ),
    "sheet.unreadable": Told(
        "表格读不出来（{error}），请另存为 .xlsx", "the spreadsheet cannot be read ({error}); save it again as .xlsx"
    ),
    "sheet.missing": Told("没有工作表 {sheet!r}，文件中有 {known}", "there is no sheet {sheet!r}; the workbook has {known}"),
    "sheet.broken": Told("工作表 {sheet!r} 读不出来（{error}），请另存", "sheet {sheet!r} cannot be read ({error}); save it again"),
    "sheet.no_headers": Told(
        "没有可识别的表头（至少要有“事项名称”和另外一列），可在对照文件中写明",
        "no row under recognisable headers (at least 事项名称 and one more); name them in a mapping file",
    ),
    "sheet.not_read": Told("这张工作表没有可识别的表头，未读取", "no recognisable headers on this sheet; it was not read"),
    "sheet.rows": Told("表格超过 {limit} 行，请拆开文件", "the table has more than {limit} rows; split the file"),
    "sheet.no_csv": Told(
        "这一行不是 CSV（{error}），多半是引号不成对", "this line is no CSV ({error}); the quotes are likely unbalanced"
    ),
    "sheet.quote": Told(
        "引号没有成对，以下 {count} 行按单行读取，请在这一行补上引号",
        "a quote is not closed: {count} lines from here on were read one by one; close it in this row",
    ),
    "sheet.filled": Told(
        "{count} 个空的部门沿用上一行（合并单元格）", "{count} blank departments took the one above (merged cells)"
    ),
    "sheet.column": Told(
        "不认识的列，内容按文本保留，可在对照文件中指定字段",
        "unknown column; its values are kept as text. A mapping file can name its field",
    ),
    # Rows that give no item.
    "row.web_page": Told("本应是记录的地方是一个网页，请重新导出", "a web page stands where the record should be; export it again"),
    "row.no_json": Told("这一行不是 JSON：{error}", "this line is no JSON: {error}"),
    "row.unknown": Told(
        "不是可识别的记录，格式见 docs/items.md", "no record this importer knows; see docs/items.md for the formats"
    ),
    "row.no_record": Told("不是有效的 {kind} 记录：{error}", "no valid {kind}: {error}"),
    "row.no_name": Told("没有名称的事项无法显示，请填写", "no name: an item without one cannot be shown; fill it in"),
    "row.no_name_here": Told("这里没有名称，不是事项", "no name here; not an item"),
    "row.no_department": Told(
        "没有部门，上面的行也没有，请填写或设默认值", "no department, and none above it; fill it in or set a default"
    ),
    "row.breaks_rule": Told("记录不符合内容模型：{error}", "the record breaks a rule of the content model: {error}"),
    # Rows that were taken with a decision.
    "code.other": Told(
        "第 {row} 行的“{name}”已用这个编码，本事项改用 {own}，请更正清单",
        "row {row} has this code for “{name}”; this item was given {own}: correct the list",
    ),
    "code.same": Told("与第 {row} 行相同，只算一次", "the same as row {row}; counted once"),
    "code.merged": Told("第 {row} 行也有，已合并", "also in row {row}; merged into one"),
    "code.differs": Told(
        "第 {row} 行也有，已合并，但 {fields} 不同，以第 {row} 行为准",
        "also in row {row}; merged into one, but {fields} differ: row {row} was kept",
    ),
    "code.none": Told("没有编码，已给 {code}", "no code; given {code}"),
    "code.rounded": Told(
        "编码被表格软件取整，请把该列设为文本；按文本保留，已给 {code}",
        "a spreadsheet has rounded this code; format the column as text; kept as text, and given {code}",
    ),
    "code.form": Told(
        "编码最多 64 个字母、数字、点、横线和下划线；按文本保留，已给 {code}",
        "codes have at most 64 letters, digits, dots, dashes and underscores; kept as text, and given {code}",
    ),
    "department.unlisted": Told(
        "没有这个部门，请先导入部门，否则不能生成内容包",
        "no such department is known; import the departments first, or no pack can be built",
    ),
    # Values.
    "value.cleaned": Told("已去掉标记或不可见字符", "markup or invisible characters were taken out"),
    "value.cut": Told("超过 {limit} 个字符，其余已截去", "longer than {limit} characters; the rest was cut off"),
    "value.long": Told("超过 {limit} 个字符，按文本保留", "longer than {limit} characters; kept as text"),
    "value.unread": Told("无法识别，按文本保留", "cannot be interpreted; kept as text"),
    "value.many": Told("共 {count} 条，只读了前 {limit} 条", "{count} entries; only the first {limit} were read"),
    "value.unknown": Told("不认识的值，可用 {known}；按文本保留", "unknown value; known are {known}; kept as text"),
    "value.audience": Told("不认识的服务对象，按文本保留", "unknown audience; kept as text"),
    "value.limit": Told("不是时限（如 5个工作日），按文本保留", "no time limit such as 5个工作日; kept as text"),
    "value.yes_no": Told("既不是“是”也不是“否”，按文本保留", "neither 是 nor 否; kept as text"),
    "value.visits": Told("不是 0 到 9 的数字，按文本保留", "no number from 0 to 9; kept as text"),
    "value.rank": Told("不是从 1 起的名次，按文本保留", "no rank from 1 on; kept as text"),
    "value.date": Told("不是日期（如 2025-01-31），按文本保留", "no date such as 2025-01-31; kept as text"),
    "value.charge": Told("写了收费，但“是否收费”写的是否", "says a charge, but 是否收费 says 否"),
    "value.window": Told("没有窗口号，按文本保留", "no window number; kept as text"),
    # Plans that a person has to look at first.
    "plan.nothing": Told("{file} 中没有读到任何内容：{reasons}", "nothing was read from {file}: {reasons}"),
    "plan.no_items": Told("没有事项", "it holds no items"),
    "plan.withdraws": Told(
        "{file} 会取消 {in_use} 个事项中的 {gone} 个。如果这只是清单的一部分，请按部分清单导入；如果确已取消，请用命令行确认",
        "{file} would withdraw {gone} of {in_use} items; if it is a part of the list, import it as such, "
        "and if all these items are really gone, confirm it",
    ),
}


def told(sentence: str, **arguments: object) -> Told:
    """A sentence with its arguments, in both languages."""
    return Told(*(text.format(**arguments) for text in _SENTENCES[sentence]))
