"""What the words of the authority are called on its pages, and their colours."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.authority.staff.rules import ROLE_HINTS, ROLE_LABELS, STATUS_LABELS
from licensing.document.documents import Role as KeyRole
from licensing.document.envelope import load_envelope
from licensing.document.license import Kind, NetworkMode
from server.core.format import local
from server.core.i18n import gettext as _
from server.core.i18n import mark

LICENSE_STATUS = {
    LicenseStatus.OK: mark("In force"),
    LicenseStatus.SUSPENDED: mark("Suspended"),
    LicenseStatus.REVOKED: mark("Revoked"),
    LicenseStatus.CLOSED: mark("Given back"),
}
KIND = {
    Kind.TRIAL: mark("Trial"),
    Kind.SUBSCRIPTION: mark("Subscription"),
    Kind.PERPETUAL: mark("Perpetual"),
}
NETWORK_MODE = {
    NetworkMode.ENFORCE: mark("Refuse what comes from outside"),
    NetworkMode.WARN: mark("Only note what comes from outside"),
    NetworkMode.OFF: mark("Any network"),
}
ACTIVATION_STATUS = {
    ActivationStatus.ACTIVE: mark("Active"),
    ActivationStatus.SUPERSEDED: mark("Superseded"),
    ActivationStatus.DEACTIVATED: mark("Deactivated"),
}
FLAG = {
    FlagKind.WRONG_CODES: mark("Wrong activation codes"),
    FlagKind.CLONE_REVIEW: mark("Copies suspected"),
    FlagKind.CLONE_HOLD: mark("Held because of copies"),
    FlagKind.SHARED_FINGERPRINT: mark("One machine, several licences"),
    FlagKind.FINGERPRINT_CHANGED: mark("The machine has changed"),
    FlagKind.WEAK_BINDING: mark("Hard to recognise"),
    FlagKind.REHOSTED: mark("Moved often"),
    FlagKind.BEHIND: mark("The customer knows more than we do"),
}
FLAG_MEANING = {
    FlagKind.WRONG_CODES: mark(
        "Somebody tried activation codes that are wrong. Ask the customer whether it was them; "
        "if not, give the licence a new code."
    ),
    FlagKind.CLONE_REVIEW: mark(
        "Two copies of one installation may be checking in. Nothing is stopped. Ask the customer "
        "whether a server was copied."
    ),
    FlagKind.CLONE_HOLD: mark(
        "Copies of one installation kept checking in, so its check-ins are refused. Once the customer "
        "has shut the copy down, clear the hold."
    ),
    FlagKind.SHARED_FINGERPRINT: mark(
        "Several licences run on what looks like one machine. That is allowed with containers and "
        "hosts of several installations; otherwise ask."
    ),
    FlagKind.FINGERPRINT_CHANGED: mark(
        "The machine looks different from the one that was activated. New hardware is the usual "
        "reason, and nothing is stopped."
    ),
    FlagKind.WEAK_BINDING: mark(
        "The machine shows too little to be recognised, as some containers do. Nothing is stopped."
    ),
    FlagKind.REHOSTED: mark(
        "The licence was moved to another server more than usual. Another move needs approval."
    ),
    FlagKind.BEHIND: mark(
        "The server holds a newer document than this authority remembers, as after a restore of its "
        "database. Compare the licence with what was sold, then renew or change it."
    ),
}
FLAG_TONE: dict[Any, str] = {
    FlagKind.CLONE_HOLD: "red",
    FlagKind.CLONE_REVIEW: "amber",
    FlagKind.WRONG_CODES: "amber",
    FlagKind.SHARED_FINGERPRINT: "amber",
    FlagKind.BEHIND: "amber",
}
STATUS_TONE: dict[Any, str] = {
    LicenseStatus.OK: "green",
    LicenseStatus.SUSPENDED: "amber",
    LicenseStatus.REVOKED: "red",
    LicenseStatus.CLOSED: "gray",
    ActivationStatus.ACTIVE: "green",
}
MODE = {
    "ok": mark("Everything works"),
    "warn_expiry": mark("The term ends soon"),
    "warn_admin": mark("No contact, its administrator is told"),
    "warn_users": mark("No contact, everybody is told"),
    "read_only": mark("Reading only"),
    "locked": mark("Locked"),
    "setup": mark("Not set up"),
}
KEY_ROLE = {
    KeyRole.LICENSE.value: mark("Licences"),
    KeyRole.LEASE.value: mark("Leases"),
    KeyRole.RELEASE.value: mark("Releases"),
}
ACTION = {
    "activation.begin": mark("Server activated"),
    "activation.end": mark("Server deactivated"),
    "activation.wrong_codes": mark("Wrong activation codes"),
    "backup.keys": mark("Keys of the backup made"),
    "backup.restore": mark("Backup restored"),
    "backup.run": mark("Backup made"),
    "activation.hold": mark("Held because of copies"),
    "customer.add": mark("Customer written down"),
    "customer.change": mark("Customer changed"),
    "keys.check_root": mark("Root keys checked"),
    "keys.clear_holds": mark("Holds of a stolen key cleared"),
    "keys.renew_root": mark("Root keys renewed"),
    "keys.revoke": mark("Key revoked"),
    "keys.rotate": mark("Key rotated"),
    "license.change": mark("Licence changed"),
    "license.clear_hold": mark("Hold cleared"),
    "license.issue": mark("Licence issued"),
    "license.closed": mark("Licence given back"),
    "license.load_next_term": mark("Next term loaded"),
    "license.withdraw_next_term": mark("Next term withdrawn"),
    "license.refund": mark("Refund paid"),
    "license.ok": mark("Licence resumed"),
    "license.rehost": mark("Licence moved"),
    "license.renew": mark("Licence renewed"),
    "license.resign": mark("Licences signed anew"),
    "license.revoked": mark("Licence revoked"),
    "license.set_seats": mark("Seats changed"),
    "license.suspended": mark("Licence suspended"),
    "flag.settle": mark("Flag settled"),
    "flag.reopen": mark("Flag raised again"),
    "message.again": mark("Message sent again"),
    "request.answer": mark("Offline request answered"),
    "staff.add": mark("Member of the staff added"),
    "staff.change": mark("Member of the staff changed"),
    "staff.confirm": mark("Identity confirmed"),
    "staff.deactivate": mark("Member of the staff deactivated"),
    "staff.invite": mark("Invitation made"),
    "staff.password": mark("Password set"),
    "staff.reactivate": mark("Member of the staff let in again"),
    "staff.recovery_code": mark("Recovery code used"),
    "staff.recovery_codes": mark("New recovery codes"),
    "staff.second_factor": mark("Second factor set up"),
    "staff.second_factor_reset": mark("Second factor reset"),
    "staff.sign_in": mark("Signed in"),
    "staff.sign_out": mark("Signed out"),
}

# The words of an enum are texts, so a book is asked by either.
_BOOKS: dict[str, Mapping[Any, str]] = {
    "status": LICENSE_STATUS,
    "kind": KIND,
    "network_mode": NETWORK_MODE,
    "activation": ACTIVATION_STATUS,
    "flag": FLAG,
    "flag_meaning": FLAG_MEANING,
    "mode": MODE,
    "key_role": KEY_ROLE,
    "action": ACTION,
    "role": ROLE_LABELS,
    "role_hint": ROLE_HINTS,
    "staff_status": STATUS_LABELS,
}


_TONES: Mapping[Any, str] = {**STATUS_TONE, **FLAG_TONE}


def word(value: object, book: str) -> str:
    """Return what a word of the house is called; one that nobody named is shown as it is."""
    known = _BOOKS[book].get(str(value))
    return _(known) if known else str(value or "")


def choices(book: str) -> list[tuple[str, str]]:
    """Return the words of a book as the choices of a field."""
    return [(value, _(words)) for value, words in _BOOKS[book].items()]


def tone(value: object) -> str:
    """Return the colour of a status or a flag."""
    return _TONES.get(value, "gray")


def moment(seconds: int | None) -> datetime | None:
    """Return Unix seconds as a moment."""
    return None if seconds is None else local(datetime.fromtimestamp(seconds, UTC))


def json_lines(envelope: str) -> str:
    """Return the payload of an envelope on lines, for people to read."""
    body = load_envelope(envelope.encode()).body
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def install_words(app: Flask) -> None:
    """Let the templates name words and moments."""
    app.jinja_env.filters.update(word=word, moment=moment)
    app.jinja_env.globals.update(tone=tone, choices=choices)
