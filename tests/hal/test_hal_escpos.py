"""ESC/POS without a port: bytes of jobs, and the printer's answers sorted out of anything."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.drivers import escpos
from hal.drivers.escpos_fences import ASK_PAPER, Fences, Names
from hal.drivers.escpos_profiles import PROFILES, Profile
from hal.drivers.escpos_status import (
    AutoStatus,
    Cleared,
    FenceReply,
    Identity,
    Parser,
    RealTime,
    from_auto,
    from_real_time,
    health_of,
)
from hal.health import NEXT_STEPS, REASONS
from hal.paper import Columns, Cut, Feed, Qr, Raster, Rule, Text
from hal.sim.escpos_paper import Interpreter

WIDE = PROFILES["generic80"]


def encode(blocks, profile, font):
    return escpos.encode(blocks, profile, font, Fences(None))


def box(line, style):
    """A font that draws every line as a black box of its width."""
    stride = (style.width_dots + 7) // 8 if style.width_dots < 48 else 6
    return Raster(stride * 8, 24, b"\xff" * stride * 24)


def printed(data, width_dots=576):
    """What the command set makes of `data`, as the simulator's interpreter reads it."""
    buffer, paper = bytearray(data), Interpreter(width_dots)
    while done := paper.step(buffer, 10**6):
        if done[0] == "cut":
            paper.cut_done(buffer, done[1])
    assert not buffer
    return [ticket.told(8)["items"] for ticket in paper.finished]


def test_chinese_lines_are_sent_in_gb18030_and_come_out_as_written():
    job = encode((Text("一次性告知单", bold=True, size=2, align="centre"), Text("甲—B"), Cut()), WIDE, None)
    assert "一次性告知单".encode("gb18030") in job.data
    assert printed(job.data) == [
        [
            {"text": "一次性告知单", "bold": True, "size": 2, "align": "centre"},
            {"text": "甲—B", "bold": False, "size": 1, "align": "left"},
        ]
    ]


def test_lines_that_the_font_lacks_are_drawn_and_only_those():
    drawn = []

    def font(line, style):
        drawn.append(line)
        return box(line, style)

    job = encode((Text("중국어"), Text("中文"), Text("𠮷"), Cut()), WIDE, font)
    assert drawn == ["중국어", "𠮷"]
    kinds = ["raster" if "raster" in item else "text" for item in printed(job.data)[0]]
    assert kinds == ["raster", "text", "raster"]


def test_drawn_cells_keep_the_columns_of_printed_ones():
    job = encode((Columns(("여권", "1"), (0, 8), ("left", "right")), Cut()), WIDE, box)
    (item,) = printed(job.data)[0]
    assert item["raster"] == [576, 34]


def test_without_a_font_a_line_that_needs_one_is_refused_not_garbled():
    with pytest.raises(escpos.JobInvalid, match="lacks the characters '국어한'") as caught:
        encode((Text("한국어"),), WIDE, None)
    assert caught.value.reason == "job.no_font"


@given(st.text())
def test_no_content_can_smuggle_in_a_command(text):
    job = encode((Text(text), Cut()), WIDE, box)
    tickets = printed(job.data)
    assert len(tickets) == 1
    assert job.data.count(b"\x1d\x56") == 1
    assert all("qr" not in item for item in tickets[0])


@given(st.binary(min_size=144, max_size=144))
def test_a_picture_holds_no_real_time_command(data):
    seeded = bytearray(data)
    place = random.Random(len(set(data))).randrange(141)
    seeded[place : place + 3] = b"\x10\x04\x01"
    job = encode((Raster(576, 2, bytes(seeded)),), WIDE, None)
    body = job.data[len(escpos.BEGIN + escpos.HANZI_ON) : -len(ASK_PAPER)]
    assert not any(b"\x10" + second in body for second in (b"\x04", b"\x05", b"\x14"))


def test_a_qr_code_too_wide_for_the_paper_is_made_to_fit_it():
    narrow = PROFILES["generic58"]
    job = encode((Qr("x" * 400, module=16), Cut()), narrow, None)
    assert printed(job.data, 384)[0] == [{"qr": "x" * 400}]


def test_a_qr_code_that_can_not_fit_is_refused():
    with pytest.raises(escpos.JobInvalid, match="does not fit"):
        encode((Qr("x" * 1000),), Profile(columns=16, width_dots=192), None)


def test_the_told_length_of_paper_is_the_real_one():
    blocks = (Text("大", size=3), Text("x" * 100), Rule(), Feed(2), Qr("https://example.test/x"), Cut())
    job = encode(blocks, WIDE, None)
    buffer, paper = bytearray(job.data), Interpreter(576)
    while done := paper.step(buffer, 10**6):
        if done[0] == "cut":
            paper.cut_done(buffer, done[1])
    assert job.paper_mm == round(paper.finished[0].dots / 8)


@given(st.binary(max_size=500))
def test_no_bytes_make_the_status_parser_raise(data):
    parser = Parser()
    parser.feed(data)
    assert len(parser._block) <= 80
    assert len(parser._auto) < 4


@given(st.binary(max_size=100))
def test_after_noise_the_next_answers_are_understood_within_one(noise):
    parser = Parser()
    parser.feed(noise)
    # The first answer may complete something that the noise began; the second is whole.
    parser.feed(b"\x12")
    assert parser.feed(b"\x10\x00\x0c\x00") == [AutoStatus(b"\x10\x00\x0c\x00")]


def test_a_real_time_answer_within_an_automatic_status_breaks_neither():
    assert Parser().feed(b"\x18\x00\x12\x0c\x00") == [RealTime(0x12), AutoStatus(b"\x18\x00\x0c\x00")]


