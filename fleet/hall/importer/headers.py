"""Recognises column headers and JSON keys by their many spellings, and by an optional mapping file."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from fleet.hall.importer.clean import narrow

SYNONYMS: dict[str, str] = {
    "code": "编码 事项编码 实施编码 实施清单编码 基本编码 业务办理项编码 办理项编码 事项代码 代码 编号 事项编号 "
    "目录编码 权力编码 code item_code itemcode taskcode task_code rowguid",
    "name": "名称 事项名称 实施事项名称 业务办理项名称 办理项名称 办理项 事项 政务服务事项名称 服务事项 "
    "服务事项名称 子项名称 子项 办理事项 权力名称 项目名称 审批事项 审批事项名称 入驻事项 入驻事项名称 "
    "name item_name itemname taskname task_name title",
    "main_name": "主项名称 主项 大项名称 大项 一级事项 父级事项 main_item",
    "short_name": "简称 事项简称 short_name",
    "aliases": "别名 俗称 通俗名称 关键词 搜索词 aliases keywords",
    "department": "部门 部门名称 实施主体 实施部门 实施机构 办理部门 承办部门 主管部门 所属部门 单位 单位名称 责任单位 "
    "实施单位 委办局 办理单位 入驻单位 入驻部门 办理机构 承办单位 牵头部门 审批部门 department dept "
    "deptname dept_name",
    "kind": "事项类型 权力类型 事项类别 事项性质 类型 权力类别 项目类型 kind",
    "handling": "办件类型 办理类型 办件类别 handling",
    "audience": "服务对象 面向对象 办理对象 申请对象 适用对象 audience",
    "theme": "主题 主题分类 事项主题 所属主题 服务主题 自然人主题分类 法人主题分类 theme",
    "legal_limit": "法定时限 法定办结时限 法定期限 法定办理时限 法定办结期限 法定工作日 legal_limit",
    "promise": "承诺时限 承诺办结时限 承诺期限 承诺办理时限 承诺办结期限 办理时限 承诺工作日 办结时限 promise",
    "charged": "是否收费 收费情况 收费与否 charged",
    "fees": "收费标准 收费项目 收费标准及依据 费用 收费金额 收费 fees",
    "fee_basis": "收费依据 收费文件 fee_basis",
    "place": "办理地点 办理地址 办事地点 地点 受理地点 窗口地址 受理地址 办公地址 地址 place address",
    "floor": "楼层 所在楼层 floor",
    "zone": "区域 所在区域 分区 服务区 专区 zone",
    "windows": "窗口 窗口号 办理窗口 受理窗口 窗口编号 窗口号码 windows window",
    "phone": "咨询电话 咨询方式 联系电话 电话 咨询热线 联系方式 办公电话 咨询投诉电话 phone tel",
    "complaint_phone": "投诉电话 监督电话 监督投诉电话 投诉方式 监督投诉方式 监督方式 complaint_phone",
    "hours": "办理时间 办公时间 工作时间 受理时间 hours",
    "visits": "到现场次数 到办事现场次数 跑动次数 办事者到办事现场次数 最多跑动次数 到大厅次数 现场次数 visits",
    "online": "是否网办 可网上办理 是否可网办 网上办理 是否网上办理 能否网办 全程网办 是否全程网办 online",
    "at_terminal": "自助办理 可自助办理 是否可自助办理 at_terminal",
    "popularity": "热度 排名 热度排名 办件量排名 popularity",
    "status": "状态 事项状态 使用状态 status",
    "version": "版本 版本号 事项版本 version",
    "valid_from": "生效日期 实施日期 启用日期 生效时间 valid_from",
    "conditions": "受理条件 申请条件 办理条件 条件 conditions",
    "materials": "材料 申请材料 申报材料 办理材料 所需材料 提交材料 材料名称 申请材料名称 材料清单 申请材料目录 materials",
    "steps": "办理流程 流程 办理环节 办理步骤 窗口办理流程 程序 办理程序 steps",
    "result": "办理结果 审批结果 结果 结果名称 审批结果名称 办理结果名称 result",
    "questions": "常见问题 常见问答 问答 questions",
    "legal_basis": "法律依据 设定依据 实施依据 依据 legal_basis",
    "not_accepted": "不予受理情形 不予办理情形 不予受理的情形 not_accepted",
    "ignore": "序号 序 行号 no no. 操作 #",
}
"""Field → every known spelling, blanks between. `ignore` is for columns that say nothing about an item."""

PARTS_OF_GUIDE = frozenset(["conditions", "materials", "steps", "result", "questions", "legal_basis", "not_accepted"])
FIELDS = frozenset(SYNONYMS)
_BY_SPELLING = {spelling: field for field, spellings in SYNONYMS.items() for spelling in spellings.split()}
_ASIDE = re.compile(r"[（(【\[].*?[）)】\]]|[\s*＊:：_\-.、/]|必填|选填")
_LIMIT_BYTES = 1 << 20


class MappingInvalid(ValueError):
    """A mapping file that cannot be used; the message lists every fault."""


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """What a hall knows about its own files. Every part is optional.

    `columns`: header → field (or "ignore", or "keep" to keep it as text); `departments`: name in the file → department code;
    `values`: field → value in the file → value of the content model; `defaults`: field → value where the file says nothing;
    `sheet`: the only sheet to read; `encoding`: of a CSV file.
    """

    columns: dict[str, str] = {}
    departments: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    sheet: str = ""
    encoding: str = ""


def load_mapping(path: Path | str) -> Mapping:
    """Read a mapping file (TOML).

    Raises:
        MappingInvalid: it is no TOML, has unknown parts, or names fields that do not exist; all faults at once.
        OSError: it cannot be read.
    """
    path = Path(path)
    if path.stat().st_size > _LIMIT_BYTES:
        raise MappingInvalid(f"{path.name} is larger than 1 MiB; a mapping file has a few lines")
    try:
        tree: dict[str, Any] = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        mapping = msgspec.convert(tree, Mapping)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingInvalid(f"{path.name}: {error}; see docs/items.md for what a mapping file may hold") from None
    faults = [f"columns: {header!r} → {field!r}" for header, field in mapping.columns.items() if field not in FIELDS | {"keep"}]
    faults += [f"values.{field}" for field in mapping.values if field not in FIELDS]
    faults += [f"defaults.{field}" for field in mapping.defaults if field not in FIELDS]
    if mapping.encoding and mapping.encoding.lower() not in ("utf-8", "gb18030", "gbk", "utf-16"):
        faults.append(f"encoding {mapping.encoding!r} (use utf-8, gb18030, gbk or utf-16)")
    if faults:
        known = ", ".join(sorted(FIELDS))
        raise MappingInvalid(f"{path.name} names what does not exist: {'; '.join(faults)}. Fields are: {known}, keep")
    return mapping


def field_of(header: str, mapping: Mapping) -> str | None:
    """The field a header stands for; "keep" for what a mapping wants kept as text; None for an unknown header."""
    plain = header.strip()
    if plain in mapping.columns:
        return mapping.columns[plain]
    reduced = _ASIDE.sub("", narrow(plain)).lower()
    return _BY_SPELLING.get(reduced) or _BY_SPELLING.get(narrow(plain).strip().lower())
