"""How the licence stands, on a terminal: the words and the JSON that every `daftar license` command ends with."""

from installer.commands.home import Opened
from server.activation.document import show_status
from server.activation.offline import PendingRequest
from server.activation.queries import license_status
from server.activation.rules import REQUESTS, LicenseStatus
from server.core.clock import rfc3339
from server.core.command_line import report
from server.core.format import zoned
from server.core.i18n import gettext as _


def show(opened: Opened, *, as_json: bool) -> None:
    """Print mode, reason, seats, term and what waits for an answer."""
    waiting = opened.office.pending(opened.actor)
    with opened.database.read() as session:
        found = license_status(session, opened.actor, opened.office)
    document = show_status(found) | {"pending": describe(waiting) if waiting else None}
    report(document, _lines(found, waiting), as_json=as_json)


def describe(request: PendingRequest) -> dict[str, object]:
    """Return a request as programs read it."""
    return {
        "kind": request.kind,
        "number": request.number,
        "made_at": rfc3339(request.made_at),
        "reason": request.reason,
        "by_file": request.by_file,
        "final": request.is_final,
    }


def _lines(found: LicenseStatus, waiting: PendingRequest | None) -> str:
    words = found.explanation
    seats = {"used": found.named.used, "cap": found.named.cap}
    lines = [
        f"{_(words.title)} ({found.mode}, {found.reason})",
        _(words.happened),
        _(words.next_step),
        "",
        _("Licence: %(id)s", id=found.license_id or "–"),
        _("Customer: %(name)s", name=found.customer or "–"),
        _("Users: %(used)s of %(cap)s", **seats),
    ]
    if found.expires_at is not None:
        lines.append(_("Valid until: %(moment)s", moment=zoned(found.expires_at)))
    if found.last_contact_at is not None:
        lines.append(_("Last contact: %(moment)s", moment=zoned(found.last_contact_at)))
    if found.lease is not None:
        ends = zoned(found.lease.read_only_at)
        lines.append(_("Works without contact until: %(moment)s", moment=ends))
    if waiting is not None:
        lines.append(
            _(
                "A request waits for its answer: %(kind)s, number %(number)s, made %(moment)s",
                kind=_(REQUESTS[waiting.kind]),
                number=waiting.number,
                moment=zoned(waiting.made_at),
            )
        )
    return "\n".join(lines)