def test_block_answers_and_fences_are_told_apart():
    assert Parser().feed(b"\x00\x37\x25\x00\x5fTM-X\x00\x0f") == [FenceReply(0), Cleared(), Identity("TM-X"), FenceReply(0x0F)]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ("12121212", "hal.ok"),
        ("1a32127e", "printer.paper_out"),
        ("1212121e", "printer.paper_near_end"),
        ("1a161212", "printer.cover_open"),
        ("1a521a12", "printer.cutter_jam"),
        ("1a525212", "printer.head_hot"),
        ("1a523212", "printer.unrecoverable"),
        ("1a521612", "printer.mechanical"),
        ("1a121212", "printer.offline"),
    ],
)
def test_real_time_answers_mean_what_the_manuals_say(answers, reason):
    assert health_of(from_real_time(list(bytes.fromhex(answers)))) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("10000000", "hal.ok"),
        ("10000300", "printer.paper_near_end"),
        ("18000f00", "printer.paper_out"),
        ("38000000", "printer.cover_open"),
        ("18080000", "printer.cutter_jam"),
        ("18400000", "printer.head_hot"),
    ],
)
def test_automatic_status_means_the_same(value, reason):
    assert health_of(from_auto(bytes.fromhex(value))) == reason


def test_every_health_reason_has_a_next_step_that_is_explained():
    assert {row.next_step for row in REASONS.values()} <= set(NEXT_STEPS)
    assert all(row.meaning.endswith(".") for row in REASONS.values())


def test_counted_fences_need_all_answers_and_then_a_proof():
    fences = Fences(None)
    for _ in range(4):
        assert not fences.content
        fences.heard(FenceReply(0))
    assert fences.content
    assert not fences.proof_wanted
    fences.heard(FenceReply(0))
    assert fences.proof_wanted
    assert not fences.end
    fences.proof_wanted = False
    fences.heard(FenceReply(0))
    assert fences.end


@given(st.binary(max_size=400))
def test_noise_never_passes_for_a_printers_name(noise):
    fences, parser = Fences(Names("TM-X", "MAKER")), Parser()
    for said in parser.feed(noise):
        fences.heard(said)
    assert not fences.content
    assert not fences.end


def test_names_are_fences_in_any_company():
    fences, parser = Fences(Names("TM-X", "MAKER")), Parser()
    for said in parser.feed(b"\x00\x00\x12\x5fTM-X\x00\x00"):
        fences.heard(said)
    assert (fences.content, fences.end) == (True, False)
    for said in parser.feed(b"\xff\x5fMAKER\x00"):
        fences.heard(said)
    assert fences.end


@pytest.mark.parametrize("names", [Names("", "MAKER"), Names("A", "MAKER"), Names("SAME", "SAME")])
def test_names_that_could_be_mistaken_are_not_used(names):
    assert not names.are_usable()


def test_the_content_question_stands_before_the_last_cut_and_the_end_question_behind_it():
    asks = Fences(Names("TM-X", "MAKER"))
    data = escpos.encode((Cut(), Text("x"), Cut()), WIDE, None, asks).data
    last_cut = data.rindex(b"\x1d\x56")
    assert data.index(asks.ask_content) == last_cut - len(asks.ask_content)
    assert data.endswith(asks.ask_end)
    uncut = escpos.encode((Cut(), Text("x")), WIDE, None, asks).data
    assert uncut.endswith(asks.ask_content + asks.ask_end)


def test_latin_quotes_and_dashes_are_those_of_the_printers_own_font_and_chinese_ones_stay():
    job = encode(
        (Text("Mon\u2013Fri 8:30\u201311:30, the hall\u2019s \u201cdesk\u201d"), Text("周一\u2013周五“好”"), Cut()), WIDE, None
    )
    lines = [item["text"] for item in printed(job.data)[0]]
    assert lines == ['Mon-Fri 8:30-11:30, the hall\'s "desk"', "周一-周五“好”"]


def test_lines_of_larger_letters_do_not_touch_the_next_and_the_length_told_counts_the_gap():
    job = encode((Text("大", size=2), Text("小"), Cut()), WIDE, None)
    buffer, paper = bytearray(job.data), Interpreter(576)
    while done := paper.step(buffer, 10**6):
        if done[0] == "cut":
            paper.cut_done(buffer, done[1])
    assert [item["dots"] for item in paper.finished[0].items][:3] == [48, 8, 34]
    assert job.paper_mm == round((48 + 8 + 34 + 120) / 8)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_prints_what_it_says_and_ends_as_its_cutter_can(name):
    profile = PROFILES[name]
    model = Interpreter(profile.width_dots, cutter=profile.cutter, cutter_dots=profile.cutter_dots, hanzi=profile.hanzi)
    blocks = (Text("甲 A"), Rule(), Qr("https://example.test/x"), Text("乙"), Cut())
    job = encode(blocks, profile, box)
    buffer = bytearray(job.data)
    while done := model.step(buffer, 10**6):
        if done[0] == "cut":
            model.cut_done(buffer, done[1])
    paper = model.finished[0] if profile.cutter != "none" else model.ticket
    assert not buffer
    assert job.cuts == paper.cut == (profile.cutter != "none")
    assert job.paper_mm == round(paper.dots / profile.dots_per_mm)
    items = paper.told(round(profile.dots_per_mm))["items"]
    assert ("text" in items[0]) == profile.hanzi
    assert "-" * profile.columns in [item.get("text") for item in items]
