"""The tables of companies and of the keys by which they are reached."""

from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core.contact_keys import ContactKey
from server.core.db import Base, JsonColumn, Record


class Company(Record, Base):
    """An organisation we deal with. `name_key` is the folded name, for order and for look-alikes."""

    __tablename__ = "companies"
    __kind__: ClassVar[str] = "company"

    name: Mapped[str]
    name_key: Mapped[str]
    industry: Mapped[str] = mapped_column(default="")
    website: Mapped[str] = mapped_column(default="")
    emails: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    phones: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    address: Mapped[str] = mapped_column(default="")
    city: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    founded_year: Mapped[int | None]
    annual_revenue: Mapped[int | None] = mapped_column(BigInteger)
    revenue_currency: Mapped[str | None]
    employees: Mapped[int | None]
    parent_company_id: Mapped[int | None] = mapped_column(
        ForeignKey("companies.id", ondelete="RESTRICT")
    )
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    external_source: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None]
    notes: Mapped[str] = mapped_column(default="")
    search_text: Mapped[str]


_not_binned = Company.deleted_at.is_(None)
Index("ix_companies_name_key", Company.name_key, Company.id)
Index("ix_companies_industry", Company.industry, Company.id)
Index("ix_companies_city", Company.city, Company.id)
Index("ix_companies_country", Company.country, Company.id)
Index("ix_companies_owner", Company.owner_id, Company.id)
Index("ix_companies_parent", Company.parent_company_id, Company.id)
Index("ix_companies_created_at", Company.created_at, Company.id)
Index("ix_companies_updated_at", Company.updated_at, Company.id)
Index("ix_companies_deleted_at", Company.deleted_at, Company.id)
Index("ix_companies_external_id", Company.external_id)
Index(
    "uq_companies_external_id",
    Company.external_source,
    Company.external_id,
    unique=True,
    sqlite_where=_not_binned,
    postgresql_where=_not_binned,
)


class CompanyContactKey(ContactKey, Base):
    """An address or a number of a company."""

    __tablename__ = "company_contact_keys"

    record_id: Mapped[int] = mapped_column(
        ForeignKey("companies.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
