"""Is the server well? For load balancers, the installer and the doctor."""

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from server.core.version import VERSION
from server.http.access import public
from server.http.unit_of_work import database

blueprint = APIBlueprint("health", __name__, enable_openapi=False)


@blueprint.get("/healthz")
@public()
def healthz() -> ResponseReturnValue:
    """Answer 200 when the database answers, else 503 with the failing part."""
    whose = {"product": "daftar", "version": VERSION}
    try:
        with database().read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return {**whose, "status": "failing", "part": "database"}, 503
    return {**whose, "status": "ok"}
