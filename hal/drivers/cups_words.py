"""What CUPS says of printers and jobs (IPP keywords and states, RFC 8011), in hal's reasons and outcomes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

PRINTER_STOPPED = 5
CANCELLED, ABORTED, COMPLETED = 7, 8, 9

_DOWN = {
    "a4.paper_out": ("media-empty", "media-needed"),
    "a4.jam": ("media-jam",),
    "a4.door_open": ("door-open", "cover-open", "interlock-open", "input-tray-missing", "output-tray-missing"),
    "a4.toner_out": ("toner-empty", "marker-supply-empty", "developer-empty", "marker-waste-full", "opc-life-over"),
    "a4.full_tray": ("output-area-full",),
    "a4.offline": ("offline", "connecting-to-device", "timed-out", "shutdown", "cups-ipp-missing-job-history"),
    "a4.paused": ("paused", "moving-to-paused"),
    "a4.fault": ("other", "fuser-over-temp", "fuser-under-temp", "stopped-partly"),
}
_WORN = {
    "a4.paper_low": ("media-low",),
    "a4.toner_low": ("toner-low", "marker-supply-low", "developer-low", "marker-waste-almost-full", "opc-near-eol"),
}
_INFORMS = {
    "media-empty": "media-low", "media-needed": "media-low", "media-low": "media-low", "toner-low": "toner-low",
    "toner-empty": "toner-low", "marker-supply-low": "toner-low", "marker-supply-empty": "toner-low",
}  # fmt: skip
_SEVERITIES = ("-error", "-warning", "-report")


class JobSeen(msgspec.Struct, frozen=True):
    """A job in the queue: IPP job state, sheets that the printer says it put out, whether its printing ever began."""

    state: int
    sheets: int = 0
    began: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.state >= CANCELLED


def job_seen(attributes: Mapping[str, Any]) -> JobSeen:
    """A job from its attributes, whatever types an old server gives them."""
    sheets = max(_number(attributes, "job-media-sheets-completed"), _number(attributes, "job-impressions-completed"))
    began = _number(attributes, "time-at-processing") > 0
    return JobSeen(_number(attributes, "job-state"), sheets, began)


def _number(attributes: Mapping[str, Any], name: str) -> int:
    value = attributes.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def printer_reason(attributes: Mapping[str, Any]) -> str:
    """The health id for a printer's `printer-state` and `printer-state-reasons`; the gravest of several."""
    said = attributes.get("printer-state-reasons", [])
    keywords = [said] if isinstance(said, str) else [str(each) for each in said] if isinstance(said, list | tuple) else []
    # Without any suffix a keyword is an error; a report only informs, for example of one empty tray of two (RFC 8011, 5.4.12).
    plain = {_plain(word): word for word in keywords if not word.endswith("-report") or _plain(word) == "offline"}
    plain |= {_INFORMS[_plain(word)]: word for word in keywords if word.endswith("-report") and _plain(word) in _INFORMS}
    for reason, words in _DOWN.items():
        if any(word in plain and not (reason == "a4.fault" and plain[word].endswith("-warning")) for word in words):
            return reason
    if attributes.get("printer-state") == PRINTER_STOPPED:
        return "a4.paused"
    for reason, words in _WORN.items():
        if any(word in plain for word in words):
            return reason
    return "hal.ok"


def _plain(keyword: str) -> str:
    for severity in _SEVERITIES:
        keyword = keyword.removesuffix(severity)
    return keyword


Result = Literal["printed", "not_printed", "unknown"]


def result_of(seen: JobSeen, *, confirms: bool) -> Result:
    """What is known of a job that is over; `confirms`: the queue hears from the printer itself when it has finished."""
    if seen.state == COMPLETED:
        return "printed" if confirms else "unknown"
    # Paper came out, or may have: the last page of one that was stopped in the middle is anybody's guess.
    if seen.sheets or (seen.began and (seen.state == CANCELLED or not confirms)):
        return "unknown"
    return "not_printed"


def is_confirming(device_uri: str) -> bool:
    """Whether CUPS asks the printer itself for the end of a job: it does by IPP, while elsewhere it only hands bytes over."""
    return device_uri.startswith(("ipp://", "ipps://")) or (device_uri.startswith("dnssd://") and "_ipp" in device_uri)
