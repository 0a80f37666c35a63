"""The log: one JSON line a fact, without secrets."""

import logging
import logging.handlers
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "code", "passphrase")
_KEPT = frozenset({"status_code", "error_code"})


def hide_secrets(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of everything that is named like a secret."""
    for key in event:
        if key not in _KEPT and any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "•••"
    return event


def _formatter() -> logging.Formatter:
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            hide_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def start_log(level: str = "INFO", directory: Path | None = None, name: str = "daftar") -> None:
    """Write the log to stderr, or to a file of that directory which a watcher may rotate."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.WatchedFileHandler(directory / f"{name}.log", encoding="utf8")
    handler.setFormatter(_formatter())
    root = logging.getLogger()
    for before in root.handlers:
        if isinstance(before, logging.handlers.WatchedFileHandler):
            before.close()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # At DEBUG it writes down whole addresses, and a gateway's may carry its key and the text.
    logging.getLogger("urllib3").setLevel(max(root.level, logging.INFO))
    for noisy in ("fontTools", "weasyprint", "pyhanko"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def bind(**facts: object) -> None:
    """Add facts to every line of the running request or job."""
    structlog.contextvars.bind_contextvars(**facts)


def unbind_all() -> None:
    """Forget the facts of the request or job that ended."""
    structlog.contextvars.clear_contextvars()
