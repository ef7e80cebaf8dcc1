"""Where the server's processes send their log: standard error, one line an event, no values of variables in tracebacks."""

import logging
import sys

import structlog


def set_up_log() -> None:
    """One logfmt line an event. Rich tracebacks with local variables, structlog's default, would print personal data."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
