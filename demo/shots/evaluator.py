"""Every state of an evaluator's screen in every language, profile and panel: for `./run shots` and for the overflow tests."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from evaluator.flow import tags
from evaluator.flow.scene import Ask, Failed, Idle, Reasons, Receipt, Scene, Signs, Starting, Unpaired
from evaluator.shown import LOCALE, TAGS_FILE, view_of
from ui.catalogue import LANGUAGES
from ui.shots import Shot, dressed
from ui.tokens import EVALUATOR_7, EVALUATOR_10, PROFILES, Panel
from wire.messages import Clerk, WindowCard, Words

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

LOCALES = (LOCALE,)
PANELS: dict[str, Panel] = {"1280x800": EVALUATOR_10, "800x480": EVALUATOR_7}
MOMENT = datetime(2026, 11, 22, 14, 26)
FINE = Signs()
TROUBLED = Signs(offline=True, buttons_down=True)
HALL: Words = {"zh": "桃源县政务服务中心", "ko": "도원현정무봉사중심", "en": "Taoyuan County Service Centre"}
NOTICE: Words = {
    "zh": "您的评价写入公开账本，凭回执码可查。办事指南可在一楼自助机免费打印。",
    "ko": "평가는 공개장부에 기록되며 평가 확인코드로 조회할수 있습니다.",
    "en": "Your rating is written to a public ledger; check it with your receipt code.",
}
ITEM: Words = {"zh": "国有建设用地使用权转移登记", "ko": "국유건설용지사용권 이전등기", "en": "Transfer of land-use right"}
CLERK = Clerk(
    number="0312",
    name="王丽",
    post={"zh": "首席代表", "ko": "수석대표", "en": "Lead clerk"},
    badges=(
        {"zh": "党员先锋岗", "ko": "당원선봉초소", "en": "Model post"},
        {"zh": "季度之星", "ko": "분기의 별", "en": "Star of the quarter"},
    ),
)
CARD = WindowCard(
    number="12",
    business={"zh": "不动产登记", "ko": "부동산등기", "en": "Property registration"},
    place={"zh": "二楼 · 不动产专区", "ko": "2층 · 부동산등기구역", "en": "2nd floor · Property"},
    state="serving",
    clerk=CLERK,
    ticket="A037",
)
"""A demonstration: the people and figures are invented."""


def _idle(shared: tuple[object, ...], card: WindowCard | None = CARD, **changes: object) -> Scene:
    values: dict[str, object] = {
        "card": card,
        "hall": HALL,
        "notice": NOTICE,
        "ratings_paused": False,
        "uninvited": False,
        "identify": "",
    }
    return Idle(*shared, **(values | changes))  # type: ignore[arg-type]


def _window(state: str, clerk: Clerk | None = CLERK) -> WindowCard:
    return WindowCard(number="12", business=CARD.business, place=CARD.place, state=state, clerk=clerk)  # type: ignore[arg-type]


RARE = Clerk(number="0271", name="㐂𠮷", post=CLERK.post)
LONG = Clerk(number="1020", name="阿依古丽·买买提艾力", post={"zh": "窗口负责人", "ko": "창구책임자", "en": "Window lead"})


def scenes(language: str, profile: str) -> Iterator[tuple[str, Scene]]:
    """All states by name."""
    well, ill = (FINE, language, profile), (TROUBLED, language, profile)
    tag_set = tags.load(TAGS_FILE)
    yield "starting", Starting(*well)  # type: ignore[arg-type]
    for pairing in ("none", "unreachable", "waiting", "refused", "expired", "paired", "revoked"):
        code = "7K3M-P0XW" if pairing == "waiting" else ""
        yield f"unpaired-{pairing}", Unpaired(*well, pairing, code, "nwm3k5a7q2x4b6c8dz")  # type: ignore[arg-type]
    yield "idle", _idle(well)
    yield "idle-trouble", _idle(ill)
    yield "idle-paused", _idle(well, _window("paused"))
    yield "idle-resting", _idle((Signs(on_battery=True), *well[1:]), resting=True)
    yield "idle-closed-no-clerk", _idle(well, _window("closed", None))
    yield "idle-no-window", _idle(well, None)
    yield "idle-rare-name", _idle(well, _window("serving", RARE))
    yield "idle-number-only", _idle(well, _window("serving", Clerk(number="0312", name="")))
    yield "idle-long-name", _idle(well, _window("serving", LONG))
    yield "idle-uninvited", _idle(well, uninvited=True)
    yield "idle-ratings-paused", _idle(ill, ratings_paused=True)
    yield "idle-identify", _idle(well, identify="nwm3k5a7q2x4b6c8dz")
    ask = {"item": ITEM, "case_tail": "0417", "card": CARD, "left_s": 28, "of_s": 60.0}
    yield "ask", Ask(*well, **ask, correcting=False, pressed=None)  # type: ignore[arg-type]
    yield "ask-trouble", Ask(*ill, **ask, correcting=False, pressed=None)  # type: ignore[arg-type]
    yield "ask-pressed", Ask(*well, **ask, correcting=False, pressed=4)  # type: ignore[arg-type]
    yield "ask-correcting", Ask(*well, **ask, correcting=True, pressed=None)  # type: ignore[arg-type]
    for level in (5, 4, 3, 2, 1):
        offered = tag_set.of(level)
        chosen = frozenset({offered[2].id})
        yield f"reasons-{level}", Reasons(*well, level, offered, chosen, 3, 18, 20.0)  # type: ignore[arg-type]
    yield "reasons-later", Reasons(*ill, 2, tag_set.of(2), frozenset(), 0, 9, 20.0)  # type: ignore[arg-type]
    yield "receipt", Receipt(*well, "7K3M-P0XW-9", HALL, CARD, 9, 10.0)  # type: ignore[arg-type]
    yield "receipt-offline", Receipt(*ill, "7K3M-P0XW-9", HALL, CARD, 9, 10.0)  # type: ignore[arg-type]
    for reason in ("rating.storage_full", "rating.not_recorded"):
        yield f"failed-{reason.partition('.')[2]}", Failed(*well, reason, 8, 10.0)  # type: ignore[arg-type]


def shots() -> Iterator[Shot]:
    """Every picture; by night only the standard profile, since high contrast has no night and elder only bigger type."""
    for panel_name, panel in PANELS.items():
        for language in LANGUAGES:
            for profile in PROFILES:
                for name, scene in scenes(language, profile):
                    dress = {"panel": panel, "kind": "desk", "language": language, "profile": profile}
                    title = f"evaluator/{panel_name}/{language}/{profile}/{name}"
                    yield Shot(title, dressed(_maker(scene), **dress))  # type: ignore[arg-type]
        for name, scene in scenes("zh", "standard"):
            yield Shot(f"evaluator/{panel_name}/zh/night/{name}", dressed(_maker(scene), panel=panel, kind="desk", night=True))


def _maker(scene: Scene) -> Callable[[], "Widget"]:
    def make() -> "Widget":
        from evaluator import screens
        from ui.language import words
        from ui.stage import Stage

        screens.load()
        stage = Stage()
        stage.show(view_of(scene, None, clock=f"{MOMENT:%H:%M}", date=words.date(MOMENT)), scene.name)
        return stage

    return make
