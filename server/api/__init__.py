"""The JSON door: mounts every slice's api.py under /api/v1 and describes itself with OpenAPI 3.1."""

import re
from copy import deepcopy
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from server.activation.api import blueprint as license_status
from server.activities.api import blueprint as activities
from server.api.description import complete
from server.api.health import blueprint as health
from server.audit.api import blueprint as audit
from server.backups.api import blueprint as backups
from server.companies.api import blueprint as companies
from server.core.version import VERSION
from server.deals.api import blueprint as deals
from server.deals.pipelines_api import pipelines, stages
from server.exchange.api import blueprint as imports
from server.exports.api import blueprint as exports
from server.http.access import Access, access_of, public
from server.http.app import DaftarFlask, csrf
from server.metrics.api import blueprint as metrics
from server.notices.api import blueprint as notices
from server.people.api import blueprint as people
from server.users.api import blueprint as users
from server.users.seats_api import blueprint as seats

SLICES: tuple[APIBlueprint, ...] = (
    users,
    companies,
    people,
    deals,
    pipelines,
    stages,
    activities,
    imports,
    exports,
    license_status,
    seats,
    notices,
    backups,
    audit,
)


def mount(app: DaftarFlask) -> None:
    """Mount every slice on the application. Tokens alone open this door, so it needs no CSRF guard."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 422
    app.config["AUTO_404_RESPONSE"] = False
    for slice_blueprint in SLICES:
        csrf.exempt(slice_blueprint)
        app.register_blueprint(
            slice_blueprint, url_prefix=f"/api/v1{slice_blueprint.url_prefix or ''}"
        )
    app.register_blueprint(health)
    app.register_blueprint(metrics)

    @app.get("/api/v1/openapi.json")
    @app.doc(hide=True)
    @public()
    def openapi() -> Response:
        """Describe the API, for programs."""
        return jsonify(describe(app))


def describe(app: DaftarFlask) -> dict[str, Any]:
    """Return the OpenAPI description of everything that is mounted; made once per application."""
    known: dict[str, Any] | None = app.extensions.get("daftar.openapi")
    if known is None:
        described: dict[str, Any] = deepcopy(dict(app.spec))  # type: ignore[arg-type] # JSON, never YAML here
        described["info"] = {"title": "Daftar", "version": VERSION}
        described["servers"] = [{"url": "/"}]
        known = app.extensions["daftar.openapi"] = complete(described, _asked(app))
    return known


def _asked(app: DaftarFlask) -> dict[tuple[str, str], Access | None]:
    """Return what every route asks of its visitors, by its path as OpenAPI writes it and its method."""
    return {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method.lower()): access_of(
            app.view_functions[rule.endpoint]
        )
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
