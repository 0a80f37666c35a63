"""Every table of the CRM, imported once, so that the metadata is whole."""

from server.audit import models as audit
from server.core import schedule
from server.core.db import Base
from server.users import models as users

__all__ = ["audit", "metadata", "schedule", "users"]

metadata = Base.metadata
