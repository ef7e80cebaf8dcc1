"""The way of 语音键盘's words out: pauses between sentences, the line on the screen, volume and headphones."""

from terminal.ear import Ear, sentences, shown


class Loud:
    """A loudspeaker that remembers its volume."""

    steps = 2

    def __init__(self) -> None:
        self.step, self.plugged = 0, False

    def volume(self, step: int) -> None:
        self.step = step

    def headphones(self) -> bool:
        return self.plugged


def test_the_ear_goes_round_the_volumes_and_knows_headphones() -> None:
    loud = Loud()
    ear = Ear(None, [loud], show=print)  # type: ignore[arg-type, list-item]
    assert [ear.louder() for _ in range(4)] == [(1, 2), (2, 2), (0, 2), (1, 2)]
    assert loud.step == 1
    ear.next_visitor()
    assert ear.louder() == (1, 2), "the next visitor begins with the normal volume"
    assert not ear.private
    loud.plugged = True
    assert ear.private


def test_sentences_pause_between_them_and_the_line_keeps_the_newest() -> None:
    assert sentences(["还要用吗？", "20 秒后清除", ""], "zh") == "还要用吗？20 秒后清除。"
    assert sentences(["Home", "1 of 7: Search."], "en") == "Home. 1 of 7: Search."
    assert shown(["老" * 80, "新" * 40], "zh") == "新" * 40 + "。"
    assert len(shown(["长" * 300], "zh")) <= 88
