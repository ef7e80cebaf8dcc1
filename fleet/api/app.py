"""The API's paths. Each calls a service; rules are there and not here."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import PlainTextResponse

from fleet.access.service import Actor
from fleet.api import bodies
from fleet.api.answers import device_out, figures, incident_out
from fleet.api.limits import Limits
from fleet.api.metrics import metrics_text
from fleet.api.oversight import mount_oversight
from fleet.api.problems import Problem, handle_problems
from fleet.ratings.figures import Group
from fleet.services import Fleet
from wire.codec import Malformed
from wire.messages import Invitation, Words

MOST_DAYS = 366
_ORDER = re.compile(r"[0-9a-f]{32}")
DESCRIPTION = """What other systems tell Nightwindow and read from it. Send `Authorization: Bearer nw_…` with every request;
keys are made in the console under 用户. Errors are application/problem+json. No request takes personal data: unknown fields
are refused."""


def mount_api(app: FastAPI, fleet: Fleet) -> None:
    """Mount the API at /api/v1, and /healthz and /metrics beside it."""
    app.mount("/api/v1", make_api(fleet))

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, Any]:
        return health(fleet).model_dump()

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> PlainTextResponse:
        if _key_holder(fleet, request) is None:
            return PlainTextResponse("send Authorization: Bearer nw_…\n", status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return PlainTextResponse(metrics_text(fleet), media_type="text/plain; version=0.0.4; charset=utf-8")


def make_api(fleet: Fleet) -> FastAPI:
    """The API as an application of its own, with its OpenAPI document at /openapi.json."""
    api = FastAPI(title="Nightwindow API", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None)
    api.add_middleware(Limits)
    handle_problems(api)
    who = _actor(fleet)
    _services(api, fleet, who)
    _windows(api, fleet, who)
    _ratings(api, fleet, who)
    _operations(api, fleet, who)
    mount_oversight(api, fleet, who)
    return api


def health(fleet: Fleet) -> bodies.Health:
    """Whether the fleet itself works."""
    devices = fleet.watch.devices()
    online = sum(known.seen == "online" for known in devices)
    up = fleet.watch.broker_up
    return bodies.Health(status="ok" if up else "degraded", broker=up, devices=len(devices), online=online)


def _key_holder(fleet: Fleet, request: Request) -> Actor | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return fleet.access.who_has_key(key.strip(), address=request.client.host if request.client else "")


def _actor(fleet: Fleet) -> Callable[[Request], Actor]:
    def who(request: Request) -> Actor:
        actor = _key_holder(fleet, request)
        if actor is None:
            raise Problem(
                401,
                "No valid API key",
                "the request has no Authorization header with a key in use",
                remedy="Send `Authorization: Bearer nw_…`; an admin makes keys in the console under 用户.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return actor

    return who


def _hall(fleet: Fleet, hall: str) -> str:
    """The hall meant: named, or the only one."""
    halls = [each.code for each in fleet.registry.halls()]
    if hall:
        return fleet.registry.hall(hall).code
    if len(halls) != 1:
        raise Problem(
            422,
            "The hall is not named",
            f"there are {len(halls)} halls",
            remedy=f"Send `hall`, one of: {', '.join(halls) or 'none'}",
        )
    return halls[0]


def _services(api: FastAPI, fleet: Fleet, who: Any) -> None:
    @api.post("/services", status_code=201, tags=["services"], summary="A service was given")
    def give(
        body: bodies.ServiceGiven,
        actor: Annotated[Actor, Depends(who)],
        idempotency_key: Annotated[str, Header(max_length=100, description="The same key and body twice is one service")] = "",
    ) -> bodies.ServiceTaken:
        hall = _hall(fleet, body.hall)
        clerk = body.clerk or fleet.control.window_state(hall, body.window).clerk
        evaluators = fleet.control.evaluators(hall, body.window)
        occasion, is_new = fleet.ratings.give_service(
            hall=hall,
            window=body.window,
            clerk=clerk,
            item=body.item_code,
            stage=body.stage,
            actor=actor.name,
            key=idempotency_key,
            request=body.model_dump_json().encode(),
            invited=body.invite and bool(evaluators),
        )
        taken = bodies.ServiceTaken(occasion=occasion.hex(), is_new=is_new, invitation="none")
        if not body.invite or not is_new:
            return taken
        if not evaluators:
            return taken.model_copy(update={"invitation": "no_evaluator"})
        command = _invite(fleet, body, hall, occasion, clerk, evaluators[0], actor)
        return taken.model_copy(update={"invitation": "given", "command": command.hex()})

    _orders(api, fleet, who)


def _orders(api: FastAPI, fleet: Fleet, who: Any) -> None:
    @api.get("/orders/{order}", tags=["services"], summary="The true state of an order")
    def order(order: str, actor: Annotated[Actor, Depends(who)]) -> bodies.OrderOut:
        found = fleet.control.orders.get(bytes.fromhex(order)) if _ORDER.fullmatch(order) else None
        if found is None or found.by != actor.name:
            raise Problem(
                404,
                "Not known",
                "this key has given no order with that id",
                remedy="Use `command` of the answer to POST /services.",
            )
        fields = {
            name: getattr(found, name) for name in ("device", "verb", "state", "detail", "issued_ms", "expires_ms", "changed_ms")
        }
        return bodies.OrderOut(id=order, **fields)


def _item_name(fleet: Fleet, body: bodies.ServiceGiven, hall: str) -> Words | None:
    """The item's name in all languages from the hall's own list; a name that was sent and differs stands alone."""
    known = fleet.items.names(hall).get(body.item_code)
    if known is None or body.item_name not in ("", known.zh):
        return {"zh": body.item_name} if body.item_name else None
    return {"zh": known.zh[:200]} | {code: name[:200] for code, name in (("ko", known.ko), ("en", known.en)) if name}  # type: ignore[return-value]


def _invite(fleet: Fleet, body: bodies.ServiceGiven, hall: str, occasion: bytes, clerk: str, device: str, actor: Actor) -> bytes:
    invitation = Invitation(
        occasion=occasion,
        stage=body.stage,
        item_code=body.item_code,
        item_name=_item_name(fleet, body, hall),
        case_tail=body.case_tail,
        ticket=body.ticket,
        clerk_number=clerk,
        expires_ms=0,  # Set with the order's own end.
    )
    return fleet.control.orders.give(
        device, "invite", by=actor.name, ttl_ms=body.expires_s * 1000, invitation=invitation, address=actor.address
    )


def _windows(api: FastAPI, fleet: Fleet, who: Any) -> None:
    def out(hall: str, number: str) -> bodies.WindowOut:
        window, state = fleet.registry.window(hall, number), fleet.control.window_state(hall, number)
        return bodies.WindowOut(
            hall=hall,
            number=number,
            business=window.business["zh"],
            state=state.state,
            clerk=state.clerk,
            ticket=state.ticket,
            evaluators=fleet.control.evaluators(hall, number),
        )

    @api.get("/windows", tags=["windows"], summary="All windows and what they are doing")
    def windows(actor: Annotated[Actor, Depends(who)], hall: str = "") -> list[bodies.WindowOut]:
        halls = [fleet.registry.hall(hall).code] if hall else [each.code for each in fleet.registry.halls()]
        return [out(each, window.number) for each in halls for window in fleet.registry.windows(each)]

    @api.post("/windows/{number}/state", tags=["windows"], summary="A window serves, pauses or closes")
    def state(number: str, body: bodies.WindowChange, actor: Annotated[Actor, Depends(who)], hall: str = "") -> bodies.WindowOut:
        where = _hall(fleet, hall)
        fleet.control.set_window(where, number, by=actor.name, state=body.state, ticket=body.ticket)
        return out(where, number)

    @api.post("/windows/{number}/clerk", tags=["windows"], summary="A clerk signs in or out")
    def clerk(number: str, body: bodies.ClerkChange, actor: Annotated[Actor, Depends(who)], hall: str = "") -> bodies.WindowOut:
        where = _hall(fleet, hall)
        fleet.control.set_window(where, number, by=actor.name, clerk=body.clerk)
        return out(where, number)


def _span(first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
    """The days asked for, or the last thirty."""
    end = last or today
    start = first or end - timedelta(days=29)
    if not 0 <= (end - start).days < MOST_DAYS:
        raise Problem(
            422,
            "The days are not a span",
            f"from {start} to {end}",
            limit=f"{MOST_DAYS} days",
            remedy="Send `from` before `to`, a year at most.",
        )
    return start, end


def _ratings(api: FastAPI, fleet: Fleet, who: Any) -> None:
    @api.get("/ratings", tags=["ratings"], summary="Rating figures, in total or by one dimension")
    def ratings(
        actor: Annotated[Actor, Depends(who)],
        first: Annotated[date | None, Query(alias="from", description="First day; 29 days before `to` when left out")] = None,
        last: Annotated[date | None, Query(alias="to", description="Last day; figures end yesterday at the latest")] = None,
        by: Literal["total", "window", "clerk", "item", "hour", "day", "stage", "channel"] = "total",
        hall: str = "",
    ) -> list[bodies.Figures]:
        code = fleet.registry.hall(hall).code if hall else ""
        start, end = _span(first, last, today=fleet.ratings.today(code))
        if not actor.may("supervise"):
            # A clerk's own system has a key and may ask every second: today's figures would tell what was pressed just now.
            end = min(end, fleet.ratings.today(code) - timedelta(days=1))
        if by == "total":
            is_any = start <= end
            total = fleet.ratings.total(start, end, hall=code, supervised=actor.may("supervise"))
            days = (str(start), str(end)) if is_any else (None, None)
            return [figures(Group(value="", tally=total, first=days[0], last=days[1], hall=code))]
        return [figures(group) for group in fleet.ratings.by(by, start, end, hall=code, supervised=actor.may("supervise"))]

    @api.get("/receipts/{code}", tags=["ratings"], summary="Was the rating behind this receipt counted?")
    def receipt(code: str, actor: Annotated[Actor, Depends(who)]) -> bodies.ReceiptOut:
        try:
            found = fleet.ratings.receipt(code)
        except Malformed as error:
            raise Problem(422, "Not a receipt code", str(error), remedy="Compare it with the paper.") from error
        if found is None:
            raise Problem(
                404,
                "Not known",
                f"no rating with receipt {code[:20]} has arrived",
                remedy="Ask again when the device has been online.",
            )
        return bodies.ReceiptOut(**found)


def _operations(api: FastAPI, fleet: Fleet, who: Any) -> None:
    @api.get("/devices", tags=["operations"], summary="All devices as known now")
    def devices(actor: Annotated[Actor, Depends(who)], hall: str = "") -> list[bodies.DeviceOut]:
        return [device_out(known) for known in fleet.watch.devices() if hall in ("", known.hall)]

    @api.get("/devices/{name}", tags=["operations"], summary="One device as known now")
    def device(name: str, actor: Annotated[Actor, Depends(who)]) -> bodies.DeviceOut:
        known = fleet.watch.device(name)
        if known is None:
            raise Problem(404, "Not known", f"no device {name[:40]!r} is placed", remedy="See GET /api/v1/devices.")
        return device_out(known)

    @api.get("/incidents", tags=["operations"], summary="Open incidents, worst first")
    def incidents(
        actor: Annotated[Actor, Depends(who)],
        state: Literal["open", "closed"] = "open",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[bodies.IncidentOut]:
        found = fleet.watch.incidents.list(is_open=state == "open", limit=limit)
        return [incident_out(each) for each in found]

    @api.get("/health", tags=["operations"], summary="Whether the fleet itself works")
    def healthy(actor: Annotated[Actor, Depends(who)]) -> bodies.Health:
        return health(fleet)
