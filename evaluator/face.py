"""The running evaluator: flow, screen, hardware, journal and agent joined. Built by `evaluator.app`, lives until it is stopped."""

import time
from datetime import datetime
from pathlib import Path

import structlog

from evaluator import screens
from evaluator.agent import AgentTalk, is_offline, parts
from evaluator.callstaff import CallStaff
from evaluator.evidence import Evidence
from evaluator.flow import tags
from evaluator.flow.clerk import ClerkLine
from evaluator.flow.desk import Desk
from evaluator.flow.scene import Scene, Signs, Starting
from evaluator.hardware import Hardware
from evaluator.onscreen import OnScreen
from evaluator.panel import panel_of, times_of
from evaluator.seat import keep, kept
from evaluator.shown import LOCALE, TAGS_FILE
from evaluator.voice import voice_and_keys
from hal.api import PowerChanged
from hal.config import HalConfig
from hal.gauges import gauges
from runtime.clock import SystemClock, is_set
from runtime.config import DeviceConfig, with_overrides
from runtime.facelink import FaceLink
from runtime.helpline import HelpLine
from runtime.identity import Identity
from runtime.journal import NEAR_END_SHARE, Journal
from runtime.local import FaceState
from runtime.outage import PowerWatch
from ui import rules, timers
from ui.bridge import Bridge
from ui.language import words
from ui.outline import OutlineServer
from ui.pulse import Pulse
from ui.stage import Stage
from ui.theme import theme
from ui.tokens import is_night

log = structlog.get_logger("evaluator.face")

TICK_S = 0.25
"""How often time passes for the flow while a rating is open; otherwise once a second."""
STORAGE_EVERY_S = 20.0


