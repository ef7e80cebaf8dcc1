"""`/ledger`: the public ledger for people and programs, without a key: heads, proofs, cells, dumps, verifier, cosignatures."""

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from jinja2 import Environment, FunctionLoader, select_autoescape

from fleet.access.limits import Limiter
from fleet.public.ledger_words import LEVELS, WORDS
from fleet.ratings.ledger.dump import dump_lines
from fleet.ratings.ledger.log import LedgerError
from fleet.ratings.ledger.service import Ledger, as_json
from fleet.services import Fleet
from wire.codec import WireError

SHOWN_MONTHS = 24
MOST_COSIGNATURE_BYTES = 4_096
_MONTH = re.compile(r"\d{4}-\d{2}")
_pages = Environment(
    loader=FunctionLoader(lambda name: (files("fleet.public") / name).read_text(encoding="utf-8")),
    autoescape=select_autoescape(),
    trim_blocks=True,
)


class _Fault(Exception):
    """What an answer that is not 200 says."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def mount_ledger(app: FastAPI, fleet: Fleet) -> None:
    """Add page and paths; a caller may ask 120 times a minute."""
    ledger, limiter = fleet.ledger, Limiter(per_minute=120, burst=60)

    def answered(request: Request, answer: Callable[[], Response]) -> Response:
        if limiter.wait_s(request.client.host if request.client else ""):
            return _problem(429, "too many requests; try again in a minute")
        try:
            return answer()
        except _Fault as fault:
            return _problem(fault.status, str(fault))
        except (LedgerError, WireError) as error:
            return _problem(422, str(error))

    @app.get("/ledger", include_in_schema=False)
    def page(request: Request, lang: str = "zh") -> Response:
        return answered(request, lambda: HTMLResponse(_page(fleet, lang if lang in WORDS else "zh")))

    @app.get("/ledger/checkpoint", include_in_schema=False)
    def checkpoint(request: Request, size: int | None = None) -> Response:
        return answered(request, lambda: PlainTextResponse(_head(ledger, size).note))

    @app.get("/ledger/proof", include_in_schema=False)
    def proof(request: Request, code: str = "", position: int | None = None) -> Response:
        return answered(request, lambda: JSONResponse(_proofs(ledger, code[:40], position)))

    @app.get("/ledger/consistency", include_in_schema=False)
    def consistency(request: Request, first: int, second: int) -> Response:
        return answered(
            request,
            lambda: JSONResponse(
                {"first": first, "second": second, "proof": [step.hex() for step in ledger.consistency(first, second)]}
            ),
        )

    @app.post("/ledger/cosignature", include_in_schema=False)
    async def cosignature(request: Request, size: int) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_COSIGNATURE_BYTES:
                return _problem(413, f"a cosignature line has at most {MOST_COSIGNATURE_BYTES} bytes")
        line = body.decode("utf-8", "replace")
        return answered(request, lambda: JSONResponse({"taken": ledger.take_cosignature(size, line)}))

    _mount_files(app, ledger, answered)


def _mount_files(app: FastAPI, ledger: Ledger, answered: Callable[[Request, Callable[[], Response]], Response]) -> None:
    @app.get("/ledger/tile/{level}/{number}", include_in_schema=False)
    def tile(request: Request, level: int, number: int) -> Response:
        def answer() -> Response:
            found = ledger.tile(level, number) if 0 <= level < 8 and 0 <= number < 2**62 else None
            if found is None:
                raise _Fault(404, "the tree has no such tile")
            return Response(found, media_type="application/octet-stream")

        return answered(request, answer)

    @app.get("/ledger/cells/{month}", include_in_schema=False)
    def cells(request: Request, month: str) -> Response:
        def answer() -> Response:
            return Response(_statement(ledger, month), media_type="application/json")

        return answered(request, answer)

    @app.get("/ledger/dump/{month}", include_in_schema=False)
    def dump(request: Request, month: str) -> Response:
        def answer() -> Response:
            _statement(ledger, month)
            name = {"Content-Disposition": f'attachment; filename="ledger-{month}.txt"'}
            return StreamingResponse(dump_lines(ledger, month), media_type="text/plain; charset=utf-8", headers=name)

        return answered(request, answer)

    @app.get("/ledger/verifier", include_in_schema=False)
    def verifier(request: Request) -> Response:
        text = (files("fleet.ratings.ledger") / "ledger_verify.py").read_text(encoding="utf-8")
        name = {"Content-Disposition": 'attachment; filename="ledger_verify.py"'}
        return answered(request, lambda: PlainTextResponse(text, headers=name))


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"title": "Refused", "status": status, "detail": detail}, status, media_type="application/problem+json")


def _head(ledger: Ledger, size: int | None = None) -> Any:
    head = ledger.head(size) if size is None or 0 <= size < 2**62 else None
    if head is None:
        raise _Fault(404, "the ledger has no head of that size (yet); a day's head is signed in the night after it")
    return head


def _statement(ledger: Ledger, month: str) -> bytes:
    found = ledger.statement(month) if _MONTH.fullmatch(month) else None
    if found is None:
        raise _Fault(404, "that month is not published; a month is published after its last day, written as 2026-11")
    return found


def _proofs(ledger: Ledger, code: str, position: int | None) -> list[dict[str, Any]]:
    """The proofs asked for: of a receipt's entries, or of a position."""
    if position is not None:
        at = ledger.proof(position) if 0 <= position < 2**62 else None
        found = [at] if at else []
    else:
        found = ledger.receipt(code)
    if not found:
        raise _Fault(404, "the ledger has no such entry; ratings enter it in the night after they arrive")
    return [as_json(each) for each in found]


def _page(fleet: Fleet, lang: str) -> str:
    halls = {hall.code: hall.title.get(lang) or hall.title["zh"] for hall in fleet.registry.halls()}
    months = fleet.ledger.months()
    return _pages.get_template("ledger.html").render(
        say=WORDS[lang],
        lang=lang,
        html_lang="zh-CN" if lang == "zh" else lang,
        head=fleet.ledger.head(),
        key=fleet.ledger.verifier_key,
        month=_month(fleet.ledger, months[0], halls, lang) if months else None,
        months=months[:SHOWN_MONTHS],
        levels=[(str(level), words[lang]) for level, words in LEVELS.items()],
    )


def _month(ledger: Ledger, month: str, halls: dict[str, str], lang: str) -> dict[str, Any]:
    statement = json.loads(_statement(ledger, month))
    for cell in statement["cells"]:
        cell["name"] = _name(cell, halls, lang)
    apart = statement["apart"]
    rows = [*statement["cells"], *([apart | {"name": WORDS[lang]["apart"]}] if apart else [])]
    excluded = sum(each["good"] + each["negative"] for each in statement["exclusions"])
    return statement | {"rows": rows, "carried": len(statement["carried"]), "excluded": excluded}


def _name(cell: dict[str, Any], halls: dict[str, str], lang: str) -> str:
    if cell["kind"] == "county":
        return str(WORDS[lang]["county"])
    hall = halls.get(cell["places"][0][0], cell["places"][0][0])
    if cell["kind"] == "hall":
        return f"{hall} · {WORDS[lang]['small']}"
    return f"{hall} {cell['places'][0][1]}"
