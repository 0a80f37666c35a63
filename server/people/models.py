"""The tables of people and of the keys by which they are reached."""

from typing import ClassVar

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core.contact_keys import ContactKey
from server.core.db import Base, JsonColumn, Record


class Person(Record, Base):
    """Somebody outside the house. `name_key` is the folded display name, for order and look-alikes."""

    __tablename__ = "people"
    __kind__: ClassVar[str] = "person"

    first_name: Mapped[str] = mapped_column(default="")
    last_name: Mapped[str] = mapped_column(default="")
    display_name: Mapped[str]
    name_key: Mapped[str]
    job_title: Mapped[str] = mapped_column(default="")
    emails: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    phones: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id", ondelete="RESTRICT"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    external_source: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None]
    notes: Mapped[str] = mapped_column(default="")
    search_text: Mapped[str]


_not_binned = Person.deleted_at.is_(None)
Index("ix_people_name_key", Person.name_key, Person.id)
Index("ix_people_company", Person.company_id, Person.name_key, Person.id)
Index("ix_people_owner", Person.owner_id, Person.id)
Index("ix_people_created_at", Person.created_at, Person.id)
Index("ix_people_updated_at", Person.updated_at, Person.id)
Index("ix_people_deleted_at", Person.deleted_at, Person.id)
Index("ix_people_external_id", Person.external_id)
Index(
    "uq_people_external_id",
    Person.external_source,
    Person.external_id,
    unique=True,
    sqlite_where=_not_binned,
    postgresql_where=_not_binned,
)


class PersonContactKey(ContactKey, Base):
    """An address or a number of a person."""

    __tablename__ = "person_contact_keys"

    record_id: Mapped[int] = mapped_column(
        ForeignKey("people.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
