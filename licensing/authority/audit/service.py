"""Writing down what the vendor's people do, and what the protocol did, in the transaction of the deed."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from licensing.authority.audit.models import AuditEntry

PROTOCOL = "protocol"  # in the place of a name: nobody did it, a customer's server asked for it


def note(
    session: Session,
    operator: str,
    action: str,
    subject: str,
    detail: Mapping[str, str | int | None] | None = None,
) -> None:
    """Add one entry; it becomes true together with the change it tells of."""
    session.add(
        AuditEntry(operator=operator, action=action, subject=subject, detail=dict(detail or {}))
    )
