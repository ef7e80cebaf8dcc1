"""Open this to learn what the demonstration catalogue promises: counts, codes, three languages, limits, places, scenarios."""

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from demo.catalogue import FOLDER, read_catalogue
from pack.model import Content, Duration, Guide, Item, Scenario, Text

HAN = re.compile(r"[\u3400-\u9fff]")
HANGUL = re.compile(r"[\uac00-\ud7a3]")
LATIN = re.compile(r"[A-Za-z]")
INVENTED_PHONE = re.compile(r"000-8\d{6}")
# Anything a reader could dial: five or more digits in a row, or two groups joined like a phone number.
DIALLABLE = re.compile(r"\d{5,}|\d{3,4}[- ]\d{4,8}")
# These spellings follow the South Korean initial-sound rule; this catalogue follows the norm of Korean written in China.
OTHER_KOREAN_NORM = re.compile(r"여권|이혼|노인|여자|연령|임업|영수증|이용|할 수|될 수|받을 수")
# Codes of units and items, the area, a date of validity, an invented phone: whole strings that are not wording.
NOT_FOR_READING = re.compile(r"[0-9A-Z]{18}([0-9]{13})?|999999|\d{4}-\d{2}-\d{2}|000-8\d{6}")
UNIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TYPE_DIGITS = {
    "licence": "01",
    "payment": "05",
    "confirmation": "07",
    "reward": "08",
    "ruling": "09",
    "other_power": "10",
    "public_service": "20",
}


@pytest.fixture(scope="module")
def content() -> Content:
    return read_catalogue()


@pytest.fixture(scope="module")
def guided(content: Content) -> list[tuple[Item, Guide]]:
    return [(item, item.guide) for item in content.items if item.guide]


def texts(value: object, path: str = "") -> Iterator[tuple[str, Text]]:
    """Every Text below `value` with the path to it."""
    if isinstance(value, Text):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from texts(getattr(value, field), f"{path}.{field}")
    elif isinstance(value, tuple):
        for index, part in enumerate(value):
            name = getattr(part, "code", None) or getattr(part, "number", None) or index
            yield from texts(part, f"{path}[{name}]")


