"""Every table of the CRM, imported once, so that the metadata is whole."""

from server.audit import models as audit
from server.companies import models as companies
from server.core import schedule
from server.core.db import Base
from server.http import idempotency
from server.people import models as people
from server.users import models as users

__all__ = ["audit", "companies", "idempotency", "metadata", "people", "schedule", "users"]

metadata = Base.metadata
