"""How fast is a search as somebody types? Run it to see the figures: 100,000 synthetic names plus the demo catalogue, ranked.

`run()` returns the figures; `python tests/bench/bench_search.py` prints them. Every query is one keystroke of somebody who
types a name in one of the ways of `WAYS`. The baseline answers the same queries by LIKE with ORDER BY, in the same process.
"""

import gc
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice, product
from pathlib import Path

import msgspec
from nacl.signing import SigningKey

from pack.build import build
from pack.fold import fold, latin
from pack.model import Content, Department, Hall, Item, Text
from pack.reader import Pack, open_pack
from pack.readings import readings

NAMES = 100_000
TARGETS = 250
PASSES = 3
BASELINE_QUERIES = 150
SEED = 20_26
CATALOGUE = Path(__file__).parents[2] / "demo" / "catalogue"

# Parts of names in a hall's style: who, what, does which, at which level. A blank line parts them.
_PARTS = """
居民 企业 个体工商户 农民专业合作社 外国企业常驻代表机构 社会团体 民办非企业单位 残疾人 退役军人
高校毕业生 失业人员 老年人 未成年人 华侨 台湾居民 港澳居民 灵活就业人员 机关事业单位 学校 医疗机构

身份证 护照 往来港澳通行证 户口 居住证 驾驶证 机动车行驶证 结婚登记 不动产权证 公积金账户 养老保险
医疗保险 失业保险 工伤保险 生育津贴 营业执照 食品经营许可证 卫生许可证 公共场所卫生许可 残疾人证
最低生活保障 高龄津贴 出生医学证明 公共租赁住房 烟草专卖零售许可证 道路运输经营许可 建设工程规划许可证
建筑工程施工许可证 林木采伐许可证 农业机械登记 教师资格证 就业创业证 创业担保贷款 增值税发票 用水报装
用电报装 燃气报装 公证书 法律援助 取水许可 排污许可 危险化学品经营许可 特种设备使用登记 计量器具型式批准
广播电视节目制作经营许可 娱乐场所经营许可 旅行社业务经营许可 印刷经营许可 民办学校办学许可 药品经营许可
第二类医疗器械经营备案 兽药经营许可 种子生产经营许可 水产养殖证 渔业捕捞许可 动物防疫条件合格证
消防安全检查 大型群众性活动安全许可 户外广告设置 城市道路挖掘许可 再生资源回收经营备案

新办 首次申请 换发 补发 变更 变更名称 变更地址 变更法定代表人 延续 注销 查询 备案 信息更正 年度报告 转移
接续 抵押 暂停 恢复 撤销 迁入 迁出 认定 复核 核准 审批 预约 打印 遗失声明 退费

县级 乡镇 街道 跨省通办 省内通办 市级
"""
WHO, WHAT, DOES, WHERE = (part.split() for part in _PARTS.split("\n\n"))


def _synthetic(count: int, rng: random.Random) -> list[Item]:
    """Distinct names in a hall's style, in random order of popularity."""
    combinations = list(product(WHO, WHAT, DOES, WHERE))
    rng.shuffle(combinations)
    ranks = rng.sample(range(1, count + 1), count)
    return [
        Item(
            code=f"11999999MB2D0{number // 2000:05d}4{number:012d}",
            name=Text(zh=f"{who}{what}{does}（{where}）"),
            department=f"d{number % 60:02d}",
            popularity=rank + 1_000,
        )
        for number, ((who, what, does, where), rank) in enumerate(zip(islice(combinations, count), ranks, strict=True))
    ]


def _catalogue() -> tuple[list[Department], list[Item]]:
    def lines(pattern: str) -> Iterator[bytes]:
        for path in sorted(CATALOGUE.glob(pattern)):
            yield from (line for line in path.read_bytes().splitlines() if line.strip())

    departments = [msgspec.json.decode(line, type=Department) for line in lines("departments.jsonl")]
    return departments, [msgspec.json.decode(line, type=Item) for line in lines("items*.jsonl")]


