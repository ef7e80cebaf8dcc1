"""Self-test of the voice: one sentence in each language. Only the technician hears whether it is right."""

from __future__ import annotations

from hal.api import Speech, SpeechEnded
from hal.config import Section
from hal.selftest.bench import Bench, Step

SENTENCES = {"zh": "语音测试，一二三四五。", "ko": "음성 시험입니다.", "en": "This is a test of the voice."}


def steps(bench: Bench, section: Section) -> list[Step]:
    """Says each sentence to its end."""
    voice: Speech = bench.peripheral(section)
    found: list[Step] = []
    for language, sentence in SENTENCES.items():
        bench.say("do.listen", language=language)
        voice.say(sentence, language)  # type: ignore[arg-type]
        event = bench.wait(SpeechEnded)
        if event is None:
            return [*found, bench.silent("step.say", language=language)]
        if not event.complete:
            health = voice.health()
            failed = health.state != "ok"
            args = {**health.args, "language": language}
            seen = health.reason if failed else "seen.interrupted"
            return [*found, Step("step.say", False, seen, args, health.next_step if failed else "")]
        found.append(bench.judged("step.say", "seen.listen", language=language))
    return found
