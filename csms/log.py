"""structlog set-up and the agreed keys.

Keys: station (identity), session, site, operator, platform, action, command, error. Event names are in
the past tense. Nothing is logged per message; the message log is data.
"""

import logging
import sys
from typing import Any, Literal, TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _StandardError:
    """Whatever standard error is when a line is written.

    Loggers are kept for good, and the stream of the moment may be replaced and closed (a captured command).
    """

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: str = "info", style: Literal["auto", "json", "console"] = "auto") -> None:
    """Set up structlog for the process. JSON is one line a record, control characters escaped."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    # Local variables of a traceback may hold keys and passwords: they are never shown.
    tracebacks = ExceptionDictTransformer(show_locals=False)
    renderer: Any = structlog.processors.JSONRenderer()
    if console:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if console else [structlog.processors.ExceptionRenderer(tracebacks)]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard library; only what they consider wrong is of interest.
    logging.basicConfig(
        level=logging.WARNING, format="%(name)s: %(message)s", stream=_StandardError(), force=True
    )
