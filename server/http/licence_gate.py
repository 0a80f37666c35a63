"""The gate in front of every route: an in-memory comparison with the licence's verdict.

Routes marked `always` stay open in every mode (licensing.md §1 principle 4).
"""

from flask import request

from server.core.entitlements import Entitlements
from server.core.errors import NotLicensed
from server.core.i18n import gettext as _
from server.http.access import wanted_access
from server.http.unit_of_work import SAFE_METHODS


def check_licence(verdict: Entitlements) -> None:
    """Refuse the running request when the licence's mode does not cover it (402 at both doors)."""
    if verdict.may_write or request.endpoint is None:
        return
    access = wanted_access()
    if access is None or access.always:
        return
    if verdict.mode == "read_only":
        if request.method in SAFE_METHODS or access.reads:
            return
        raise NotLicensed(
            _(
                "Nothing can be changed at the moment, because the licence allows reading only. "
                "An administrator finds the reason and the way out on the licence page."
            ),
            code="license_read_only",
        )
    if verdict.mode == "setup":
        raise NotLicensed(
            _(
                "This server is not activated yet. An administrator activates it on the licence page."
            ),
            code="license_setup",
        )
    raise NotLicensed(
        _(
            "The licence does not cover the use of Daftar at the moment. Your data is safe: an administrator "
            "can still back it up and export it, and finds the way out on the licence page."
        ),
        code="license_locked",
    )
