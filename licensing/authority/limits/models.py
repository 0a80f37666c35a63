"""The table of rate limits, shared by all processes."""

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.db.base import Base


class RateBucket(Base):
    """One caller under one rule. `full_at` is when its bucket is untouched again, in Unix seconds."""

    __tablename__ = "rate_buckets"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    full_at: Mapped[float] = mapped_column(Float(53), index=True)
