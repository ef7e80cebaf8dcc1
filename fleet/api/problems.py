"""Errors of the API as application/problem+json (RFC 9457): what was wrong, which limit, what to do."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fleet.access.errors import Explained
from fleet.ratings.service import Conflict
from fleet.registry.records import NotKnown, RegistryError

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error. `remedy` says what the caller should do, `limit` the limit that was passed, if one was."""

    def __init__(
        self, status: int, title: str, detail: str, *, remedy: str = "", limit: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        if limit:
            self.body["limit"] = limit
        if remedy:
            self.body["remedy"] = remedy
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer."""
        return JSONResponse(self.body, status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers)


async def _problem(_request: Request, error: Problem) -> JSONResponse:
    return error.response()


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [{"field": ".".join(str(part) for part in each["loc"][1:]), "fault": each["msg"]} for each in error.errors()[:20]]
    unknown = any(each["type"] == "extra_forbidden" for each in error.errors())
    remedy = (
        "Send only the fields that the OpenAPI document lists; personal data is never taken."
        if unknown
        else "Correct the fields that `faults` names."
    )
    made = Problem(422, "The request is not valid", f"{len(error.errors())} field(s) are wrong", remedy=remedy)
    made.body["faults"] = faults
    return made.response()


async def _not_known(_request: Request, error: NotKnown) -> JSONResponse:
    return Problem(
        404, "Not known", str(error), remedy="Check the number against GET /api/v1/windows and /api/v1/devices."
    ).response()


async def _conflict(_request: Request, error: Conflict) -> JSONResponse:
    return Problem(409, "Idempotency-Key used before", str(error), remedy="Use a new key for a new service.").response()


async def _explained(_request: Request, error: Explained) -> JSONResponse:
    return Problem(409, "Refused", error.en).response()


async def _refused(_request: Request, error: RegistryError) -> JSONResponse:
    return Problem(409, "Refused", str(error)).response()


async def _http(_request: Request, error: HTTPException) -> JSONResponse:
    remedy = {
        400: "Send one JSON object as the OpenAPI document describes it.",
        404: "See the paths in /api/v1/openapi.json.",
        405: "Use the method the OpenAPI document gives.",
    }.get(error.status_code, "")
    return Problem(error.status_code, str(error.detail), str(error.detail), remedy=remedy, headers=error.headers).response()


_HANDLERS: dict[type[Exception], Any] = {
    Problem: _problem,
    RequestValidationError: _invalid,
    NotKnown: _not_known,
    Conflict: _conflict,
    Explained: _explained,
    RegistryError: _refused,
    HTTPException: _http,
}


def handle_problems(api: FastAPI) -> None:
    """Turn everything that can go wrong with a request into a problem."""
    for kind, handler in _HANDLERS.items():
        api.add_exception_handler(kind, handler)
