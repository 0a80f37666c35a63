"""The parent of the vendor's tables. The tables themselves live in their slices."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from server.core.db import NAMING


class Base(DeclarativeBase):
    """Parent of every table of the authority."""

    metadata = MetaData(naming_convention=NAMING)
