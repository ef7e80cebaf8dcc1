"""The door: the HTTPS side that devices see before they have a certificate, and where they fetch content packs.

Everything here comes from strangers: sizes and rates are limited before anything is decoded.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from fleet.access.limits import Limiter
from fleet.registry.pairing import Pairings, TooMany
from fleet.registry.records import NotKnown, RegistryError
from wire.codec import TooLarge, WireError, decode, encode
from wire.custody import Signed
from wire.pairing import Commit, Reveal

T = TypeVar("T")

MAX_REQUEST_BYTES = 16_384
REQUESTS_PER_MINUTE = 600
BURST = 200
MSGPACK = "application/msgpack"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def make_door(pairings: Pairings, *, content: Path, limiter: Limiter | None = None) -> FastAPI:
    """The door's web application. `content` is the folder of pack files, each named by its SHA-256 in hexadecimal.

    Errors have a MessagePack map {"error": text} as body: 400 for what cannot be read, 404, 409 for what contradicts the
    registry, 413 too large, 429 too many (with Retry-After).
    """
    app = FastAPI(title="Nightwindow door", openapi_url=None, docs_url=None, redoc_url=None)
    limits = limiter or Limiter(per_minute=REQUESTS_PER_MINUTE, burst=BURST)

    @app.middleware("http")
    async def limit(request: Request, call_next: Callable[[Request], Any]) -> Response:
        wait_s = limits.wait_s(_peer(request))
        if wait_s:
            return _error(429, f"too many requests; try again in {wait_s:.0f} s", {"Retry-After": str(int(wait_s) + 1)})
        answer: Response = await call_next(request)
        return answer

    @app.post("/pair/commit")
    async def commit(request: Request) -> Response:
        return await _answer(request, Commit, lambda message: encode(pairings.commit(message, peer=_peer(request))))

    @app.post("/pair/reveal")
    @app.post("/pair/state")
    async def reveal(request: Request) -> Response:
        return await _answer(request, Reveal, lambda message: encode(pairings.reveal(message)))

    @app.post("/renew")
    async def renew(request: Request) -> Response:
        return await _answer(request, Signed, lambda message: encode(pairings.renew(message)))

    @app.get("/content/{digest}")
    async def pack(digest: str) -> Response:
        path = content / digest
        if not _SHA256.fullmatch(digest) or not path.is_file():
            return _error(404, f"there is no content {digest[:64]!r}")
        return FileResponse(path, media_type="application/octet-stream")

    return app


async def _answer(request: Request, shape: type[T], work: Callable[[T], bytes]) -> Response:
    """Read a limited body, do the work in a thread, turn every fault of the caller into a clear answer."""
    try:
        message = decode(await _body(request), shape, limit=MAX_REQUEST_BYTES)
        return Response(await run_in_threadpool(work, message), media_type=MSGPACK)
    except TooLarge as error:
        return _error(413, str(error))
    except WireError as error:
        return _error(400, str(error))
    except NotKnown as error:
        return _error(404, str(error))
    except TooMany as error:
        return _error(429, str(error), {"Retry-After": "60"})
    except RegistryError as error:
        return _error(409, str(error))


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_REQUEST_BYTES:
            raise TooLarge(f"the request has more than {MAX_REQUEST_BYTES} bytes, which is the limit")
    return bytes(data)


def _peer(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(encode({"error": text}), status, headers=headers, media_type=MSGPACK)
