"""Limits of the API before anything is read: bytes of a request, requests a minute."""

from typing import Any

from fleet.access.limits import Limiter
from fleet.api.problems import Problem

MAX_BODY_BYTES = 16_384
PER_MINUTE = 600
BURST = 120


class Limits:
    """ASGI middleware. Counts requests by the key that is presented, else by address; reads no more than the limit."""

    def __init__(self, app: Any, *, limiter: Limiter | None = None) -> None:
        self._app = app
        self._limiter = limiter or Limiter(per_minute=PER_MINUTE, burst=BURST)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on, or answer with 413 or 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        caller = headers.get(b"authorization", b"").decode("latin-1")[:20] or (scope.get("client") or ("",))[0]
        if wait := self._limiter.wait_s(caller):
            seconds = int(wait) + 1
            await _too_many(seconds).response()(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > MAX_BODY_BYTES:
                await _too_large().response()(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        sent = False

        async def replay() -> dict[str, Any]:
            nonlocal sent
            if sent:
                return await receive()  # type: ignore[no-any-return]
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


def _too_many(seconds: int) -> Problem:
    return Problem(
        429,
        "Too many requests",
        f"more than {PER_MINUTE} requests a minute",
        limit=f"{PER_MINUTE} a minute, {BURST} at once",
        remedy=f"Wait {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _too_large() -> Problem:
    return Problem(
        413,
        "The request is too large",
        f"more than {MAX_BODY_BYTES} bytes",
        limit=f"{MAX_BODY_BYTES} bytes",
        remedy="Send one service or state at a time.",
    )
