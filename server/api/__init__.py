"""The JSON door: mounts every slice's api.py under /api/v1 and describes itself with OpenAPI 3.1."""

from apiflask import APIBlueprint
from flask import Response, jsonify

from server.api.health import blueprint as health
from server.core.version import VERSION
from server.http.access import public
from server.http.app import DaftarFlask, csrf
from server.users.api import blueprint as users

SLICES: tuple[APIBlueprint, ...] = (users,)


def mount(app: DaftarFlask) -> None:
    """Mount every slice on the application. Tokens alone open this door, so it needs no CSRF guard."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 422
    app.config["AUTO_404_RESPONSE"] = False
    app.security_schemes = {"token": {"type": "http", "scheme": "bearer"}}
    for slice_blueprint in SLICES:
        csrf.exempt(slice_blueprint)
        app.register_blueprint(
            slice_blueprint, url_prefix=f"/api/v1{slice_blueprint.url_prefix or ''}"
        )
    app.register_blueprint(health)

    @app.get("/api/v1/openapi.json")
    @app.doc(hide=True)
    @public()
    def openapi() -> Response:
        """Describe the API, for programs."""
        description: dict[str, object] = dict(app.spec)  # type: ignore[arg-type] # JSON, never YAML here
        description["info"] = {"title": "Daftar", "version": VERSION}
        return jsonify(description)
