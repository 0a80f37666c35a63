"""The licence over JSON: its status, for monitoring and for integrations."""

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify

from server.activation.queries import license_document
from server.activation.service import LicenseOffice
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("license_api", __name__, url_prefix="/license", tag="license")


def office() -> LicenseOffice:
    """Return the licence office of the running application, or raise Missing."""
    found: LicenseOffice | None = current_app.extensions.get("daftar.office")
    if found is None:
        raise Missing(
            _("This server runs without a licence office: the vendor's root keys are missing.")
        )
    return found


@blueprint.get("")
@needs("license.see", always=True)
def status() -> Response:
    """Return mode, reason, seats, term and lease. Works in every licence mode."""
    return jsonify(license_document(current_session(), current_actor(), office()))