class FlowClock:
    """The flow's two times, from the journal's clock, which the fleet may have repaired."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock

    def mono_s(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """UTC milliseconds."""
        return self._clock.now().wall_ms


class EvaluatorFace:
    """Everything of one evaluator. Made on the Kivy thread; `stage` is the root widget and shows the first scene at once.

    `start` opens journal, hardware and the agent's socket after the first frame, so that people see a screen early.
    """

    def __init__(self, config: DeviceConfig, hal_config: HalConfig, *, software: str, outline: Path | None = None) -> None:
        self._file_config = self.config = config
        self._hal_config, self._software = hal_config, software
        self.device_clock = SystemClock()
        """One clock for journal, screen and socket: what the fleet repairs has to reach the entries."""
        self.bridge = Bridge()
        words.load([LOCALE], cache=config.data_path / "cache")
        rules.load_widgets()
        screens.load()
        theme.use(panel_of(config), kind="desk")
        words.use(config.language)
        self.stage = Stage()
        self._outline = OutlineServer(outline, self.stage, self.bridge) if outline else None
        self._desk: Desk | None = None
        self._first_frame_s = 0.0
        self._evidence_free = 1.0
        self._screen = OnScreen(self.stage, Starting(Signs(), config.language, "standard"), now=self._now)
        self._minute()
        self._screen.begin()

    @property
    def desk(self) -> Desk:
        """The flow; there from `start` on."""
        assert self._desk is not None
        return self._desk

    def start(self, identity: Identity, journal: Journal) -> None:
        """Join journal, hardware and agent, and begin. The journal is owned from here on."""
        self.evidence = Evidence(journal, seal_key=self._seal_key, post=self.bridge.post)
        if closed := self.evidence.recover():
            log.warning("a cut left ratings open; they were closed", closed=closed)
        self.evidence.start()
        self._join_hardware()
        self.link = self._agent_link(identity.device)
        tag_set = tags.load(TAGS_FILE)
        flow_clock = FlowClock(self.device_clock)
        self._desk = Desk(
            book=self.evidence,
            clock=flow_clock,
            signals=self.hardware,
            tags=tag_set,
            times=times_of(self.config),
            device=identity.device,
            language=self.config.language,
            on_scene=self._screen.show,
        )
        self._clerks = self._clerk_line(flow_clock)
        self._spoken = voice_and_keys(self.desk, self.hardware)
        self.help = HelpLine(self.link, post=self.bridge.post, now_ms=flow_clock.wall_ms, later=timers.after)
        self._call_staff = CallStaff(self.help, lamp=self.hardware.call_lamp, later=timers.after)
        self._screen.join(self.desk, tag_set, changed=self._scene_changed)
        self._ticking = timers.every(1.0, self._tick)
        self.take_view()
        self.hardware.start(self.desk, self._clerks, self._call_staff.press)
        self.link.start()
        Pulse(self.link.beat)
        timers.every(STORAGE_EVERY_S, self._measure_storage)
        self._measure_storage()
        self._take_health()

    def _join_hardware(self) -> None:
        self.hardware = Hardware(
            self._hal_config, post=self.bridge.post, on_health=self._take_health, recorded=self.evidence.boxes.knows,
            on_power=self._take_power, state_dir=self.config.data_path / "hal",
        )  # fmt: skip
        self._power = PowerWatch(
            self.hardware.upses, self.evidence, later=timers.after, on_stage=lambda: self.desk.outage(self._power.stage)
        )

    def _agent_link(self, device: str) -> FaceLink:
        talk = AgentTalk(self)
        return FaceLink(
            self.config.socket_path, data_dir=self.config.data_path, role="evaluator", software=self._software, device=device,
            clock=self.device_clock, on_message=lambda message: self.bridge.post(lambda: talk.take(message)),
        )  # fmt: skip

    def _clerk_line(self, clock: FlowClock) -> ClerkLine:
        """The clerks' PCs, and who signed in there before the last restart."""
        path = self.config.data_path / "seat.json"
        if (seat := kept(path, now_ms=clock.wall_ms())) is not None:
            self.desk.sit(seat)
        return ClerkLine(
            desk=self.desk,
            clock=clock,
            line=self.hardware,
            occasion_s=lambda: times_of(self.config).whole_s,
            keep=lambda seat: keep(path, seat, now_ms=clock.wall_ms()),
        )

    def stop(self) -> None:
        """Close an open rating with what stands, then let hardware, agent and journal go."""
        if self._desk is None:
            return
        self.desk.stop()
        self._call_staff.end()
        self.evidence.stop()
        self.hardware.close()
        self.link.stop()
        if self._outline:
            self._outline.close()

    def drawn(self, first_frame_s: float) -> None:
        """Remember how long the first frame took, for the fleet's charts."""
        self._first_frame_s = round(first_frame_s, 2)

    def _seal_key(self) -> bytes | None:
        desired = self.link.view.desired
        return desired.seal_key if desired is not None else None

    # What comes in

    def take_view(self) -> None:
        """The agent's view changed: pairing, place, window, settings, what is archived."""
        view = self.link.view
        if view.desired is not None:
            self.config, mistakes = with_overrides(self._file_config, view.desired.settings)
            for mistake in mistakes:
                log.warning("the fleet set something impossible", mistake=mistake)
            self.desk.settle(times=times_of(self.config), language=self.config.language)
            self.evidence.note_placement(view.desired.placement)
        self.desk.clock_unsure(self._now() is None)
        self.desk.view(
            pairing=view.pairing,
            code=view.pairing_code,
            offline=is_offline(view),
            desired=view.desired,
            can_seal=view.desired is not None,
        )
        self._clerks.refresh()
        if view.archived:
            self.evidence.prune([(each.journal_id, each.through_seq) for each in view.archived])
            self._measure_storage()
        self._screen.minute()

    def _take_health(self) -> None:
        self.desk.hardware(buttons_down=self.hardware.buttons_down)
        self._report()

    def _take_power(self, event: PowerChanged) -> None:
        self._power.take(event.state, charge=event.charge, runtime_s=event.runtime_s)

    def _measure_storage(self) -> None:
        def measured(free_share: float) -> None:
            self._evidence_free = free_share
            self.desk.storage(nearly_full=free_share < NEAR_END_SHARE)
            self._report()

        self.evidence.measure(measured)

    def _report(self) -> None:
        self.link.report(
            FaceState(
                screen=self.desk.scene.name,
                parts=parts(self.hardware.health()),
                levels=({"first_frame_s": self._first_frame_s} if self._first_frame_s else {}) | gauges(self.hardware.hal),
                evidence_free=round(self._evidence_free, 2),
            )
        )

    # Time and what is shown

    def _tick(self) -> None:
        self.desk.tick()
        self._clerks.refresh()

    def _pace(self, *, rating: bool) -> None:
        self.stage.attentive = rating
        wanted = TICK_S if rating else 1.0
        if self._ticking.seconds != wanted:
            self._ticking.stop()
            self._ticking = timers.every(wanted, self._tick)

    def _scene_changed(self, scene: Scene) -> None:
        self._spoken.shown(scene)
        self._pace(rating=self.desk.is_rating)
        # Behind what this frame does; a screen that was never shown takes some frames more to find its layout.
        timers.after(0, self._report)

    def _minute(self) -> None:
        now = self._now()
        panel = self.config.panel
        night = now is not None and is_night(now.hour, day_from=panel.day_from, night_from=panel.night_from)
        if theme.night != night:
            theme.use(night=night)
        if self._desk is not None:
            self.hardware.dim(night)
        self._screen.minute()
        timers.after(60.02 - self.device_clock.now().wall_ms % 60_000 / 1000, self._minute)

    def _now(self) -> datetime | None:
        """Local time; None while the clock was never set: a wrong time is worse than none."""
        wall_ms = self.device_clock.now().wall_ms
        return datetime.fromtimestamp(wall_ms / 1000).astimezone() if is_set(wall_ms) else None
