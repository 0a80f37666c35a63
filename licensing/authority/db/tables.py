"""All tables of the authority, imported so that the metadata is whole."""

from licensing.authority.activations import models as activations
from licensing.authority.audit import models as audit
from licensing.authority.customers import models as customers
from licensing.authority.db.base import Base
from licensing.authority.licenses import models as licenses
from licensing.authority.limits import models as limits
from licensing.authority.staff import models as staff
from server.core.outbox import outbox_tables
from server.core.schedule import schedule_tables

schedule_tables(Base)
outbox_tables(Base)
metadata = Base.metadata

__all__ = ["activations", "audit", "customers", "licenses", "limits", "metadata", "staff"]
