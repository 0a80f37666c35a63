"""The index by which a record is found from an address or a number, on both databases.

The record itself keeps `emails` and `phones`; a slice derives one table of keys from ContactKey, and
writes it together with them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from server.core.contact import ContactKind, clean_phone, email_key, phone_key
from server.core.db import words


class ContactKey:
    """One way to reach a record. The primary key answers “whose is this number?” from the index."""

    kind: Mapped[ContactKind] = mapped_column(words(ContactKind), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)

    @declared_attr
    def record_id(cls) -> Mapped[int]:  # noqa: N805 - SQLAlchemy hands over the class
        """Return the column that a slice overrides with its foreign key."""
        raise NotImplementedError


def _rows(
    record_id: int, emails: Sequence[str], phones: Sequence[str]
) -> Iterator[dict[str, object]]:
    keys = {(ContactKind.EMAIL, email_key(email)) for email in emails}
    keys |= {(ContactKind.PHONE, phone_key(phone)) for phone in phones}
    for kind, key in sorted(keys):
        yield {"record_id": record_id, "kind": kind, "key": key}


def add_keys(
    session: Session,
    table: type[ContactKey],
    reached: Sequence[tuple[int, Sequence[str], Sequence[str]]],
) -> None:
    """Write the keys of records that have none yet: their id, emails and phones."""
    rows = [
        row for record_id, emails, phones in reached for row in _rows(record_id, emails, phones)
    ]
    if rows:
        session.execute(insert(table), rows)


def replace_keys(
    session: Session,
    table: type[ContactKey],
    record_id: int,
    emails: Sequence[str],
    phones: Sequence[str],
) -> None:
    """Write the keys of one record anew."""
    session.execute(delete(table).where(table.record_id == record_id))
    add_keys(session, table, [(record_id, emails, phones)])


def reached_by(
    table: type[ContactKey], record_key: Any, kind: ContactKind, keys: Sequence[str]
) -> ColumnElement[bool]:
    """Return the condition that a record is reached by one of these keys."""
    owners = select(table.record_id).where(table.kind == kind, table.key.in_(keys))
    return record_key.in_(owners)  # type: ignore[no-any-return] # the column of any slice


def contact_filters(
    table: type[ContactKey], record_key: Any
) -> dict[str, Callable[[str], ColumnElement[bool]]]:
    """Return the filters `email` and `phone` of a slice's list."""
    return {
        "email": lambda text: reached_by(table, record_key, ContactKind.EMAIL, [email_key(text)]),
        "phone": lambda text: reached_by(
            table, record_key, ContactKind.PHONE, [phone_key(clean_phone(text, "filter[phone]"))]
        ),
    }
