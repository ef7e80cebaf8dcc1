"""The running terminal: visit, screen, hardware, journal and agent joined. Built by `terminal.app`, lives until it is stopped."""

from pathlib import Path
from typing import Any

import structlog

from hal.api import ButtonPressed, Event, HeadphonesChanged, KeyPressed, LookEnded, PresenceChanged, Scanned, ScanRefused
from hal.config import HalConfig
from hal.factory import Hal, open_hal
from runtime import clock as device_clock
from runtime.config import DeviceConfig, with_overrides
from runtime.facelink import FaceLink
from runtime.helpline import HelpLine
from runtime.identity import Identity
from runtime.journal import Journal
from runtime.outage import PowerWatch
from terminal.agent import AgentTalk, link_works, parts
from terminal.content import PackContent, codes_of, name_of
from terminal.diary import JournalDiary, new_id
from terminal.ear import Ear, Pad
from terminal.flow.clock import DeviceClock
from terminal.flow.status import Status
from terminal.flow.visit import Visit
from terminal.hardware import Printing, Senses, printer_of, printer_part, reader_of, reader_part
from terminal.lights import Lights
from terminal.nearby import Nearby
from terminal.packs import PackOpener, wanted
from terminal.panel import panel_of, patience_of
from terminal.print.raster import LineDrawer
from terminal.scanning import Scanning
from terminal.screens.frame import TerminalStage
from terminal.sound import Sound
from terminal.wording import LOCALE, Wording
from ui import rules, timers
from ui.bridge import Bridge
from ui.language import words
from ui.outline import OutlineServer
from ui.pulse import Pulse
from ui.speech import Voice
from ui.theme import theme
from ui.tokens import is_night

log = structlog.get_logger("terminal.face")

TICK_S = 1.0
STORAGE_EVERY_S = 20.0


