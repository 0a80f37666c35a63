"""The keyset: what signs until when, and the commands of the ceremony, which needs the offline roots."""

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from licensing.authority.console.desk import console
from licensing.authority.housekeeping import ending_soon
from licensing.authority.keys.rules import OVERLAP_DAYS
from licensing.authority.keys.store import Ring
from licensing.authority.replacing import Resting, resting_on
from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry
from server.core import clock
from server.core.errors import Missing
from server.http.access import needs
from server.http.unit_of_work import current_session

blueprint = Blueprint("keys", __name__)


@dataclass(frozen=True)
class KeyRow:
    """One key of the keyset as the page shows it."""

    entry: KeyEntry
    state: str
    is_held: bool
    signs_now: bool
    resting: Resting


@blueprint.get("/keys")
@needs("keys.see")
def page() -> ResponseReturnValue:
    """Show the keyset with its windows."""
    keys = console().keys
    ring, now = keys.ring(), clock.timestamp()
    signing = [found for role in (Role.LICENSE, Role.LEASE) if (found := _signing(ring, role, now))]
    resting = resting_on(current_session(), [entry.keyid for entry in ring.keyset.keys])
    rows = [
        KeyRow(
            entry,
            _state(entry, now),
            entry.public_key in ring.private,
            entry in signing,
            resting[entry.keyid],
        )
        for entry in sorted(ring.keyset.keys, key=lambda one: -one.not_before)
    ]
    return render_template(
        "console/keys/page.html",
        keyset=ring.keyset,
        root=ring.trust.root,
        rows_of_keys=rows,
        ending=ending_soon(keys),
        overlap=OVERLAP_DAYS,
        home=console().settings.home,
    )


def _signing(ring: Ring, role: Role, now: int) -> KeyEntry | None:
    try:
        return ring.signing_entry(role, now)
    except Missing:
        return None


def _state(entry: KeyEntry, now: int) -> str:
    if entry.revoked_at is not None:
        return "revoked"
    if entry.covers(now):
        return "valid"
    return "ahead" if now < entry.not_before else "over"
