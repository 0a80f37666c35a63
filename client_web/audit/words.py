"""Words for what the audit trail keeps: actions, kinds of record, fields."""

from client_web.history import ACTIONS, LABELS
from server.core.format import filesize
from server.core.i18n import gettext as _
from server.core.i18n import mark

AT_KEYBOARD = " at the command line"
_ACTIONS = {
    "activate": mark("Activated"),
    "backup": mark("Backed up"),
    "check_in": mark("Asked the vendor"),
    "choose_ways": mark("Chose how to hear of notices"),
    "confirm": mark("Confirmed"),
    "confirm_machine": mark("Confirmed the changed machine"),
    "deactivate": mark("Deactivated"),
    "discard": mark("Discarded"),
    "end_device": mark("Ended a device"),
    "download": mark("Fetched"),
    "erase": mark("Erased from the trail"),
    "export": mark("Exported"),
    "export_request": mark("Made a request file for the vendor"),
    "import": mark("Imported"),
    "import_answer": mark("Took the vendor's answer from a file"),
    "link": mark("Linked to records"),
    "move": mark("Moved"),
    "name_representative": mark("Named the representative"),
    "password_chosen": mark("Chose a password"),
    "password_link": mark("Made a link to choose a password"),
    "prune": mark("Removed old backups"),
    "prepare_place": mark("Made a place ready for copies"),
    "copy": mark("Copied backups to another place"),
    "verify_copy": mark("Read a copy back"),
    "fetch": mark("Brought a backup back from another place"),
    "prove_key": mark("Proved a key of the backups"),
    "purge": mark("Removed for good"),
    "reactivate": mark("Reactivated"),
    "reconcile_seats": mark("Counted the seats anew"),
    "remove": mark("Removed the file"),
    "remove_drill_key": mark("Took the drill key off the server"),
    "renew_drill_key": mark("Put a new drill key on the server"),
    "revoke": mark("Revoked"),
    "rotate_keys": mark("Made keys of the backups anew"),
    "run": mark("Ran"),
    "send_again": mark("Sent again"),
    "send_test": mark("Sent a test message"),
    "sign_in": mark("Signed in"),
    "sign_out": mark("Signed out"),
    "test_key": mark("Made a test of a key"),
    "undo_import": mark("Took an import back"),
    "verify": mark("Verified"),
    "withdraw_request": mark("Withdrew a request to the vendor"),
}
_KINDS = {
    "activity": mark("Activity"),
    "backup": mark("Backup"),
    "company": mark("Company"),
    "deal": mark("Deal"),
    "export": mark("Export"),
    "import": mark("Import"),
    "license": mark("Licence"),
    "message": mark("Message"),
    "notices": mark("Warnings"),
    "person": mark("Person"),
    "pipeline": mark("Pipeline"),
    "stage": mark("Stage"),
    "token": mark("Token"),
    "user": mark("User"),
}

_FIELDS = {
    "active_since": mark("Active since"),
    "by_email": mark("By email"),
    "by_sms": mark("By SMS"),
    "bytes": mark("Size in bytes"),
    "choice": mark("Answer"),
    "deleted_at": mark("In the bin since"),
    "device": mark("Device"),
    "difference": mark("Difference"),
    "email": mark("Email address"),
    "entries": mark("Entries"),
    "kind": mark("Kind"),
    "level": mark("Depth of the check"),
    "name": mark("Name"),
    "note": mark("Note"),
    "number": mark("Number"),
    "ok": mark("In order"),
    "parts": mark("Parts of the machine"),
    "phone": mark("Telephone"),
    "set": mark("Backup"),
    "locale": mark("Language"),
    "password_hash": mark("Password"),
    "reason": mark("Reason"),
    "role": mark("Role"),
    "status": mark("Status"),
}

# What these fields hold is one of a few words of ours.
_VALUES = {
    "kind": {
        "daily": mark("Daily"),
        "manual": mark("Made by hand"),
        "pre-upgrade": mark("Before an upgrade"),
        "pre-restore": mark("Before a restore"),
    },
    "level": {
        "store": mark("Stored files"),
        "content": mark("Contents"),
        "drill": mark("Trial restore"),
    },
}


def value_word(field: str, value: object) -> object:
    """Return what a field holds, for people, where it is a word of ours or a size."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if field == "bytes" and isinstance(value, int):
        return filesize(value)
    words = _VALUES.get(field, {}).get(value) if isinstance(value, str) else None
    return _(words) if words else value


def who_word(name: str) -> str:
    """Return who it was; the name that the command line wrote down is told in the reader's language."""
    user, mark_, rest = name.partition(AT_KEYBOARD)
    return _("%(name)s at the command line", name=user) if mark_ and not rest else name


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
