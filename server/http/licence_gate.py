"""The gate in front of every route: an in-memory comparison with the licence's verdict.

Routes marked `always` stay open in every mode (licensing.md §1 principle 4). Pages ask the same
comparison before they offer a form, so that nobody types what would be refused.
"""

from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException

from server.core.entitlements import Entitlements
from server.core.errors import NotLicensed
from server.core.i18n import gettext as _
from server.http.access import Access, access_of, wanted_access
from server.http.door import door_of
from server.http.unit_of_work import SAFE_METHODS

_READS = (".see", ".see_all")


class Shut(NotLicensed):
    """The licence's mode does not cover the route. Programs read mode and reason in `members`."""

    def __init__(self, message: str, verdict: Entitlements) -> None:
        word = verdict.mode if verdict.mode in {"read_only", "setup"} else "locked"
        super().__init__(message, code=f"license_{word}")
        self.members = {"mode": verdict.mode, "reason": verdict.reason}


def covers(verdict: Entitlements, access: Access, method: str) -> bool:
    """Tell whether the licence lets this kind of request through."""
    if verdict.may_write or access.always:
        return True
    return verdict.may_read and (method in SAFE_METHODS or access.reads)


def check_licence(verdict: Entitlements) -> None:
    """Refuse the running request when the licence's mode does not cover it (402 at both doors)."""
    if verdict.may_write:
        return
    access = wanted_access()
    if access is None or covers(verdict, access, request.method):
        return
    raise Shut(_refusal(verdict), verdict)


def _refusal(verdict: Entitlements) -> str:
    if verdict.mode == "read_only":
        return _(
            "Nothing can be changed at the moment, because the licence allows reading only. "
            "An administrator finds the reason and the way out on the licence page."
        )
    if verdict.mode == "setup":
        return _(
            "This server is not activated yet. An administrator activates it on the licence page."
        )
    return _(
        "The licence does not cover the use of Daftar at the moment. Your data is safe: an administrator "
        "can still back it up and export it, and finds the way out on the licence page."
    )


# What pages ask before they offer something


def _verdict() -> Entitlements | None:
    board = door_of(current_app).board
    return None if board is None or board.verdict.may_write else board.verdict


def is_shut(address: str, method: str = "POST") -> bool:
    """Tell whether a form sent to this address of ours would be refused for the licence now."""
    verdict = _verdict()
    if verdict is None:
        return False
    try:
        endpoint, _values = current_app.url_map.bind("").match(
            urlsplit(address).path, method=method
        )
    except (HTTPException, ValueError):
        return False
    access = access_of(current_app.view_functions.get(endpoint))
    return access is not None and not covers(verdict, access, method)


def is_open(endpoint: str) -> bool:
    """Tell whether the page of this endpoint can be opened under the licence now."""
    verdict = _verdict()
    access = access_of(current_app.view_functions.get(endpoint))
    return verdict is None or access is None or covers(verdict, access, "GET")


def offers(permission: str) -> bool:
    """Tell whether the licence leaves anything of what this permission is for."""
    verdict = _verdict()
    if verdict is None or permission in _always():
        return True
    return verdict.may_read and permission.endswith(_READS)


def _always() -> frozenset[str]:
    """Return the permissions of routes that are open in every mode; gathered once per application."""
    known: frozenset[str] | None = current_app.extensions.get("daftar.always")
    if known is None:
        asked = (access_of(view) for view in current_app.view_functions.values())
        known = frozenset(
            one.permission for one in asked if one is not None and one.always and one.permission
        )
        current_app.extensions["daftar.always"] = known
    return known


def shut_words() -> str:
    """Return why a form cannot be sent now, in a few words."""
    verdict = _verdict()
    if verdict is not None and verdict.mode == "read_only":
        return _("This cannot be sent at the moment: the licence allows reading only.")
    return _("This cannot be sent at the moment: the licence does not cover it.")
