"""How Chinese text is read aloud, as pinyin without tones. Open this when a heteronym is not found. Used while building only.

pypinyin reads whole phrases (重庆 chong, 重要 zhong). Because phrases mislead it now and then, and people misread, the
common other readings of a character are given as well.
"""

from itertools import product

from pack.fold import is_hanzi, units

MAX_VARIANTS = 8

OTHER_READINGS: dict[str, tuple[str, ...]] = {
    "重": ("zhong", "chong"), "行": ("xing", "hang"), "长": ("chang", "zhang"), "乐": ("le", "yue"), "还": ("hai", "huan"),
    "调": ("diao", "tiao"), "传": ("chuan", "zhuan"), "藏": ("cang", "zang"), "曾": ("ceng", "zeng"), "朝": ("chao", "zhao"),
    "车": ("che", "ju"), "称": ("cheng", "chen"), "盛": ("sheng", "cheng"), "单": ("dan", "shan"), "弹": ("dan", "tan"),
    "都": ("du", "dou"), "度": ("du", "duo"), "会": ("hui", "kuai"), "降": ("jiang", "xiang"), "角": ("jiao", "jue"),
    "校": ("xiao", "jiao"), "觉": ("jue", "jiao"), "率": ("lv", "shuai"), "落": ("luo", "la"), "绿": ("lv", "lu"),
    "模": ("mo", "mu"), "强": ("qiang", "jiang"), "区": ("qu", "ou"), "什": ("shen", "shi"), "石": ("shi", "dan"),
    "属": ("shu", "zhu"), "宿": ("su", "xiu"), "提": ("ti", "di"), "厦": ("sha", "xia"), "省": ("sheng", "xing"),
    "血": ("xue", "xie"), "系": ("xi", "ji"), "员": ("yuan", "yun"), "参": ("can", "shen"), "畜": ("chu", "xu"),
    "大": ("da", "dai"), "得": ("de", "dei"), "地": ("di", "de"), "的": ("de", "di"), "恶": ("e", "wu"),
    "给": ("gei", "ji"), "核": ("he", "hu"), "壳": ("ke", "qiao"), "卡": ("ka", "qia"), "柏": ("bai", "bo"),
    "薄": ("bo", "bao"), "剥": ("bo", "bao"), "便": ("bian", "pian"), "差": ("cha", "chai"), "择": ("ze", "zhai"),
    "粘": ("nian", "zhan"), "折": ("zhe", "she"), "种": ("zhong", "chong"), "秘": ("mi", "bi"), "奇": ("qi", "ji"),
    "塞": ("sai", "se"), "色": ("se", "shai"), "似": ("si", "shi"), "尾": ("wei", "yi"), "巷": ("xiang", "hang"),
    "削": ("xue", "xiao"), "遗": ("yi", "wei"), "泊": ("bo", "po"), "仔": ("zi", "zai"), "厂": ("chang", "an"),
    "解": ("jie", "xie"), "殷": ("yin", "yan"), "轧": ("zha", "ya"), "扎": ("zha", "za"), "露": ("lu", "lou"),
    "熟": ("shu", "shou"), "谁": ("shui", "shei"), "虹": ("hong", "jiang"), "囤": ("tun", "dun"), "堡": ("bao", "pu"),
    "查": ("cha", "zha"), "冯": ("feng", "ping"), "贾": ("jia", "gu"), "缴": ("jiao", "zhuo"), "勒": ("le", "lei"),
    "六": ("liu", "lu"), "没": ("mei", "mo"), "娜": ("na", "nuo"), "否": ("fou", "pi"), "铺": ("pu", "bu"),
    "圈": ("quan", "juan"), "券": ("quan", "xuan"), "伺": ("si", "ci"), "拓": ("tuo", "ta"), "矿": ("kuang", "gong"),
    "咽": ("yan", "ye"), "暴": ("bao", "pu"), "炮": ("pao", "bao"), "陆": ("lu", "liu"), "颈": ("jing", "geng"),
}  # fmt: skip


def _phrase(hanzi: str) -> list[str]:
    # The dictionaries take a sixth of a second to load, and no device needs them: a pack carries its readings.
    from pypinyin import Style, lazy_pinyin

    read: list[str] = lazy_pinyin(hanzi, style=Style.NORMAL, v_to_u=False, errors="default")
    if len(read) != len(hanzi):
        read = [lazy_pinyin(char, style=Style.NORMAL, v_to_u=False, errors="default")[0] for char in hanzi]
    return read


def _best(folded: str) -> list[str]:
    read: list[str] = []
    run = ""
    for unit in [*units(folded), ""]:
        if unit and is_hanzi(unit):
            run += unit
            continue
        if run:
            read.extend(_phrase(run))
            run = ""
        if unit:
            read.append(unit)
    return read


def readings(folded: str) -> list[tuple[str, ...]]:
    """Readings of folded text, the likeliest first, at most `MAX_VARIANTS`; empty when it holds no Hanzi.

    Each is a syllable a unit (see `pack.fold.units`): Hanzi become syllables with `v` for ü, Latin runs stay themselves.
    """
    pieces = units(folded)
    if not any(is_hanzi(piece) for piece in pieces):
        return []
    best = _best(folded)
    options = [
        (said, *(other for other in OTHER_READINGS.get(unit, ()) if other != said)) for unit, said in zip(pieces, best, strict=True)
    ]
    open_places = [place for place, choice in enumerate(options) if len(choice) > 1][:6]
    flips = sorted(product(*(range(len(options[place])) for place in open_places)), key=lambda flip: sum(map(bool, flip)))
    variants = []
    for flip in flips[:MAX_VARIANTS]:
        variant = list(best)
        for place, choice in zip(open_places, flip, strict=True):
            variant[place] = options[place][choice]
        variants.append(tuple(variant))
    return variants
