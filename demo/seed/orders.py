"""Work orders of the invented hall at every stage of their way, and a drawing of cases to call."""

from fleet.access.service import Actor
from fleet.oversight.files import Attachment
from fleet.oversight.sampling import Case
from fleet.oversight.vault import Contact
from fleet.services import Fleet

ZHAO = Actor(name="zhao", display="赵监督", role="supervisor")
QIAN = Actor(name="qian", display="钱监督", role="supervisor")
LI = Actor(name="li", display="李科长", role="handler")
WAY: tuple[tuple[Actor, str, str, dict[str, str]], ...] = (
    (ZHAO, "assign", "", {"to": "li"}),
    (LI, "contact", "", {"result": "reached"}),
    (LI, "classify", "窗口缺材料清单，情况属实", {"class": "valid"}),
    (LI, "rectify", "", {}),
    (LI, "reply", "已在窗口摆放材料清单，并向评价人致歉", {}),
    (ZHAO, "take", "", {}),
    (ZHAO, "revisit", "", {"result": "resolved"}),
    (ZHAO, "close", "", {}),
)


def live_with_orders(fleet: Fleet) -> None:
    """Open the orders of the seeded ratings, take some of them on their way, draw cases."""
    oversight = fleet.oversight
    oversight.round()
    orders = sorted(order.no for order in oversight.orders.listing(ZHAO, show="all", limit=1_000))
    for stage, number in enumerate(orders[: len(WAY) + 1]):
        contact = Contact(name="王先生（虚构）", reach="000-00000000", words="希望有人给我回个话")
        oversight.contacts.keep_for_order(number, contact, ZHAO)
        if not oversight.orders.get(number, ZHAO).standing.released_day:
            oversight.orders.act(number, "release", ZHAO, note="评价人要求尽快回复")
        for who, deed, note, args in WAY[: len(WAY) - stage]:
            files = (Attachment("材料清单.pdf", b"%PDF-1.4\n%%EOF\n"),) if deed == "reply" else ()
            oversight.orders.act(number, deed, who, note=note, args=args, files=files)
    if len(orders) > len(WAY) + 1:
        _appeal(fleet, orders[len(WAY) + 1])
    _draw(fleet)


def _appeal(fleet: Fleet, number: int) -> None:
    orders = fleet.oversight.orders
    if not orders.get(number, ZHAO).standing.released_day:
        orders.act(number, "release", ZHAO, note="承办部门要求核实")
    orders.act(number, "assign", ZHAO, args={"to": "li"})
    orders.act(number, "appeal", LI, note="评价人按错了键，本人已书面说明")
    orders.act(number, "review", QIAN, note="书面说明属实", args={"verdict": "upheld"})


def _draw(fleet: Fleet) -> None:
    revisits = fleet.oversight.revisits
    items = ("新生儿一件事", "开餐饮店一件事", "公租房申请一件事")
    cases = [Case(ref=f"202610{n:05d}", item=items[n % 3], window="12", day="2026-10-31") for n in range(180)]
    number = revisits.draw("yunxi", "2026年10月 一件事", cases, 0.239, actor=ZHAO, seed="yunxi-2026-10")
    for each, result in zip(
        revisits.cases(number)[:12], ("satisfied",) * 8 + ("basically", "unreachable", "refused", "dissatisfied"), strict=True
    ):
        revisits.record(number, each.place, result, "", actor=ZHAO)
