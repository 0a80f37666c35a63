"""The page that finds out what stands between this server and its vendor, step by step."""

from flask import Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from client_web.license.frame import blueprint, office
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs

_TONES = {"pass": "green", "warn": "amber", "fail": "red", "skip": "gray"}


def _words() -> dict[str, object]:
    return {
        "tones": _TONES,
        "grades": {
            "pass": _("Good"),
            "warn": _("Careful"),
            "fail": _("Broken"),
            "skip": _("Left out"),
        },
    }


@blueprint.get("/license/diagnosis")
@needs("license.manage", always=True)
def diagnosis() -> ResponseReturnValue:
    """Show the last look at the way to the vendor, or the one under way."""
    found = office().doctor.last(current_actor())
    return render_template("license/diagnosis.html", found=found, **_words())


@blueprint.post("/license/diagnosis")
@needs("license.manage", always=True)
def begin_diagnosis() -> ResponseReturnValue:
    """Begin to look; when somebody looks already, their look is shown."""
    office().doctor.begin(current_actor())
    return redirect(url_for("license.diagnosis"))


@blueprint.get("/license/diagnosis/steps")
@needs("license.manage", always=True)
def diagnosis_steps() -> ResponseReturnValue:
    """Answer the page that waits: the steps so far; when it is done, open the page anew."""
    found = office().doctor.last(current_actor())
    answer = make_response(render_template("license/_steps.html", found=found, **_words()))
    if not found.runs:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.get("/license/diagnosis.txt")
@needs("license.manage", always=True)
def diagnosis_text() -> ResponseReturnValue:
    """Hand out the steps as text for the vendor."""
    found = office().doctor.last(current_actor())
    answer = Response(found.report(), mimetype="text/plain")
    answer.headers.set("Content-Disposition", "attachment", filename="daftar-diagnosis.txt")
    return answer
