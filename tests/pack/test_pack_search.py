"""Search as people use it: every way of typing finds the item, in the promised order, with the right part highlighted."""

import pytest

from pack.model import Department, Item, Text
from pack.search import answer


def item(code: str, name: str, rank: int | None = None, **more: object) -> Item:
    return Item(code=code, name=Text(zh=name), department="d", popularity=rank, **more)  # type: ignore[arg-type]


def codes(pack, query, **options):
    return [hit.code for hit in pack.search(query, **options)]


def highlighted(hit):
    return [hit.name[start:end] for start, end in hit.spans]


@pytest.fixture
def hall(opened, make_content):
    """A few items that look alike in different ways."""
    return opened(
        make_content(
            item("id", "居民身份证换领、补领", 1, aliases=("补办身份证", "lost ID card")),
            item("tmp", "临时居民身份证申领", 2),
            item("bank", "重庆银行行长任职资格", 3),
            item("law", "律师执业（Ａ类）许可", 4),
            item("car", "机动车驾驶证 C1 换证", 5, aliases=("换本",)),
            Item(
                code="pass",
                name=Text(zh="普通护照签发", ko="일반려권 발급", en="Ordinary passport"),
                short_name=Text(zh="护照", ko="려권", en="Passport"),
                department="d",
                popularity=6,
            ),
            item("west", "西安先进单位评选", 7),
        )
    )


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("sfz", "身份证"),
        ("SFZ", "身份证"),
        ("ｓｆｚ", "身份证"),
        ("shenfenzheng", "身份证"),
        ("shenfenzh", "身份证"),
        ("shen fen zheng", "身份证"),
        ("ShenFen", "身份"),
        ("身份证", "身份证"),
        ("身份", "身份"),
        ("份证", "份证"),
        ("份", "份"),
        ("证换领补", "证换领、补"),
    ],
)
def test_every_way_of_typing_finds_the_identity_card(hall, typed, found):
    hit = next(hit for hit in hall.search(typed) if hit.code == "id")
    assert highlighted(hit) == [found]


@pytest.mark.parametrize("typed", ["zhongqing", "chongqing", "zqyh", "cqyh", "yinhanghangzhang", "yinxing", "zhangrenzhi"])
def test_heteronyms_are_found_by_each_of_their_readings(hall, typed):
    assert codes(hall, typed) == ["bank"]


@pytest.mark.parametrize("typed", ["lvshi", "lushi", "lüshi", "lǜshī", "ls", "lv", "LÜ"])
def test_u_umlaut_may_be_typed_as_v_u_or_itself(hall, typed):
    assert "law" in codes(hall, typed)


@pytest.mark.parametrize("typed", ["jumin", "jvmin", "qu", "jv"])
def test_v_after_j_q_x_y_is_understood(hall, typed):
    found = codes(hall, typed)
    assert ("id" in found) == typed.startswith("j")


@pytest.mark.parametrize("typed", ["a类", "A类", "Ａ类", "ａ类"])
def test_width_and_case_do_not_count(hall, typed):
    (hit,) = hall.search(typed)
    assert highlighted(hit) == ["Ａ类"]


@pytest.mark.parametrize("typed", ["c1", "C1", "Ｃ１", "c1换", "c1h", "jszc1"])
def test_letters_and_digits_inside_chinese_names_are_found(hall, typed):
    assert codes(hall, typed) == ["car"]


def test_syllables_that_can_be_cut_in_two_ways_are_found_either_way(hall):
    assert hall.search("xian")[0].spans == ((0, 2),)
    assert codes(hall, "xianxianjin") == ["west"]
    (hit,) = hall.search("xianj")
    assert highlighted(hit) == ["先进"]


def test_two_characters_in_the_middle_are_found(hall):
    assert codes(hall, "驾驶") == ["car"]
    assert codes(hall, "资格") == ["bank"]


@pytest.mark.parametrize("typed", ["Passport", "pass", "ordinary p", "Ordinary Passport", "ordinary-passport"])
def test_english_words_are_found_by_their_beginnings(hall, typed):
    hit = hall.search(typed, language="en")[0]
    assert (hit.code, hit.name) == ("pass", "Ordinary passport")


def test_the_inside_of_an_english_word_is_not_found(hall):
    assert codes(hall, "assport", language="en") == []


@pytest.mark.parametrize("typed", ["려권", "일반려권", "일반 려", "발급", "권발"])
def test_korean_is_found(hall, typed):
    hit = hall.search(typed, language="ko")[0]
    assert hit.code == "pass"
    assert hit.name == "일반려권 발급"


def test_a_hit_is_named_in_the_asked_language_and_says_what_matched(hall):
    (hit,) = hall.search("huzhao", language="en")
    assert hit.name == "Ordinary passport"
    assert hit.spans == ()
    assert (hit.why.field, hit.why.position, hit.why.kind, hit.why.text) == ("name", "exact", "pinyin", "护照")


def test_a_match_in_the_short_name_is_highlighted_in_the_name_shown(hall):
    (hit,) = hall.search("护照")
    assert hit.why.text == "护照"
    assert highlighted(hit) == ["护照"]


def test_aliases_are_found_and_named_as_the_reason(hall):
    hit = next(hit for hit in hall.search("补办") if hit.code == "id")
    assert hit.why.field == "alias"
    assert hit.why.text == "补办身份证"
    assert hit.spans == ()
    assert codes(hall, "lost id") == ["id"]
    assert codes(hall, "hb") == ["car"]


