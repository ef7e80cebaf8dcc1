"""Speaks: one program makes a WAV of the text on its standard input, another plays it; both can be ended at any moment."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Callable
from typing import IO, NamedTuple

import structlog

from hal.api import EventListener, HealthListener, Language, SpeechEnded
from hal.drivers.own_thread import OwnThread

MAX_TEXT = 2000
LONGEST_S = 300.0
PROBE_S = 5.0
RETRY_S = 30.0

log = structlog.get_logger("hal")

Synth = Callable[[Language, bool], tuple[str, ...]]
"""The command that speaks a language, slowly or not; text on its standard input, WAV on its standard output."""


class _Text(NamedTuple):
    text: str
    language: Language
    slowly: bool


def spoken(text: str) -> bytes:
    """`text` as programs get it: one line, no control characters, nothing that a synthesiser would take for a command."""
    # Both espeak-ng and piper read [[…]] as phonemes.
    plain = text[:MAX_TEXT].replace("[[", "[ [").replace("]]", "] ]")
    return " ".join("".join(char if char.isprintable() else " " for char in plain).split()).encode() + b"\n"


def silence(seconds: float = 0.05) -> bytes:
    """A WAV of silence: played at the start, so that a missing sound card is known before somebody needs the voice."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(bytes(2 * int(22050 * seconds)))
    return made.getvalue()


class Voice(OwnThread):
    """`hal.api.Speech` over a synthesiser and a player. Nothing of a text is in a log, an argument or a file."""

    def __init__(
        self,
        name: str,
        synth: Synth,
        player: tuple[str, ...],
        *,
        on_event: EventListener,
        on_health: HealthListener,
        retry_s: float = RETRY_S,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._synth, self._player = synth, player
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._next: _Text | None = None
        self._dropped = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._interrupted = self._speaking = False
        self._wake = threading.Event()

    def say(self, text: str, language: Language, *, slowly: bool = False) -> None:
        """See `Speech.say`."""
        self._put(_Text(text, language, slowly))

    def hush(self) -> None:
        """See `Speech.hush`."""
        self._put(None)

    def is_speaking(self) -> bool:
        """See `Speech.is_speaking`."""
        return self._speaking or self._next is not None

    def _interrupt(self) -> None:
        self._put(None)

    def _put(self, text: _Text | None) -> None:
        with self._lock:
            self._dropped += self._next is not None
            self._next = text
            self._interrupted = True
            for process in self._running:
                # Not politely: a player that is asked to end plays its buffer first.
                process.kill()
        self._wake.set()

    def _run(self) -> None:
        self._probe()
        while not self._stop.is_set():
            self._wake.wait(None if self._health.get().state == "ok" else self._retry_s)
            self._wake.clear()
            self._tell_dropped()
            with self._lock:
                text, self._next = self._next, None
                self._interrupted = False
                self._speaking = text is not None
            if text is not None:
                complete = self._speak(text)
                self._speaking = False
                self._emit(SpeechEnded(complete))
            elif not self._stop.is_set() and self._health.get().state != "ok":
                self._probe()
        self._tell_dropped()

    def _probe(self) -> None:
        """Whether every program is there and a sound can be played. Sets the health."""
        for language in ("zh", "ko", "en"):
            command = self._synth(language, False)
            if shutil.which(command[0]) is None:
                self._health.set("speech.no_voice", command=command[0], language=language)
                return
        try:
            with subprocess.Popen(
                self._player, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            ) as player:  # fmt: skip
                with self._lock:
                    self._running = [player]
                    self._interrupted = False
                try:
                    said = player.communicate(silence(), timeout=PROBE_S)[1]
                finally:
                    player.kill()
        except (OSError, subprocess.SubprocessError) as error:
            self._health.set("speech.no_sound", error=str(error)[:200])
            return
        if not self._interrupted:
            # Otherwise it was ended for a text, which will show whether the player works.
            self._judge_player(player.returncode, said)

    def _judge_player(self, status: int, said: bytes) -> None:
        if status:
            lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
            self._health.set("speech.no_sound", error=lines[-1].strip()[:200] if lines else f"status {status}")
        else:
            self._health.set("hal.ok")

    def _speak(self, text: _Text) -> bool:
        """Say it; whether it was said to its end."""
        command = self._synth(text.language, text.slowly)
        # The player never sees the text, so what it complains about may be told; the synthesiser's words may not.
        with tempfile.TemporaryFile() as complaints:
            try:
                synth, player = self._begin(command, complaints)
            except OSError as error:
                log.error("a voice cannot be started", command=command[0], error=str(error))
                self._health.set("speech.no_voice", command=command[0], language=text.language)
                return False
            self._feed(synth, text)
            statuses = self._finish(synth, player)
            if self._interrupted:
                return False
            complaints.seek(0)
            self._judge_player(statuses[1], complaints.read(4096))
        if statuses[0]:
            # A synthesiser may have failed because nobody took its sound, and a player because it got none.
            self._probe()
            if self._health.get().state == "ok":
                self._health.set("speech.failed", command=command[0], language=text.language, status=str(statuses[0]))
        return statuses == (0, 0)

    def _begin(self, command: tuple[str, ...], complaints: IO[bytes]) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
        synth = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            player = subprocess.Popen(
                self._player, stdin=synth.stdout, stdout=subprocess.DEVNULL, stderr=complaints
            )  # fmt: skip
        except OSError:
            synth.kill()
            synth.communicate()
            raise
        assert synth.stdout is not None
        # Only the player reads it now: when one of the two ends, the other notices.
        synth.stdout.close()
        with self._lock:
            self._running = [synth, player]
            if self._interrupted:
                for process in self._running:
                    process.kill()
        return synth, player

    def _feed(self, synth: subprocess.Popen[bytes], text: _Text) -> None:
        assert synth.stdin is not None
        try:
            # Shorter than a pipe holds, so this never waits for the program.
            synth.stdin.write(spoken(text.text))
            synth.stdin.close()
        except OSError:
            # It ended before it read; its status says so.
            return

    def _finish(self, synth: subprocess.Popen[bytes], player: subprocess.Popen[bytes]) -> tuple[int, int]:
        until_s = time.monotonic() + LONGEST_S
        for process in (player, synth):
            try:
                process.wait(max(0.0, until_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                synth.kill()
                player.kill()
                process.wait()
        with self._lock:
            self._running = []
        return synth.returncode, player.returncode

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        for _ in range(dropped):
            self._emit(SpeechEnded(False))
