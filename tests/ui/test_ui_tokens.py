"""The look keeps its promises in figures: contrast, sizes in millimetres, panels that can be."""

from itertools import pairwise

import pytest

from ui import tokens
from ui.tokens import (
    CONTRAST,
    DAY,
    EVALUATOR_7,
    EVALUATOR_10,
    FLOOR_MM,
    NIGHT,
    TERMINAL_21,
    Panel,
    PanelError,
    contrast_ratio,
    is_night,
    scale_px,
    text_px,
)

PALETTES = {"day": DAY, "night": NIGHT, "contrast": CONTRAST}


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("ground", ["paper", "card"])
@pytest.mark.parametrize("text", ["ink", "soft", "action"])
def test_text_reaches_4_5_to_1(name, ground, text):
    palette = PALETTES[name]
    assert contrast_ratio(getattr(palette, text), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize(
    ("text", "ground"), [("action_ink", "action"), ("bad_ink", "bad"), ("ink", "lamp_soft"), ("action", "action_soft")]
)
def test_text_on_coloured_grounds_reaches_4_5_to_1(name, text, ground):
    palette = PALETTES[name]
    assert contrast_ratio(getattr(palette, text), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_borders_of_controls_reach_3_to_1(name, ground):
    assert contrast_ratio(PALETTES[name].edge, getattr(PALETTES[name], ground)) >= 3


def test_high_contrast_reaches_7_to_1_everywhere():
    for name in ("ink", "soft", "action", "good", "bad"):
        assert contrast_ratio(getattr(CONTRAST, name), CONTRAST.paper) >= 7


def test_high_contrast_is_the_same_at_night():
    assert tokens.palette("contrast", night=True) is tokens.palette("contrast", night=False)


def test_every_kiosk_text_has_capitals_of_4_8_mm():
    sizes = tokens.TEXT["kiosk"]
    assert min(sizes.display, sizes.title, sizes.heading, sizes.large, sizes.body, sizes.note) * tokens.CAPITAL >= 4.8
    assert tokens.FLOOR_MM["kiosk"] * tokens.CAPITAL >= 4.8


def test_black_on_white_is_21_to_1():
    assert contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize(
    ("panel", "complaint"),
    [((100, 480, 154, 92), "width_px is 100"), ((800, 480, 20, 92), "width_mm is 20"), ((800, 480, 92, 154), "swapped")],
)
def test_an_impossible_panel_is_explained(panel, complaint):
    with pytest.raises(PanelError, match=complaint):
        Panel(*panel)


def test_millimetres_become_the_panels_own_pixels():
    assert tokens.EVALUATOR_10.px_per_mm == pytest.approx(5.9, abs=0.05)
    assert tokens.TERMINAL_21.px_per_mm == pytest.approx(4.03, abs=0.05)


@pytest.mark.parametrize(
    ("day_from", "night_from", "nights"),
    [(7, 19, {*range(7), *range(19, 24)}), (6, 1, {1, 2, 3, 4, 5})],
    ids=["night begins in the evening", "night begins after midnight"],
)
def test_night_lasts_from_its_first_hour_to_the_days(day_from, night_from, nights):
    assert {hour for hour in range(24) if is_night(hour, day_from=day_from, night_from=night_from)} == nights


@pytest.mark.parametrize(("kind", "panel"), [("kiosk", TERMINAL_21), ("desk", EVALUATOR_10), ("desk", EVALUATOR_7)])
def test_texts_have_few_sizes_from_the_floor_up_without_wide_gaps(kind, panel):
    scale = scale_px(kind, panel.px_per_mm)
    assert len(scale) <= 14
    assert scale[0] == int(FLOOR_MM[kind] * panel.px_per_mm)
    assert all(larger / smaller < 1.45 for smaller, larger in pairwise(scale))
    for profile in tokens.PROFILES:
        assert set(text_px(kind, profile, panel.px_per_mm).values()) <= set(scale)


def test_elder_texts_are_larger_by_a_tenth_at_least():
    for kind in ("kiosk", "desk"):
        standard, elder = (text_px(kind, profile, 4.0) for profile in ("standard", "elder"))
        assert all(elder[role] >= standard[role] * 1.1 for role in standard)
