"""Cleans text as it comes out of spreadsheets and web databases. Open this when imported text looks wrong."""

import html
import re

_NOTHING = "无 暂无 没有 空 null none nil n/a na nan undefined / \\ - -- — —— － _"
EMPTY_WORDS = frozenset(["", *_NOTHING.split()])

_WIDE = {code: code - 0xFEE0 for block in ((0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B)) for code in range(*block)}
_WIDE_SIGNS = {ord("－"): "-", ord("．"): ".", ord("＿"): "_", ord("／"): "/"}
_SCRIPTS = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_COMMENTS = re.compile(r"<!--.*?-->", re.DOTALL)
_BREAKS = re.compile(r"<\s*(?:br\s*/?|/p|/div|/li|/tr|/h[1-6])\s*>", re.IGNORECASE)
_TAGS = re.compile(r"</?[a-z][a-z0-9:]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]+")
_NEWLINES = re.compile(r"\s*\n\s*")
_ERROR_PAGE = re.compile(
    r"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]|\b(?:404 not found|50[0234] (?:bad gateway|internal server error|"
    r"service (?:temporarily )?unavailable|gateway time-?out))\b",
    re.IGNORECASE,
)


def unescaped(text: str) -> str:
    """HTML entities resolved until nothing changes: `&amp;lt;p&amp;gt;` was escaped twice."""
    for _ in range(4):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def is_error_page(text: str) -> bool:
    """Whether this is a web server's error page, or any whole web page, where a record should be."""
    return bool(_ERROR_PAGE.search(unescaped(text[:5000])))


def clean_text(text: str) -> tuple[str, bool]:
    """Readable text with line breaks, and whether markup or invisible characters had to be taken out.

    Wide letters and digits become narrow, punctuation stays as it is; runs of blanks become one; HTML breaks become line
    breaks and other tags go; text between `<` and `>` that is no tag stays.
    """
    plain = unescaped(text).replace("_x000D_", "\n").replace("\r\n", "\n").replace("\r", "\n")
    plain = _COMMENTS.sub("", _SCRIPTS.sub("", plain))
    plain = _TAGS.sub("", _BREAKS.sub("\n", plain))
    plain = _CONTROL.sub("", plain)
    is_dirty = len(plain) < len(text.replace("\r", ""))
    plain = plain.translate(_WIDE)
    return _NEWLINES.sub("\n", _SPACES.sub(" ", plain)).strip(), is_dirty


def is_empty(text: str) -> bool:
    """Whether a cell says nothing: blank, —, 无, null …"""
    return text.strip().casefold() in EMPTY_WORDS


def one_line(text: str) -> str:
    """The text without line breaks, for names: a break inside a Chinese word leaves no blank."""
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n|\n(?=[\u3000-\u9fff\uff00-\uffef])", "", text).replace("\n", " ")


def narrow(text: str) -> str:
    """Codes, numbers and dates with narrow digits and signs."""
    return text.translate(_WIDE).translate(_WIDE_SIGNS)
