"""The one blueprint of the licence's room, and what several of its pages ask and show.

Every route on it is open in every licence mode: the way out must never be locked itself.
"""

import json

from flask import Blueprint, current_app

from server.activation.service import LicenseOffice
from server.core.errors import Missing
from server.core.i18n import gettext as _

blueprint = Blueprint("license", __name__)


def office() -> LicenseOffice:
    """Return the licence office of the running application, or raise Missing."""
    found: LicenseOffice | None = current_app.extensions.get("daftar.office")
    if found is None:
        raise Missing(
            _("This server runs without a licence office: the vendor's root keys are missing.")
        )
    return found


def readable(message: str) -> str:
    """Return a message with one member on each line; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(message), indent=2, ensure_ascii=False)
    except ValueError:
        return message