def strings(value: object) -> Iterator[str]:
    """Every string below plain JSON `value`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


def hours(limit: Duration, *, longest: bool) -> float:
    """Calendar hours that a limit can take at the longest or at the shortest, public holidays not counted."""
    with_weekends = limit.amount * 24 + (limit.amount // 5) * 48
    by_unit = {
        "at_once": 0,
        "hour": limit.amount,
        "day": limit.amount * 24,
        "month": limit.amount * 24 * (31 if longest else 28),
        "working_day": with_weekends + 48 if longest else with_weekends,
    }
    return float(by_unit[limit.unit])


def is_at_most(shorter: Duration, longer: Duration) -> bool:
    """True when `shorter` cannot outlast `longer`; same units compare exactly, others by calendar hours."""
    if shorter.unit == longer.unit:
        return shorter.amount <= longer.amount
    return hours(shorter, longest=True) <= hours(longer, longest=False)


def working_hours(limit: Duration | None) -> float:
    """Office hours of a step or a promise: seven in a working day. Only the units that promises use."""
    if limit is None:
        return 0
    return float({"at_once": 0, "hour": limit.amount, "working_day": limit.amount * 7, "day": limit.amount * 5}[limit.unit])


def unit_check_characters(unit: str) -> str:
    """The two check characters of an 18-character unit code, after GB 11714 and GB 32100."""
    body, organisation = unit[:17], unit[8:16]
    weighted = sum(int(char, 36) * weight for char, weight in zip(organisation, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    first = {10: "X", 11: "0"}.get(11 - weighted % 11) or str(11 - weighted % 11)
    total = sum(UNIT_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return first + UNIT_ALPHABET[-total % 31]


def test_catalogue_has_the_size_of_a_county_hall(content: Content, guided: list[tuple[Item, Guide]]) -> None:
    assert len(content.items) == 150
    assert len(guided) >= 30
    assert len(content.departments) >= 20
    assert len(content.scenarios) == 6
    assert len(content.hall.windows) >= 30


def test_catalogue_says_that_it_is_a_demonstration(content: Content) -> None:
    assert content.hall.demonstration is True


def test_every_department_handles_at_least_one_item(content: Content) -> None:
    assert {item.department for item in content.items} == {department.code for department in content.departments}


@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_names_are_unique_in_each_language(content: Content, language: str) -> None:
    for records in (content.items, content.departments, content.scenarios):
        names = [getattr(record.name, language) for record in records]
        assert sorted(set(names)) == sorted(names)


def test_every_text_is_written_in_all_three_languages(content: Content) -> None:
    for path, text in texts(content):
        assert HAN.search(text.zh), f"{path}: no Chinese in {text.zh!r}"
        assert HANGUL.search(text.ko), f"{path}: no Korean in {text.ko!r}"
        assert not HAN.search(text.ko), f"{path}: Chinese characters in the Korean {text.ko!r}"
        assert LATIN.search(text.en), f"{path}: no English in {text.en!r}"
        assert not HAN.search(text.en), f"{path}: Chinese characters in the English {text.en!r}"
        assert not HANGUL.search(text.en), f"{path}: Korean in the English {text.en!r}"
        assert not HANGUL.search(text.zh), f"{path}: Korean in the Chinese {text.zh!r}"


def test_texts_carry_no_stray_blanks_or_doubled_stops(content: Content) -> None:
    for path, text in texts(content):
        for written in (text.zh, text.ko, text.en):
            assert written == written.strip(), path
            assert not re.search(r"  |。。|\.\.|，，|\n|\t", written), f"{path}: {written!r}"


def test_sentences_of_one_text_end_alike_in_all_languages(content: Content) -> None:
    for path, text in texts(content):
        asks = (text.zh.endswith("？"), text.ko.endswith("?"), text.en.endswith("?"))
        assert len(set(asks)) == 1, f"{path}: a question in one language only: {text}"


def test_numbers_of_windows_agree_in_all_languages(content: Content) -> None:
    for path, text in texts(content):
        in_chinese = re.findall(r"(\d+)号[^，。]{0,4}窗口", text.zh)
        in_korean = re.findall(r"(\d+)번 ?[가-힣]{0,4}창구", text.ko)
        in_english = re.findall(r"[Ww]indow (\d+)", text.en)
        assert sorted(in_chinese) == sorted(in_korean) == sorted(in_english), f"{path}: {text}"


def test_windows_named_in_a_text_exist(content: Content) -> None:
    numbers = {window.number for window in content.hall.windows}
    for path, text in texts(content):
        for number in re.findall(r"(\d+)号[^，。]{0,4}窗口", text.zh):
            assert number in numbers, f"{path} sends people to window {number}, which is not in hall.json"


def test_korean_follows_one_written_norm(content: Content) -> None:
    for path, text in texts(content):
        assert not OTHER_KOREAN_NORM.search(text.ko), f"{path}: {text.ko!r}"


def test_korean_sentences_are_formal(content: Content) -> None:
    for path, text in texts(content):
        for sentence in re.findall(r"[^.?!]*[가-힣][.?]", text.ko):
            assert re.search(r"(니다|니까|시오|^네)[.?]$", sentence), f"{path}: {sentence!r} does not end politely"


def test_codes_are_unique_and_of_national_shape(content: Content) -> None:
    codes = [item.code for item in content.items]
    assert len(set(codes)) == len(codes)
    for item in content.items:
        assert re.fullmatch(r"[0-9A-Z]{18}4[0-9]{12}", item.code), item.code
        assert item.code_scheme == "national"
        assert item.code.startswith(item.department)
        assert item.code[21:23] == TYPE_DIGITS[item.kind], f"{item.code} does not tell its type {item.kind}"


def test_unit_codes_carry_the_unassigned_area_and_valid_check_characters(content: Content) -> None:
    for department in content.departments:
        assert department.code[2:8] == "999999"
        assert department.code[16:] == unit_check_characters(department.code)


def test_unit_code_check_finds_a_changed_character() -> None:
    # A widely published specimen code, not one of ours, so that the check itself is checked.
    assert unit_check_characters("91350100M000100Y43") == "43"
    assert unit_check_characters("91350100M000101Y43") != "43"


def test_popularity_ranks_every_item_once(content: Content) -> None:
    assert [item.popularity for item in content.items] == list(range(1, len(content.items) + 1))


def test_promise_is_never_longer_than_the_legal_limit(content: Content) -> None:
    for item in content.items:
        assert item.legal_limit, item.name.zh
        assert item.promise, item.name.zh
        assert is_at_most(item.promise, item.legal_limit), f"{item.name.zh}: {item.promise} > {item.legal_limit}"


def test_handling_classes_keep_their_limits(content: Content) -> None:
    one, three = Duration(amount=1, unit="working_day"), Duration(amount=3, unit="working_day")
    for item in content.items:
        assert item.promise
        if item.handling == "at_once":
            assert item.promise.unit == "at_once" or is_at_most(item.promise, one), item.name.zh
        else:
            assert item.promise.unit != "at_once", f"{item.name.zh} is done at once, so its class is 即办件"
        if item.handling == "review":
            assert is_at_most(item.promise, three), item.name.zh


def test_steps_fit_into_the_promise(guided: list[tuple[Item, Guide]]) -> None:
    for item, guide in guided:
        total = sum(working_hours(step.limit) for step in guide.steps)
        assert total <= working_hours(item.promise), f"{item.name.zh}: steps take {total} h, promised {item.promise}"


def test_complete_guides_are_complete(guided: list[tuple[Item, Guide]]) -> None:
    for item, guide in guided:
        assert guide.conditions, item.name.zh
        assert guide.legal_basis, item.name.zh
        assert len(guide.steps) >= 3, item.name.zh
        assert 2 <= len(guide.questions) <= 4, item.name.zh
        assert item.visits is not None, item.name.zh
        assert item.short_name, item.name.zh
        assert any(material.need == "required" for material in guide.materials), item.name.zh


def test_every_material_says_where_it_comes_from(guided: list[tuple[Item, Guide]]) -> None:
    for item, guide in guided:
        for material in guide.materials:
            assert material.source_note, f"{item.name.zh}: {material.name.zh}"
            assert material.copies >= 1
            if material.need != "required":
                assert material.note, f"{item.name.zh}: {material.name.zh} does not say when it is needed"


def test_no_guide_asks_twice_for_the_same_material(guided: list[tuple[Item, Guide]]) -> None:
    for item, guide in guided:
        names = [material.name.zh for material in guide.materials]
        assert len(set(names)) == len(names), item.name.zh


def test_electronic_papers_that_need_not_be_brought_come_from_government(guided: list[tuple[Item, Guide]]) -> None:
    exempt = [material for _, guide in guided for material in guide.materials if material.exempt]
    assert exempt
    assert {material.source for material in exempt} == {"government"}


def test_charged_items_name_every_fee_and_its_basis(content: Content) -> None:
    for item in content.items:
        assert item.charged == bool(item.fees), item.name.zh
        for fee in item.fees:
            assert fee.standard.zh, item.name.zh
            assert fee.basis.zh, item.name.zh
            assert fee.amount_fen is None or fee.amount_fen > 0, item.name.zh


def test_items_are_placed_at_windows_that_exist(content: Content) -> None:
    windows = {window.number: window for window in content.hall.windows}
    assert len(windows) == len(content.hall.windows)
    for item in content.items:
        assert item.place, item.name.zh
        assert item.place.windows, item.name.zh
        for number in item.place.windows:
            assert (windows[number].floor, windows[number].zone) == (item.place.floor, item.place.zone), item.name.zh


def test_windows_stand_in_zones_of_the_hall_and_belong_to_departments(content: Content) -> None:
    departments = {department.code for department in content.departments}
    for window in content.hall.windows:
        assert window.zone in content.hall.zones
        assert window.department in departments


def test_phones_are_obviously_invented(content: Content) -> None:
    phones = [content.hall.phone, content.hall.complaint_phone]
    for item in content.items:
        assert item.phone != item.complaint_phone
        phones += [item.phone, item.complaint_phone]
    assert all(INVENTED_PHONE.fullmatch(phone) for phone in phones)


@pytest.mark.parametrize("number", ["请打电话0433-8021001", "请打110-1234-5678", "拨12345", "call 138 0000 1234"])
def test_a_number_that_could_be_dialled_is_recognised(number: str) -> None:
    assert DIALLABLE.search(number)


def test_no_text_hides_a_number_that_somebody_could_dial(content: Content) -> None:
    read = [written for written in strings(msgspec.to_builtins(content)) if not NOT_FOR_READING.fullmatch(written)]
    assert len(read) > 5000, "the walk missed most of the catalogue"
    for written in read:
        assert not DIALLABLE.search(written), written


def test_people_can_find_items_by_their_own_words(content: Content) -> None:
    for item in content.items:
        assert len(set(item.aliases)) == len(item.aliases) >= 2, item.name.zh
        assert any(HAN.search(alias) for alias in item.aliases), item.name.zh
        assert any(HANGUL.search(alias) for alias in item.aliases), item.name.zh
        assert any(LATIN.search(alias) for alias in item.aliases), item.name.zh
        assert item.name.zh not in item.aliases


def test_scenarios_lead_only_to_items_that_exist(content: Content) -> None:
    codes = {item.code for item in content.items}
    for scenario in content.scenarios:
        for situation in scenario.situations:
            assert situation.items, f"{scenario.name.zh}: {situation.id}"
            assert set(situation.items) <= codes, f"{scenario.name.zh}: {situation.id}"
            assert len(set(situation.items)) == len(situation.items)


def reached(scenario: Scenario) -> tuple[set[str], set[str]]:
    """Question and situation ids reached from the root; fails when a question comes twice on one way."""
    questions = {question.id: question for question in scenario.questions}
    seen: set[str] = set()
    situations: set[str] = set()

    def walk(question_id: str, way: tuple[str, ...]) -> None:
        assert question_id not in way, f"{scenario.name.zh}: question {question_id} comes twice on one way"
        seen.add(question_id)
        for choice in questions[question_id].choices:
            assert bool(choice.next_question) != bool(choice.situation), f"{scenario.name.zh}: {choice.label.zh}"
            if choice.situation:
                situations.add(choice.situation)
            else:
                walk(choice.next_question, (*way, question_id))

    walk(scenario.questions[0].id, ())
    return seen, situations


def test_every_answer_of_a_scenario_leads_on_and_nothing_is_out_of_reach(content: Content) -> None:
    for scenario in content.scenarios:
        questions, situations = reached(scenario)
        assert questions == {question.id for question in scenario.questions}, scenario.name.zh
        assert situations == {situation.id for situation in scenario.situations}, scenario.name.zh
        assert all(2 <= len(question.choices) <= 3 for question in scenario.questions), scenario.name.zh


def test_a_scenario_promises_no_less_time_than_its_slowest_item(content: Content) -> None:
    promises = {item.code: item.promise for item in content.items}
    for scenario in content.scenarios:
        for situation in scenario.situations:
            slowest = max(working_hours(promises[code]) for code in situation.items)
            assert working_hours(situation.promise) >= slowest, f"{scenario.name.zh}: {situation.id}"


def test_every_situation_has_at_least_one_item_with_a_guide(content: Content) -> None:
    with_guide = {item.code for item in content.items if item.guide}
    for scenario in content.scenarios:
        for situation in scenario.situations:
            assert with_guide & set(situation.items), f"{scenario.name.zh}: {situation.id} would print an empty notice"


def test_items_are_stored_in_the_order_people_ask_for_them() -> None:
    for path in FOLDER.glob("items-*.jsonl"):
        ranks = [msgspec.json.decode(line, type=Item).popularity or 0 for line in path.read_bytes().splitlines()]
        assert all(first < second for first, second in pairwise(ranks)), path.name


def test_files_are_readable_text_and_not_escapes() -> None:
    for path in [*FOLDER.glob("*.jsonl"), FOLDER / "hall.json"]:
        written = path.read_text(encoding="utf-8")
        assert "\\u" not in written, path.name
        assert written.endswith("}\n"), path.name


def test_a_misspelt_field_is_reported_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(FOLDER, folder)
    departments = folder / "departments.jsonl"
    lines = departments.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace('"short_name"', '"short_nam"')
    departments.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=r"departments\.jsonl line 3 is not a valid Department: .*short_nam"):
        read_catalogue(folder)