def test_the_screens_language_ranks_before_the_third_language(opened, make_content):
    pack = opened(
        make_content(
            Item(code="a", name=Text(zh="住房出售", en="Home sale"), department="d", popularity=1),
            Item(code="b", name=Text(zh="户口迁移", en="Moving in"), department="d", popularity=2),
        )
    )
    assert codes(pack, "h") == ["b", "a"]
    assert codes(pack, "h", language="en") == ["a", "b"]
    assert pack.search("h")[1].why.field == "alias"


def test_codes_are_found_whole_or_by_their_beginning(opened, make_content):
    pack = opened(make_content(item("11-A.2", "甲", 2), item("11-B.3", "乙", 1), item("9", "丙", 3)))
    assert codes(pack, "11-a.2") == ["11-A.2"]
    assert codes(pack, "11") == ["11-B.3", "11-A.2"]
    assert codes(pack, "１１ａ") == ["11-A.2"]
    assert codes(pack, "A.2") == []
    assert pack.search("9")[0].why.kind == "code"


def test_the_code_of_very_many_items_still_comes_in_rank_order(opened, make_content):
    many = [item(f"77{number:04d}", f"事项{number}", 2000 - number) for number in range(1500)]
    pack = opened(make_content(*many))
    assert codes(pack, "77", limit=3) == ["771499", "771498", "771497"]


def test_department_names_find_their_items_last(opened, make_content):
    other = Department(code="e", name=Text(zh="县公安局", en="Police"), short_name=Text(zh="公安"))
    pack = opened(
        make_content(
            Item(code="p", name=Text(zh="户口迁移"), department="e", popularity=1),
            item("q", "民政救助", 9),
            item("r", "残疾人民政补贴", 2),
            item("s", "高龄津贴", 1),
            departments=(other,),
        )
    )
    # The short name is exactly what was typed, so the department's items come before names that only contain it.
    assert codes(pack, "民政") == ["s", "r", "q"]
    assert codes(pack, "民政救") == ["q"]
    assert codes(pack, "公安") == codes(pack, "gongan") == codes(pack, "police") == ["p"]
    assert codes(pack, "ga") == ["p", "s"], "高 is read gao, which begins like the department's initials"
    assert pack.search("公安")[0].department == "县公安局"
    assert pack.search("公安", language="en")[0].department == "Police"


def test_exact_comes_before_prefix_before_inside_whatever_the_popularity(opened, make_content):
    pack = opened(make_content(item("in", "补领护照", 1), item("pre", "护照签发", 2), item("exact", "护照", 3)))
    for typed in ("护照", "huzhao", "hz"):
        hits = pack.search(typed)
        assert [hit.code for hit in hits] == ["exact", "pre", "in"]
        assert [hit.why.position for hit in hits] == ["exact", "prefix", "inside"]


def test_name_comes_before_code_before_alias_before_department(opened, make_content):
    other = Department(code="e", name=Text(zh="e9科"), short_name=Text(zh="e9"))
    pack = opened(
        make_content(
            Item(code="x", name=Text(zh="乙"), department="e", popularity=1),
            item("y", "丙", 2, aliases=("e9",)),
            item("e9", "丁", 3),
            item("z", "e9", 4),
            departments=(other,),
        )
    )
    assert codes(pack, "e9") == ["z", "e9", "y", "x"]


def test_equal_matches_come_by_popularity(opened, make_content):
    pack = opened(make_content(*(item(f"n{rank}", f"{char}证", rank) for rank, char in ((3, "甲"), (1, "乙"), (2, "丙")))))
    assert codes(pack, "证") == ["n1", "n2", "n3"]


def test_an_item_appears_once_however_often_it_matches(hall):
    found = codes(hall, "s")
    assert len(found) == len(set(found))


@pytest.mark.parametrize("typed", ["", "   ", "（）", "、，。", "\0", "\ud800", "\u200b", "🙂"])
def test_nothing_searchable_finds_nothing(hall, typed):
    assert hall.search(typed) == []


@pytest.mark.parametrize(
    "typed", ['"', "' OR 1=1 --", 'a" OR "b', "NEAR(a b)", "name:x", "*", "sfz*", "^s", "AND", "a" * 100_000, "身" * 100_000]
)
def test_hostile_queries_do_no_harm(hall, typed):
    assert isinstance(hall.search(typed), list)


def test_limits_are_kept_within_reason(hall):
    assert len(hall.search("j", limit=2)) == 2
    assert len(hall.search("j", limit=-5)) == 1
    assert len(hall.search("z", limit=10_000)) <= 200


def test_long_names_are_found_whole_and_by_their_end(opened, make_content):
    name = "建设工程竣工验收消防备案" * 12
    pack = opened(make_content(item("a", name, 1), item("b", name + "补办", 2), item("c", name.replace("消防", "人防", 1), 3)))
    assert codes(pack, name) == ["a", "b"]
    assert codes(pack, "消防备案补办") == ["b"]
    assert codes(pack, "人防备案建设工程") == ["c"]


def test_the_command_prints_what_the_screen_shows(hall):
    (first, *_) = answer(hall, "hz", limit=5, language="ko")
    assert first == {
        "code": "pass",
        "name": "일반려권 발급",
        "department": "县民政局",
        "spans": [],
        "why": {"field": "name", "position": "exact", "kind": "initials", "text": "护照"},
    } | {"spans": first["spans"]}


@pytest.mark.parametrize(
    ("typed", "code_part"), [("sfz", "身份证"), ("gjj", "公积金"), ("hunyin", "婚姻"), ("身份", "身份"), ("yyzz", "营业执照")]
)
def test_the_demonstration_catalogue_answers_what_people_type(catalogue_pack, typed, code_part):
    assert any(code_part in hit.name or code_part in hit.why.text for hit in catalogue_pack.search(typed))