def content(names: int = NAMES) -> Content:
    """The content that is searched: `names` synthetic items and the catalogue."""
    departments, items = _catalogue()
    departments += [
        Department(code=f"d{number:02d}", name=Text(zh=f"第{number}业务科"), short_name=Text(zh=f"{number}科"))
        for number in range(60)
    ]
    hall = Hall(
        code="bench",
        name=Text(zh="测试大厅"),
        area_code="999999",
        zones=(),
        windows=(),
        hours=Text(zh="全天"),
        phone="000",
        complaint_phone="000",
        demonstration=True,
    )
    synthetic = _synthetic(names, random.Random(SEED))
    return Content(hall=hall, departments=tuple(departments), items=(*items, *synthetic))


def _initials(name: str) -> str:
    best = readings(fold(name).text)
    return "".join(syllable[0] for syllable in best[0]) if best else ""


def _pinyin(name: str) -> str:
    best = readings(fold(name).text)
    return "".join(best[0]) if best else ""


# What somebody types on the way to a name: each value is one keystroke's content of the search field.
WAYS: dict[str, Callable[[Item, random.Random], list[str]]] = {
    "initials, key by key": lambda item, rng: [_initials(item.name.zh)[:n] for n in range(1, 7)],
    "initials from the middle": lambda item, rng: [_initials(item.name.zh)[3 : 3 + n] for n in range(1, 5)],
    "full pinyin, key by key": lambda item, rng: [_pinyin(item.name.zh)[:n] for n in range(1, 15)],
    "Hanzi from the beginning": lambda item, rng: [item.name.zh[:n] for n in range(1, 7)],
    "two Hanzi anywhere": lambda item, rng: [fold(item.name.zh).text[at : at + 2] for at in range(0, 8, 2)],
    "the whole name": lambda item, rng: [item.name.zh],
    "a code, key by key": lambda item, rng: [item.code[:n] for n in (1, 4, 9, 18, 24, len(item.code))],
    "English words": lambda item, rng: [item.name.en[:n] for n in (1, 3, 6, 12)] if item.name.en else [],
    "nothing like it": lambda item, rng: [
        "".join(rng.choices("bpmfdtnlgkhjqxzcsryw", k=n)) for n in (2, 3, 4, 5)
    ] + ["".join(rng.sample("身份证护照户口驾驶公积金养老保险", 2))],
}  # fmt: skip


def query_set(items: tuple[Item, ...]) -> list[tuple[str, str]]:
    """(way, query) pairs: the handful that everybody types, then every keystroke towards `TARGETS` random names."""
    rng = random.Random(SEED)
    fixed = "s sf sfz shenfenzheng gjj gongjijin hz huzhao 身份 身份证 公积 公积金 社保 yyzz 营业执照 证 许可 办"
    named = [item for item in items if item.name.en]
    targets = rng.sample(items, TARGETS - len(named[:50])) + named[:50]
    pairs = [("what everybody types", query) for query in fixed.split()]
    for target in targets:
        pairs += [(way, query) for way, type_in in WAYS.items() for query in type_in(target, rng) if query]
    rng.shuffle(pairs)
    return pairs


