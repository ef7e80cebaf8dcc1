"""What every process of a device does when it starts: say how its software is called, and send its log to the system's journal."""

import logging
import sys
from importlib.metadata import PackageNotFoundError, version

import structlog


def software_name() -> str:
    """How this software is called in what it reports."""
    try:
        return f"nightwindow {version('nightwindow')}"
    except PackageNotFoundError:
        return "nightwindow (from source)"


def set_up_log(level: str) -> None:
    """Send the log to standard error, one line an event. Tracebacks never show values of variables: they may be personal."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