class TerminalFace:
    """Everything of one terminal. Made on the Kivy thread after the window's settings; `stage` is the root widget."""

    def __init__(
        self,
        config: DeviceConfig,
        hal_config: HalConfig,
        *,
        identity: Identity,
        journal: Journal,
        clock: device_clock.Clock,
        software: str,
        outline: Path | None = None,
    ) -> None:
        self._file_config = self.config = config
        self.clock = DeviceClock(clock)
        self.bridge = Bridge()
        self._look(config)
        self.link = FaceLink(
            config.socket_path, data_dir=config.data_path, role="terminal", software=software, device=identity.device,
            clock=clock, on_message=lambda message: self.bridge.post(lambda: self.talk.take(message)),
        )  # fmt: skip
        self.visit = self._visit(hal_config, journal)
        voice, speakers = Voice(next(iter(self._every("speech")), None)), self._every("speaker")
        self.sound = Sound(self.visit, voice=voice, speakers=speakers)
        self.stage = TerminalStage(self.visit, headline=self.sound.headline)
        ear = Ear(voice, speakers, show=self.stage.say_line)
        self.sound.left = ear.next_visitor
        self.pad = Pad(
            self.visit, self.clock, ear, read=self.stage.reading, post=self.bridge.post, fitted=bool(self._every("keypad"))
        )
        self.stage.listen(self.pad.keys)
        self.lights = Lights(self.visit, self.hal.every("light"))
        self.nearby = Nearby(self._every("backlight"))
        self.scanning = Scanning(
            self.visit, self.hal.every("scanner"), self.hal.every("camera"), post=self.bridge.post, wording=self.wording
        )
        self.talk = AgentTalk(self)
        self.packs = PackOpener(
            post=self.bridge.post, now_ms=self._now_ms, came=self._show_content, refused=self.report,
        )  # fmt: skip
        self._started_s = timers.frame_s()
        self.visit.changed = self._changed
        self._ticking = timers.every(TICK_S, self._tick)
        self._ticking.stop()
        self.outline = OutlineServer(outline, self.stage, self.bridge) if outline else None
        self._minute()
        self.take_view()

    def _look(self, config: DeviceConfig) -> None:
        cache = config.data_path / "cache"
        words.load([LOCALE], cache=cache)
        rules.load_widgets()
        from terminal.screens.rules import load_screens

        load_screens()
        theme.use(panel_of(config), kind="kiosk")
        words.use(config.language)
        self.wording = Wording.load(cache)

    def _now_ms(self) -> int:
        return round(self.clock.now().timestamp() * 1000)

    def _visit(self, hal_config: HalConfig, journal: Journal) -> Visit:
        diary = JournalDiary(
            journal, seal_key=self._seal_key, post=self.bridge.post, name_of=lambda subject: name_of(self.visit.content, subject),
            codes_of=lambda subject: codes_of(self.visit.content, subject),
            now_ms=self._now_ms,
        )  # fmt: skip
        self.help = HelpLine(
            self.link, post=self.bridge.post, now_ms=self._now_ms,
            later=timers.after,
        )  # fmt: skip
        senses: list[Senses] = []
        assert words.fonts is not None
        self.hal: Hal = open_hal(
            hal_config,
            on_event=lambda name, event: self._event(senses[0], name, event),
            on_health=lambda name, health: senses[0].health(name, health),
            rasterise=LineDrawer(words.fonts),
            state_dir=self.config.data_path / "hal",
        )
        paper = Printing(
            self.hal, post=self.bridge.post, wording=self.wording, clock=self.clock, content=lambda: self.visit.content
        )
        visit = Visit(
            clock=self.clock, diary=diary, paper=paper, help_port=self.help, new_id=new_id, language=self.config.language,
            help_phone=self.config.phone, patience=patience_of(self.config),
        )  # fmt: skip
        self.power = PowerWatch(self._every("ups"), diary, later=timers.after, on_stage=self.take_status)
        senses.append(Senses(visit, post=self.bridge.post, clock=self.clock, on_health=self.take_status, power=self.power))
        self.diary = diary
        return visit

    def _every(self, kind: str) -> list[Any]:
        """All peripherals of one kind; each keeps the Protocol that hal.registry names for it."""
        return list(self.hal.every(kind))

    def _event(self, senses: Senses, name: str, event: Event) -> None:
        if isinstance(event, ButtonPressed) and event.button == "call_staff":
            self.bridge.post(self.visit.call_help)
        elif isinstance(event, KeyPressed | HeadphonesChanged):
            self.pad.take(event)
        elif isinstance(event, Scanned | ScanRefused | LookEnded):
            self.scanning.take(event)
        elif isinstance(event, PresenceChanged):
            present = event.present
            self.bridge.post(lambda: self.nearby.moved(name, present))
        else:
            senses.event(name, event)

    def start(self) -> None:
        """Begin to talk to hardware and agent."""
        self.diary.start()
        self.hal.start()
        self.link.start()
        timers.every(STORAGE_EVERY_S, lambda: self.diary.look(self.take_status))
        Pulse(self.link.beat)
        self.take_status()

    def stop(self) -> None:
        """End a visit under way, then let hardware and agent go, and the journal once everything is in it."""
        self.visit.end("restart")
        self.hal.close()
        self.link.stop()
        if self.outline:
            self.outline.close()
        self.diary.stop()

    # What changes by itself

    def _changed(self) -> None:
        self.stage.sync_soon()
        self.lights.sync()
        self.scanning.sync()
        self.sound.follow()
        if self.visit.next_tick_ms() is None:
            self._ticking.stop()
            self._take_waiting_content()
        else:
            self._ticking.start()
        self.report()

    def _tick(self) -> None:
        self.visit.tick()
        self.pad.keys.tick()
        self.scanning.sync()
        if self.visit.session is not None:
            self.stage.second()
            if self.visit.warning:
                self.stage.sync_soon()
        if self.visit.next_tick_ms() is None:
            self._ticking.stop()

    def _minute(self) -> None:
        self._tell_time()
        self.packs.retry()
        self._take_waiting_content()
        timers.after(60.02 - self.clock.now().timestamp() % 60, self._minute)

    def _tell_time(self) -> None:
        now = self.clock.known()
        panel = self.config.panel
        night = now is not None and is_night(now.hour, day_from=panel.day_from, night_from=panel.night_from)
        if theme.night != night:
            theme.use(night=night)
        self.nearby.night(night)
        self.stage.minute(now)

    # What the agent says

    def take_view(self) -> None:
        """The agent's view changed: place, language, phone, content, seal key, link."""
        view = self.link.view
        desired = view.desired
        if desired is not None:
            self.config, mistakes = with_overrides(self._file_config, desired.settings)
            for mistake in mistakes:
                log.warning("the fleet set something impossible", mistake=mistake)
            self.visit.help_phone = self.config.phone
            self.visit.patience = patience_of(self.config)
            self.visit.speak(self.config.language)
            place = desired.placement
            self.diary.note_placement(place)
            self.stage.rename(hall=place.hall_name, label=place.label)
        if view.archived:
            self.diary.prune([(each.journal_id, each.through_seq) for each in view.archived])
            self.diary.look(self.take_status)
        # With the view comes the fleet's time, which may have set a clock that was not.
        self._tell_time()
        self.take_status()
        self._take_waiting_content()

    def take_status(self) -> None:
        """Put together what works now and tell the visit if it changed."""
        printer, reader, view = printer_of(self.hal), reader_of(self.hal), self.link.view
        settling = timers.frame_s() - self._started_s < 15.0 and not self.link.is_connected
        content = self.visit.content
        status = Status(
            printer=printer_part(printer.health() if printer else None),
            reader=reader_part(reader.health() if reader else None),
            network=settling or link_works(view),
            content=content is not None,
            rating=self.diary.can_rate,
            demonstration=content is not None and content.hall.demonstration,
            notice=view.desired.notice if view.desired is not None else None,
            pairing_code=view.pairing_code if view.pairing == "waiting" else "",
            keypad=self.pad.fitted,
            codes=self.scanning.works,
            power=self.power.stage,
        )
        if status != self.visit.status:
            self.visit.status_changed(status)
        if settling:
            timers.after(15.5, self.take_status)
        self.report()

    def _take_waiting_content(self) -> None:
        """Open the pack the agent names, once nobody is reading the present one."""
        if self.visit.session is None:
            self.packs.want(*wanted(self.link.view, self.config.content_file))

    def _show_content(self, content: PackContent) -> None:
        if self.visit.session is not None:
            # Somebody began while the file was being read: it is opened again when he has gone.
            self.packs.forget()
            content.pack.close()
            return
        old = self.visit.content
        self.visit.content_changed(content)
        self.take_status()
        if isinstance(old, PackContent):
            old.pack.close()

    def report(self) -> None:
        """Tell the agent the screen's name and the parts' health; it repeats what changed."""
        troubled = (self.packs.trouble,) if self.packs.trouble else ()
        self.talk.report(self.visit.screen_name, parts(self.hal.health()) + troubled, self.diary.free_share)

    # What the journal needs to know

    def _seal_key(self) -> bytes | None:
        desired = self.link.view.desired
        return desired.seal_key if desired is not None else None
