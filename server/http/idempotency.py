"""A POST that is sent twice is done once: `Idempotency-Key`, honoured for 24 hours (interfaces.md).

The key is claimed in the transaction of the work itself, so key and work are kept together or not at
all. A refusal changes nothing and is not kept: asked again, it is judged again.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Request, Response, g, request
from sqlalchemy import ForeignKey, Index, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core import clock
from server.core.db import Base, UtcDateTime
from server.core.errors import Conflict, Invalid
from server.core.i18n import gettext as _
from server.http.unit_of_work import current_session

HEADER = "Idempotency-Key"
LIFETIME = timedelta(hours=24)
MAX_KEY = 255
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


class KeptAnswer(Base):
    """The answer to a POST that carried a key. `status` is None while the work is going on."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("uq_idempotency_keys_user_key", "user_id", "key", unique=True),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    key: Mapped[str]
    fingerprint: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[int | None]
    content_type: Mapped[str] = mapped_column(default="")
    location: Mapped[str] = mapped_column(default="")
    etag: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")


def answer_once(work: Callable[[], Response]) -> Response:
    """Do the work of the running request, or repeat the answer it had when its key was seen before."""
    user_id = _user_id()
    if request.method != "POST" or HEADER not in request.headers or user_id is None:
        return work()
    key = _key(request)
    session = current_session()
    forget_old_answers(session)
    fingerprint = _fingerprint(request)
    if not _claim(session, user_id, key, fingerprint):
        return _repeat(session, user_id, key, fingerprint)
    answer = work()
    if answer.status_code < 400:
        _keep(current_session(), user_id, key, answer)
    return answer


def forget_old_answers(session: Session) -> None:
    """Delete the answers whose day is over."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.created_at < clock.now() - LIFETIME))


def _user_id() -> int | None:
    actor = g.get("actor")
    return actor.user_id if actor is not None else None


def _key(incoming: Request) -> str:
    key = incoming.headers[HEADER].strip()
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid(
            _("An Idempotency-Key has 1 to %(most)s printable ASCII characters.", most=MAX_KEY),
            field=HEADER,
        )
    return key


def _fingerprint(incoming: Request) -> str:
    head = f"{incoming.method} {incoming.full_path}\n".encode()
    return hashlib.sha256(head + incoming.get_data(cache=True)).hexdigest()


def _claim(session: Session, user_id: int, key: str, fingerprint: str) -> bool:
    """Write the key down; False when somebody has it. On PostgreSQL this waits for a twin's commit."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(KeptAnswer)
        .values(user_id=user_id, key=key, fingerprint=fingerprint, created_at=clock.now())
        .on_conflict_do_nothing(index_elements=["user_id", "key"])
        .returning(KeptAnswer.id)
    )
    return session.scalar(statement) is not None


def _keep(session: Session, user_id: int, key: str, answer: Response) -> None:
    kept = _kept(session, user_id, key)
    kept.status = answer.status_code
    kept.content_type, kept.location, kept.etag = (
        answer.headers.get(name, "") for name in _KEPT_HEADERS
    )
    kept.body = answer.get_data(as_text=True)
    session.flush()


def _kept(session: Session, user_id: int, key: str) -> KeptAnswer:
    query = select(KeptAnswer).where(KeptAnswer.user_id == user_id, KeptAnswer.key == key)
    return session.scalars(query).one()


def _repeat(session: Session, user_id: int, key: str, fingerprint: str) -> Response:
    kept = _kept(session, user_id, key)
    if kept.fingerprint != fingerprint:
        raise Invalid(
            _(
                "This Idempotency-Key was used for another request within the last 24 hours. "
                "Take a new key for every new request."
            ),
            code="idempotency_key_reused",
            field=HEADER,
        )
    if kept.status is None:
        raise Conflict(
            _(
                "The first request with this Idempotency-Key did not come to its end. Look at its result first."
            ),
            code="idempotency_key_in_use",
        )
    answer = Response(kept.body, status=kept.status)
    answer.headers.pop("Content-Type", None)
    values = (kept.content_type, kept.location, kept.etag)
    for name, value in zip(_KEPT_HEADERS, values, strict=True):
        if value:
            answer.headers[name] = value
    answer.headers["Idempotency-Replayed"] = "true"
    return answer
