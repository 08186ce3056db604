"""Set up the log: one line per fact to standard error, as JSON when nobody watches, never with personal data."""

import logging
import sys
import traceback
from typing import Any

import structlog

from connector.masking import mask

_PLAIN = frozenset(
    {"event", "level", "timestamp", "delivery", "worker", "target", "hash", "mapping", "version", "source", "state"}
)


def set_up(level: str = "INFO") -> None:
    """Send the log to standard error. Text that could come from outside is masked again here, as a last guard."""
    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _masked,
            structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def places(error: BaseException) -> str:
    """Return where an error arose, the innermost place last; never its text, which may hold a customer."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)


def _masked(_logger: Any, _name: str, facts: Any) -> Any:
    return {key: mask(v, limit=2000) if isinstance(v, str) and key not in _PLAIN else v for key, v in facts.items()}
