"""The agent's slow work with the door, each in a thread of its own: pairing, renewing the certificate, fetching content."""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import structlog

from pack.reader import open_pack
from runtime import credentials
from runtime.clock import Clock
from runtime.config import DeviceConfig
from runtime.door import ContentRefused, Door, DoorError, Pairing, fetch_content
from runtime.identity import Identity, IdentityError
from wire.codec import WireError
from wire.entry import SYNCED
from wire.messages import ContentRef
from wire.pairing import Welcome

log = structlog.get_logger("runtime.enrolment")

POLL_S = 3.0
RENEW_PAUSE_S = 6 * 3600.0
"""After a renewal the next one is not looked for sooner: a clock that is years ahead would find every certificate due."""


class PairingNews(NamedTuple):
    """How pairing stands. `code` is to be shown while waiting."""

    state: Literal["unreachable", "waiting", "refused", "expired"]
    code: str
    expires_ms: int
    detail: str


class Paired(NamedTuple):
    """Approved; the welcome is on the disk."""

    welcome: Welcome


class Renewed(NamedTuple):
    """A new certificate is on the disk."""

    welcome: Welcome


class RenewFailed(NamedTuple):
    """The certificate is due and could not be renewed yet."""

    detail: str


class ContentReady(NamedTuple):
    """A pack was fetched, verified and opened."""

    ref: ContentRef
    path: Path


class ContentFailed(NamedTuple):
    """A pack is not there, and why; `reason` is a message id."""

    ref: ContentRef
    reason: str
    detail: str


EnrolmentEvent = PairingNews | Paired | Renewed | RenewFailed | ContentReady | ContentFailed


def pair(
    door: Door,
    identity: Identity,
    *,
    role: Literal["terminal", "evaluator"],
    software: str,
    model: str,
    on_event: Callable[[EnrolmentEvent], None],
    stop: threading.Event,
    poll_s: float = POLL_S,
    backoff_max_s: float = 60.0,
) -> None:
    """Offer this device to the fleet until somebody approves it. Returns when paired or stopped."""
    failures = 0
    while not stop.is_set():
        attempt = Pairing(door, identity, role=role, software=software, model=model)
        try:
            state = attempt.begin()
            while state == "waiting":
                failures = 0
                on_event(PairingNews("waiting", attempt.code, attempt.expires_ms, ""))
                if stop.wait(poll_s * random.uniform(0.8, 1.2)):
                    return
                state = attempt.poll()
            if state == "approved" and attempt.welcome is not None:
                credentials.save_welcome(attempt.welcome, identity)
                on_event(Paired(attempt.welcome))
                return
            on_event(PairingNews("refused" if state == "refused" else "expired", "", 0, ""))
        except (DoorError, WireError, OSError) as error:
            on_event(PairingNews("unreachable", "", 0, str(error)[:200]))
        failures += 1
        stop.wait(random.uniform(1.0, min(backoff_max_s, 2.0 * 2 ** min(failures, 8))))


def start_pairing(
    config: DeviceConfig,
    identity: Identity,
    *,
    clock: Clock,
    software: str,
    on_event: Callable[[EnrolmentEvent], None],
    stop: threading.Event,
) -> None:
    """`pair` with the configured fleet, in a thread of its own."""
    door = Door(config.fleet.url, clock=clock)
    arguments = {"role": config.role, "software": software, "model": config.model, "on_event": on_event, "stop": stop}
    arguments["backoff_max_s"] = config.agent.backoff_max_s
    threading.Thread(target=pair, args=(door, identity), kwargs=arguments, name="pairing", daemon=True).start()


def start_renewing(
    door: Door,
    identity: Identity,
    welcome: Welcome,
    *,
    clock: Clock,
    on_event: Callable[[EnrolmentEvent], None],
    stop: threading.Event,
) -> None:
    """`keep_certificate_fresh` in a thread of its own."""
    arguments = {"clock": clock, "on_event": on_event, "stop": stop}
    places = (door, identity, welcome)
    threading.Thread(target=keep_certificate_fresh, args=places, kwargs=arguments, name="renewal", daemon=True).start()


def keep_certificate_fresh(
    door: Door,
    identity: Identity,
    welcome: Welcome,
    *,
    clock: Clock,
    on_event: Callable[[EnrolmentEvent], None],
    stop: threading.Event,
    look_every_s: float = 60.0,
    pause_s: float = RENEW_PAUSE_S,
) -> None:
    """Renew the certificate when its last third has begun and the time is known. Returns when stopped."""
    retry_s = look_every_s
    while not stop.wait(retry_s):
        now = clock.now()
        retry_s = look_every_s
        if now.trust != SYNCED or not credentials.renewal_is_due(credentials.certificate_of(welcome), now.wall_ms):
            continue
        try:
            welcome = door.renew(identity, welcome)
            credentials.save_welcome(welcome, identity)
            on_event(Renewed(welcome))
            retry_s = pause_s
        except (DoorError, WireError, OSError, IdentityError) as error:
            on_event(RenewFailed(str(error)[:200]))
            retry_s = random.uniform(0.5, 1.0) * max(look_every_s, 3_600.0)


class ContentKeeper:
    """Fetches the pack that is wanted, one at a time, trying again by itself. `on_event` is called in its thread."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        on_event: Callable[[EnrolmentEvent], None],
        open_check: Callable[[Path, bytes], None] | None = None,
        retry_s: tuple[float, float] = (20.0, 120.0),
    ) -> None:
        self._directory, self._clock, self._on_event = directory, clock, on_event
        self._open_check = open_check or _opens
        self._retry_s = retry_s
        self._wanted: tuple[ContentRef, Welcome] | None = None
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="content", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def want(self, ref: ContentRef, welcome: Welcome) -> None:
        """Fetch this pack now; a former wish is given up."""
        self._wanted = (ref, welcome)
        self._wake.set()

    def stop(self) -> None:
        """End soon; a fetch under way is given up."""
        self._stop.set()
        self._wake.set()

    def _run(self) -> None:
        again_s: float | None = None
        while not self._stop.is_set():
            self._wake.wait(again_s)
            self._wake.clear()
            wanted = self._wanted
            if wanted is not None and not self._stop.is_set():
                again_s = None if self._fetch(*wanted) else random.uniform(*self._retry_s)

    def _fetch(self, ref: ContentRef, welcome: Welcome) -> bool:
        try:
            door = Door(welcome.content_url, clock=self._clock)
            path = fetch_content(
                ref,
                self._directory,
                door=door,
                cas=welcome.ca_certificates,
                open_pack=lambda pack: self._open_check(pack, welcome.fleet_key),
                is_stopped=lambda: self._stop.is_set() or self._wanted != (ref, welcome),
            )
        except (ContentRefused, OSError) as error:
            reason = error.reason if isinstance(error, ContentRefused) else "content.not_fetched"
            self._on_event(ContentFailed(ref, reason, str(error)[:200]))
            return False
        self._on_event(ContentReady(ref, path))
        return True


def _opens(path: Path, fleet_key: bytes) -> None:
    open_pack(path, verify_key=fleet_key).close()
