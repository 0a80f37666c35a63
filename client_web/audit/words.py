"""Words for what the audit trail keeps: actions, kinds of record, fields."""

from client_web.history import ACTIONS, LABELS
from server.core.i18n import gettext as _
from server.core.i18n import mark

_ACTIONS = {
    "activate": mark("Activated"),
    "check_in": mark("Asked the vendor"),
    "confirm": mark("Confirmed"),
    "deactivate": mark("Deactivated"),
    "discard": mark("Discarded"),
    "erase": mark("Erased from the trail"),
    "export": mark("Exported"),
    "import": mark("Imported"),
    "link": mark("Linked to records"),
    "move": mark("Moved"),
    "password_chosen": mark("Chose a password"),
    "password_link": mark("Made a link to choose a password"),
    "prune": mark("Removed old backups"),
    "purge": mark("Removed for good"),
    "reactivate": mark("Reactivated"),
    "reconcile_seats": mark("Counted the seats anew"),
    "revoke": mark("Revoked"),
    "run": mark("Ran"),
    "sign_in": mark("Signed in"),
    "sign_out": mark("Signed out"),
    "undo_import": mark("Took an import back"),
    "verify": mark("Verified"),
}
_KINDS = {
    "activity": mark("Activity"),
    "backup": mark("Backup"),
    "company": mark("Company"),
    "deal": mark("Deal"),
    "import": mark("Import"),
    "license": mark("Licence"),
    "person": mark("Person"),
    "pipeline": mark("Pipeline"),
    "stage": mark("Stage"),
    "token": mark("Token"),
    "user": mark("User"),
}

_FIELDS = {
    "active_since": mark("Active since"),
    "deleted_at": mark("In the bin since"),
    "email": mark("Email address"),
    "entries": mark("Entries"),
    "kind": mark("Kind"),
    "locale": mark("Language"),
    "password_hash": mark("Password"),
    "reason": mark("Reason"),
    "role": mark("Role"),
    "status": mark("Status"),
}


def action_word(action: str) -> str:
    """Return what was done, for people; a word nobody wrote down here is shown as it is."""
    if action in ACTIONS:
        return _(ACTIONS[action][0])
    return _(_ACTIONS[action]) if action in _ACTIONS else action


def kind_word(kind: str) -> str:
    """Return the kind of record, for people."""
    return _(_KINDS[kind]) if kind in _KINDS else kind


def field_word(field: str) -> str:
    """Return the name of a field, for people."""
    words = LABELS.get(field) or _FIELDS.get(field)
    return _(words) if words else field
