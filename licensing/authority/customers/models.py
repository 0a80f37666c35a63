"""The table of the vendor's customers."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.db.base import Base
from server.core import clock
from server.core.db import UtcDateTime


class Customer(Base):
    """Who buys. `organization` is the domain that a trial is counted by; warnings go out in `locale`."""

    __tablename__ = "customers"
    __table_args__ = (Index(None, "name_key", "id"), Index(None, "email", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str | None]
    organization: Mapped[str | None] = mapped_column(index=True)
    phone: Mapped[str | None]
    locale: Mapped[str] = mapped_column(default="fa", server_default="fa")
    timezone: Mapped[str]
    search_text: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
