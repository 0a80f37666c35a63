"""What must wait until a change is safe: mail, webhooks, a refreshed licence.

A service asks for it inside the transaction; whoever commits runs it. Nothing runs after a rollback.
"""

import logging
from collections.abc import Callable

from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

_KEY = "daftar_after_commit"


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Run the action once the transaction of this session has been committed."""
    session.info.setdefault(_KEY, []).append(action)


def run_after_commit(session: Session) -> None:
    """Run what was asked for; a failure is logged, because the change itself is already safe."""
    for action in session.info.pop(_KEY, []):
        try:
            action()
        except Exception:
            log.exception("An action after a commit failed.")