class Baseline:
    """The same names in a plain table on the same disk, asked the same question by LIKE, ordered by popularity.

    It looks through the columns where the pack looks: a search field does not know whether letters are pinyin or a code.
    """

    def __init__(self, items: tuple[Item, ...], path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.execute(
            "CREATE TABLE item (code TEXT, name TEXT, alias TEXT, pinyin TEXT, initials TEXT, en TEXT, popularity INTEGER)"
        )
        self._db.executemany("INSERT INTO item VALUES (?,?,?,?,?,?,?)", map(self._row, items))
        self._db.commit()

    @staticmethod
    def _row(item: Item) -> tuple[str | int | None, ...]:
        name = fold(item.name.zh).text
        spoken = (_pinyin(item.name.zh), _initials(item.name.zh), item.name.en.lower())
        return (item.code, name, fold(" ".join(item.aliases)).text, *spoken, item.popularity)

    def search(self, query: str) -> list[tuple[str, str]]:
        """The best 20."""
        is_latin = bool(latin(query))
        columns = ("name", "alias", "pinyin", "initials", "en", "code") if is_latin else ("name", "alias")
        pattern = f"%{query.lower() if is_latin else fold(query).text}%"
        where = " OR ".join(f"{column} LIKE ?" for column in columns)
        sql = f"SELECT code, name FROM item WHERE {where} ORDER BY popularity LIMIT 20"
        return self._db.execute(sql, [pattern] * len(columns)).fetchall()


def _timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _figure(name: str, value: float, unit: str, limit: float | None = None, *, at_least: bool = False) -> dict:
    ok = None if limit is None else value >= limit if at_least else value < limit
    shown = None if limit is None else f"{'at least' if at_least else 'under'} {limit:g} {unit}"
    return {"name": name, "value": round(value, 3), "unit": unit, "limit": shown, "ok": ok}


def _measure(pack: Pack, pairs: list[tuple[str, str]]) -> list[tuple[str, list[float], float]]:
    """Way, wall times of all passes, and least processor time, of each query.

    The whole set is run pass by pass, so that a query finds none of its own rows still at hand.
    """
    pack.search("预热")
    # The names that the bench itself holds in memory must not make the collector pause: no device holds them.
    gc.collect()
    gc.freeze()
    walls: list[list[float]] = [[] for _ in pairs]
    processor = [1e9] * len(pairs)
    for _ in range(PASSES):
        for number, (_, query) in enumerate(pairs):
            begun = time.thread_time()
            walls[number].append(_timed(lambda query=query: pack.search(query)))
            processor[number] = min(processor[number], (time.thread_time() - begun) * 1000)
    gc.unfreeze()
    return [(way, wall, cpu) for (way, _), wall, cpu in zip(pairs, walls, processor, strict=True)]


def _missed(pack: Pack, pairs: list[tuple[str, str]]) -> int:
    return sum(way == "two Hanzi anywhere" and not pack.search(query) for way, query in pairs)


def run(names: int = NAMES) -> dict:
    """Build, search, compare. Takes one to two minutes and about 200 MB of temporary disk for the full size."""
    whole = content(names)
    signer = SigningKey.generate()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.pack"
        build_s = _timed(lambda: build(whole, path, built_at=datetime.now(UTC), signer=bytes(signer))) / 1000
        size_mb = path.stat().st_size / 1e6
        pairs = query_set(whole.items)
        with open_pack(path, verify_key=bytes(signer.verify_key)) as pack:
            measured = _measure(pack, pairs)
            missed = _missed(pack, pairs)
            baseline = Baseline(whole.items, Path(folder) / "like.db")
            sample = pairs[:BASELINE_QUERIES]
            slow = [_timed(lambda query=query: baseline.search(query)) for _, query in sample]
            fast = [_timed(lambda query=query: pack.search(query)) for _, query in sample]
    every = [min(wall) for _, wall, _ in measured]
    first = [wall[0] for _, wall, _ in measured]
    processor = [cpu for *_, cpu in measured]
    times: dict[str, list[float]] = {}
    for way, wall, _ in measured:
        times.setdefault(way, []).append(min(wall))
    ratio = statistics.median(slow) / statistics.median(fast)
    figures = [
        _figure("p50 a keystroke", statistics.median(every), "ms"),
        _figure("p99 a keystroke", _percentile(every, 0.99), "ms", 5.0),
        _figure("p99 a keystroke, first pass alone", _percentile(first, 0.99), "ms"),
        _figure("p99 a keystroke, processor time", _percentile(processor, 0.99), "ms"),
        _figure("slowest keystroke", max(every), "ms"),
        _figure("ordered LIKE, p50", statistics.median(slow), "ms"),
        _figure("times faster than ordered LIKE, medians", ratio, "×", 30.0, at_least=True),
        _figure("two-character words not found", missed, "queries", 1),
        _figure("build", build_s, "s"),
        _figure("pack", size_mb, "MB"),
        *(_figure(f"p99, {way}", _percentile(values, 0.99), "ms") for way, values in sorted(times.items())),
    ]
    conditions = {
        "items": len(whole.items),
        "queries": len(every),
        "ways": {way: len(values) for way, values in sorted(times.items())},
        "passes": f"{PASSES}; of each query the fastest counts, since other programs on the machine are not what is measured",
        "limit": 20,
        "seed": SEED,
        "examples": [query for _, query in pairs[:40]],
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "baseline": Baseline.__doc__,
    }
    return {"name": "search", "figures": figures, "conditions": conditions}


if __name__ == "__main__":
    result = run(int(sys.argv[1]) if len(sys.argv) > 1 else NAMES)
    print(json.dumps(result, ensure_ascii=False, indent=1))
    sys.exit(any(figure["ok"] is False for figure in result["figures"]))
