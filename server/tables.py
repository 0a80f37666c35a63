"""Every table of the CRM, imported once, so that the metadata is whole."""

from server.activation import models as activation
from server.activities import models as activities
from server.audit import models as audit
from server.backups import models as backups
from server.companies import models as companies
from server.core import outbox, schedule
from server.core.db import Base
from server.deals import models as deals
from server.exchange import models as exchange
from server.exports import models as exports
from server.http import idempotency
from server.notices import models as notices
from server.people import models as people
from server.users import models as users

__all__ = [
    "activation",
    "activities",
    "audit",
    "backups",
    "companies",
    "deals",
    "exchange",
    "exports",
    "idempotency",
    "metadata",
    "notices",
    "outbox",
    "people",
    "schedule",
    "users",
]

metadata = Base.metadata
