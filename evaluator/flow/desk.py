"""The whole evaluator as one machine: what comes from clerk, citizen, agent and clock goes in, one scene comes out."""

import math
import secrets
from collections.abc import Callable

from evaluator.flow.admission import Admission, Reply, Trouble
from evaluator.flow.occasion import Occasion, Times, settle
from evaluator.flow.ports import Book, Clock, Kept, Seat, Signals, Via
from evaluator.flow.rating_scene import rating_scene
from evaluator.flow.scene import Idle, Pairing, Scene, Signs, Starting, Unpaired
from evaluator.flow.seating import Seating
from evaluator.flow.tags import TagSet
from evaluator.flow.uninvited import Uninvited
from runtime.outage import Stage
from wire.kinds import Language, Profile
from wire.messages import Desired, Invitation, WindowCard

LATE_S = 10.0
"""A press that a button box made longer ago than this answers no question of now."""
IDENTIFY_S = 10.0


class Desk:
    """Call its methods on one thread. `on_scene` is called whenever what is shown changes, `on_idle` when a rating is over."""

    def __init__(
        self,
        *,
        book: Book,
        clock: Clock,
        signals: Signals,
        tags: TagSet,
        times: Times,
        device: str,
        language: Language,
        on_scene: Callable[[Scene], object],
    ) -> None:
        self._book, self._clock, self._signals, self._tags = book, clock, signals, tags
        self.times, self._device, self._home_language, self._on_scene = times, device, language, on_scene
        self._language: Language = language
        self._profile: Profile = "standard"
        self._signs = Signs()
        self._pairing: Pairing = "none"
        self._pairing_code = ""
        self._desired: Desired | None = None
        self._admission = Admission()
        self._occasion: Occasion | None = None
        self._seating = Seating()
        self._uninvited = Uninvited(book=book, clock=clock, like=lambda: (self._language, self._profile))
        self._identify_until = -math.inf
        self.scene: Scene = Starting(self._signs, language, "standard")

    # From the agent

    def view(self, *, pairing: Pairing, code: str, offline: bool, desired: Desired | None, can_seal: bool) -> None:
        """What the agent knows now. `can_seal`: the fleet's key is there, without which no level may be recorded."""
        self._admission.known, self._admission.can_seal = True, can_seal
        self._pairing, self._pairing_code, self._desired = pairing, code, desired
        self._seating.fleet_says(desired.window if desired else None)
        self._sign(offline=offline)

    def settle(self, *, times: Times, language: Language) -> None:
        """Take over settings of the fleet, from the next rating on."""
        self.times, self._home_language = times, language
        if self._occasion is None:
            self._language = language
        self.refresh()

    def hardware(self, *, buttons_down: bool) -> None:
        """Whether the five buttons are out of order; touching works all the same."""
        self._sign(buttons_down=buttons_down)

    def clock_unsure(self, unsure: bool) -> None:
        """Whether the time may be wrong; then it is not shown."""
        self._sign(clock_unsure=unsure)

    def storage(self, *, nearly_full: bool) -> None:
        """Whether the evidence budget nears its end: then nobody is asked, rather than losing what was pressed."""
        self._admission.full = nearly_full
        self.refresh()

    def outage(self, stage: Stage) -> None:
        """What to do about a power cut (runtime.outage): nobody new is asked in time, and at the end what stands is kept."""
        self._admission.resting = stage in ("resting", "ending")
        if stage == "ending":
            self.stop()
        self._sign(on_battery=stage != "none")

    def identify(self) -> None:
        """Show for some seconds which device this is."""
        self._identify_until = self._clock.mono_s() + IDENTIFY_S
        self.refresh()

    def _sign(self, **changes: bool) -> None:
        self._signs = Signs(**({**self._signs.__dict__} | changes))
        self.refresh()

    # From the clerk's side

    def sit(self, seat: Seat) -> None:
        """A clerk at this window says who sits here and whether it serves; it holds until the fleet says something newer."""
        self._seating.sit(seat)
        self.refresh()

    @property
    def card(self) -> WindowCard | None:
        """What is shown of the window: as the fleet says it, with what a clerk said here."""
        return self._seating.card

    @property
    def trouble(self) -> Trouble:
        """Why nobody can be asked now."""
        return self._admission.trouble

    def invite(self, invitation: Invitation, done: Callable[[Reply], object]) -> None:
        """Ask for a rating of this service; `done` is called once the question is recorded and on the screen, or refused."""
        if refusal := self._admission.refusal(invitation, now_ms=self._clock.wall_ms()):
            done(refusal)
            return
        current = self._occasion
        if current is not None and current.invitation.occasion == invitation.occasion:
            done(Reply("done"))
            return
        if current is not None:
            # The clerk has gone on: what was pressed stands, and an unanswered question is 未评价.
            current.finish("left")
            self._forget(current)

        def recorded(reason: str | None) -> None:
            if reason is not None:
                done(Reply("failed", reason))
                return
            self._ask(invitation)
            done(Reply("done"))

        self._book.invited(invitation, recorded)

    def _ask(self, invitation: Invitation) -> None:
        if self._occasion is not None:
            # A second invitation was recorded while the first still waited for the disk.
            self._occasion.finish("left")
            self._forget(self._occasion)
        self._uninvited.forget()
        self._language, self._profile = self._home_language, "standard"
        self._occasion = Occasion(
            rating=secrets.token_bytes(16),
            invitation=invitation,
            book=self._book,
            clock=self._clock,
            times=self.times,
            changed=self.refresh,
            language=self._language,
            tag_set=self._tags.version,
        )
        self._signals.inviting()
        self.refresh()

    def withdraw(self, occasion: bytes | None) -> Reply:
        """Take back the question (of this occasion, or any). A rating already pressed stays, which the reply says."""
        current = self._occasion
        if current is None or (occasion is not None and current.invitation.occasion != occasion):
            return Reply("done", "rating.nothing_to_withdraw")
        if current.stage != "asked":
            return Reply("refused", "rating.already_given")
        current.finish("withdrawn")
        return Reply("done")

    # From the citizen

    def press(self, level: int, via: Via, kept: Kept | None = None) -> None:
        """One of the five buttons, keys or cards. `kept`: a button box made it, perhaps while nobody listened.

        A press that was made before the question came up, long ago, or nobody knows when, answers nothing that is asked now:
        it is recorded as an uninvited one, with its age, and the screen does not change.
        """
        if kept is not None and not self._is_of_now(kept):
            self._uninvited.late(level, via, kept, record=self._admission.can_record)
            return
        if self._occasion is None:
            self._uninvited.press(level, via, kept, record=self._admission.can_record)
            self.refresh()
            return
        before = self._occasion.stage
        if not self._occasion.press(level, via, kept):
            settle(kept)
        elif before != self._occasion.stage:
            self._signals.noted()

    def _is_of_now(self, kept: Kept) -> bool:
        since_s = self._occasion.asked_at_s if self._occasion is not None else -math.inf
        return kept.at_s is not None and kept.at_s >= max(since_s, self._clock.mono_s() - LATE_S)

    def correct(self) -> None:
        """改一下."""
        if self._occasion is not None:
            self._occasion.correct()

    def keep(self) -> None:
        """Keep the choice after all."""
        if self._occasion is not None:
            self._occasion.keep()

    def toggle(self, tag_id: str) -> None:
        """Choose a reason or take it back."""
        if self._occasion is not None:
            self._occasion.toggle(tag_id)

    def finish(self) -> None:
        """好了: the reasons are complete; on the receipt: it has been read."""
        if self._occasion is not None:
            self._occasion.finish("done")

    def skip(self) -> None:
        """不评价, or no reasons."""
        if self._occasion is not None:
            self._occasion.finish("skip")

    def use_language(self, language: Language) -> None:
        """Another language, until this rating is over."""
        self._language = language
        self._touched()

    def use_profile(self, profile: Profile) -> None:
        """Another profile, until this rating is over."""
        self._profile = profile
        self._touched()

    def _touched(self) -> None:
        if self._occasion is not None:
            self._occasion.language, self._occasion.profile = self._language, self._profile
            self._occasion.here()
        self.refresh()

    # Time and what is shown

    @property
    def is_rating(self) -> bool:
        """Whether somebody is being asked or answers: then no picture of the screen may be taken."""
        return self._occasion is not None

    def tick(self) -> None:
        """Let time pass; call it a few times a second."""
        if self._occasion is not None:
            self._occasion.tick()
        self.refresh()

    def cabinet(self, contact: str, opened: bool) -> None:
        """A contact of the cabinet was opened or closed: on record, and nothing that somebody was about to say stays on the screen.

        What was pressed stands. Ratings go on: the journal's order shows which of them were given to an open device.
        """
        if opened and self._occasion is not None:
            self._occasion.finish("left")
        self._book.cabinet(contact, opened)
        self.refresh()

    def stop(self) -> None:
        """The device is about to end: an open rating is closed with what stands."""
        if self._occasion is not None:
            self._occasion.finish("left")

    def refresh(self) -> None:
        """Work out the scene and tell when it changed."""
        current = self._occasion
        if current is not None and current.stage == "over":
            self._forget(current)
        scene = self._scene()
        if scene != self.scene:
            self.scene = scene
            self._on_scene(scene)

    def _forget(self, occasion: Occasion) -> None:
        self._admission.finished(occasion.invitation.occasion)
        self._occasion = None
        self._language, self._profile = self._home_language, "standard"
        self._signals.quiet()

    def _scene(self) -> Scene:
        shared = (self._signs, self._language, self._profile)
        desired, card = self._desired, self.card
        hall = desired.placement.hall_name if desired else None
        if self._occasion is not None:
            return rating_scene(self._occasion, shared, card=card, hall=hall, tags=self._tags)
        if not self._admission.known:
            return Starting(*shared)
        if desired is None or self._pairing in ("revoked", "refused"):
            return Unpaired(*shared, self._pairing, self._pairing_code, self._device)
        now = self._clock.mono_s()
        return Idle(
            *shared,
            card=card,
            hall=hall,
            notice=desired.notice,
            ratings_paused=self._admission.full,
            uninvited=self._uninvited.is_told,
            identify=self._device if now < self._identify_until else "",
            resting=self._admission.resting,
        )
