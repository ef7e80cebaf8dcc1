"""The API's paths of oversight: working days and deadlines for other systems, and counts of work orders."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query

from fleet.access.service import Actor
from fleet.api import bodies
from fleet.api.problems import Problem
from fleet.oversight.order_view import Order
from fleet.ratings.rules import share
from fleet.services import Fleet

MOST_DAYS = 366


def mount_oversight(api: FastAPI, fleet: Fleet, who: Any) -> None:
    """Add the paths."""

    def code(hall: str) -> str:
        return fleet.registry.hall(hall).code if hall else ""

    @api.get("/working-days/due", tags=["working days"], summary="When a number of working days is over")
    def due(
        actor: Annotated[Actor, Depends(who)],
        start: date,
        days: Annotated[int, Query(ge=0, le=1_000, description="Working days; the first day is not counted")],
        hall: str = "",
    ) -> bodies.DeadlineOut:
        try:
            found = fleet.oversight.calendars.of(code(hall)).due(start, days)
        except OverflowError as error:
            raise Problem(422, "The day is too far", str(error), remedy="Send a day of this century.") from error
        return bodies.DeadlineOut(start=str(start), days=days, due=str(found.day), provisional=found.provisional)

    @api.get("/working-days", tags=["working days"], summary="Which days are worked")
    def working_days(
        actor: Annotated[Actor, Depends(who)],
        first: Annotated[date, Query(alias="from")],
        last: Annotated[date, Query(alias="to")],
        hall: str = "",
    ) -> list[bodies.DayOut]:
        calendar = fleet.oversight.calendars.of(code(hall))
        _check_span(first, last)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [
            bodies.DayOut(
                day=str(day),
                works=calendar.is_working(day),
                occasion=calendar.occasion(day),
                provisional=calendar.is_provisional(day),
            )
            for day in days
        ]

    @api.get("/work-orders/figures", tags=["ratings"], summary="How bad ratings were dealt with")
    def figures(
        actor: Annotated[Actor, Depends(who)],
        first: Annotated[date, Query(alias="from", description="First day on which orders were handed over")],
        last: Annotated[date, Query(alias="to", description="Last day; yesterday at the latest")],
        hall: str = "",
    ) -> bodies.WorkOrdersOut:
        _check_span(first, last)
        yesterday = fleet.oversight.orders.today(code(hall)) - timedelta(days=1)
        end = min(last, yesterday)
        found = fleet.oversight.orders.handed_over(first, end, hall=code(hall))
        return _figures(found, hall=code(hall), first=first, last=end)


def _check_span(first: date, last: date) -> None:
    if not 0 <= (last - first).days < MOST_DAYS:
        detail, remedy = f"from {first} to {last}", "Send `from` before `to`, a year at most."
        raise Problem(422, "The days are not a span", detail, limit=f"{MOST_DAYS} days", remedy=remedy)


def _figures(found: list[Order], *, hall: str, first: date, last: date) -> bodies.WorkOrdersOut:
    upheld = sum(order.standing.state == "upheld" for order in found)
    live = [order for order in found if order.standing.state not in ("upheld", "superseded")]
    replied = [order for order in live if order.standing.replied_day]
    on_time = sum(order.standing.replied_day <= order.promise.day.isoformat() for order in replied)
    over = [order for order in live if not order.standing.replied_day and order.promise.day < last]
    return bodies.WorkOrdersOut(
        hall=hall,
        first_day=str(first),
        last_day=str(last),
        orders=len(found),
        closed=sum(order.standing.is_done for order in found),
        upheld=upheld,
        rectified=len(replied),
        on_time=on_time,
        due=len(replied) + len(over),
        rectification_rate=share(len(replied), len(replied) + len(over)),
        on_time_rate=share(on_time, len(replied) + len(over)),
    )
