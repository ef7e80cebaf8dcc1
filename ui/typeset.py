"""Breaks text into lines as readers of Chinese, Korean and English expect, which Kivy's own wrapping does not. No Kivy.

Hanzi break anywhere except before closing and after opening punctuation; Latin words, numbers and Korean words stay whole.
"""

import re
from collections.abc import Callable

_NO_START = set("，。、；：！？）】》〉」』〕”’…—·%,.;:!?)]}")
_NO_END = set("（【《〈「『〔“‘([{")
_HANZI = r"\u2e80-\u2fdf\u3000-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\uffef\U00020000-\U0003ffff"
_UNIT = re.compile(rf"[^\S\n]+|[{_HANZI}]|[^\s{_HANZI}]+")


def units(paragraph: str) -> list[str]:
    """Cut a paragraph into pieces that must not be broken; spaces are pieces too, except before a mark that begins no line."""
    pieces: list[str] = []
    for piece in _UNIT.findall(paragraph):
        sticks = pieces and not pieces[-1].isspace() and not piece.isspace()
        if len(pieces) > 1 and pieces[-1].isspace() and piece[0] in _NO_START:
            # A mark between spaces, as in 二楼 · 公安区, ends the line before it and begins none.
            pieces[-2:] = [pieces[-2] + pieces[-1] + piece]
        elif sticks and (piece[0] in _NO_START or pieces[-1][-1] in _NO_END):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def balanced(text: str, width: float, measure: Callable[[str], float]) -> tuple[list[str], bool]:
    """As `break_lines`, with lines of about equal length and no more of them: for centred texts."""
    lines, fits = break_lines(text, width, measure)
    if len(lines) > 1 + text.count("\n"):
        for narrower in range(92, 40, -8):
            tried, still_fits = break_lines(text, width * narrower / 100, measure)
            if len(tried) > len(lines) or still_fits != fits:
                break
            lines = tried
    return lines, fits


def break_lines(text: str, width: float, measure: Callable[[str], float]) -> tuple[list[str], bool]:
    """Fill lines of `width` pixels greedily; `measure` gives a string's width in pixels.

    Returns the lines and whether every piece fitted; a piece wider than the line stands alone on one, too wide.
    """
    lines: list[str] = []
    fits = True
    for paragraph in text.split("\n"):
        first, line = len(lines), ""
        for piece in units(paragraph):
            if line and measure((line + piece).rstrip()) > width:
                lines.append(line.rstrip())
                line = "" if piece.isspace() else piece
            else:
                line += piece if line or not piece.isspace() else ""
            fits = fits and measure(piece.rstrip()) <= width
        lines.append(line.rstrip())
        if len(lines) - first > 1:
            lines[-2:] = _without_orphan(lines[-2], lines[-1], width, measure)
    return lines, fits


def _without_orphan(line: str, last: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Move words down to a last line that is hardly there: one character alone reads like a mistake."""
    if not line or not last:
        return [line, last]
    pieces = units(line)
    # Two ends that would be one piece side by side had a space between them, at which the line was broken.
    between = " " if len(units(line[-1] + last[0])) == 1 else ""
    while len(pieces) > 4 and measure(last) < width * 0.18 and measure(pieces[-1] + between + last) <= width:
        # A space that was moved down stays until the end: a word may follow it down.
        last = pieces.pop() + between + last
        between = ""
    return ["".join(pieces).rstrip(), last.lstrip()]
