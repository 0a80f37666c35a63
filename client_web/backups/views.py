"""Pages of backups: how they stand, every set, what was found in it, and the check by a person.

Every route here is open in every licence mode: a lapsed licence never costs data.
"""

from typing import TYPE_CHECKING

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from client_web.backups.forms import CheckForm
from client_web.reading import address_now, page_address, put_back, say
from server.backups import queries, rules
from server.backups.places import PlacesOffice
from server.backups.service import Action, BackupOffice, Kind, Wish
from server.core.errors import Broken, DaftarError, Missing
from server.core.format import today
from server.core.i18n import current_locale
from server.core.i18n import gettext as _
from server.core.text import persian_digits
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session, database
from server.users.queries import confirm_password

if TYPE_CHECKING:  # templates show records, and only their types are needed here
    from server.backups.models import BackupSet
    from server.backups.service import Manifest

blueprint = Blueprint("backups", __name__)


def office() -> BackupOffice:
    """Return the backups of this installation."""
    found: BackupOffice = current_app.extensions["daftar.backups"]
    return found


def _words() -> dict[str, object]:
    return {
        "state_words": {state: _(words) for state, words in rules.STATE_LABELS.items()},
        "state_tones": rules.STATE_TONES,
        "kind_words": {kind: _(words) for kind, words in rules.KIND_LABELS.items()},
        "action_words": {action: _(words) for action, words in rules.ACTION_LABELS.items()},
        "run_words": {state: _(words) for state, words in rules.RUN_LABELS.items()},
        "run_tones": rules.RUN_TONES,
        "stage_words": {stage.value: _(words) for stage, words in rules.STAGE_LABELS.items()},
        "level_words": {level.value: _(words) for level, words in rules.LEVEL_LABELS.items()},
        "check_words": {name: _(words) for name, words in rules.CHECK_LABELS.items()},
    }


@blueprint.get("/backups")
@needs("backups.see", always=True)
def page() -> ResponseReturnValue:
    """Show how the backups stand, who checked them, and every set."""
    session, actor, wish = current_session(), current_actor(), list_query(30)
    found = queries.list_sets(session, actor, wish)
    path = url_for("backups.page")
    return render_template(
        "backups/list.html",
        light=queries.backup_light(session, actor),
        standing=queries.standing(session, actor),
        days=queries.calendar(session, actor),
        months=rules.months_back(today()),
        place=queries.place(session, actor),
        places=PlacesOffice(office()).shown(actor),
        runs=queries.runs_under_way(session, actor),
        ended=queries.recent_runs(session, actor),
        found=found,
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or queries.SETS.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        at=_daily_time(),
        enabled=current_app.extensions["daftar.settings"].backup.enabled,
        **_words(),
    )


def _daily_time() -> str:
    time: str = current_app.extensions["daftar.settings"].backup.time
    return persian_digits(time) if current_locale() == "fa" else time


@blueprint.get("/backups/progress")
@needs("backups.see", always=True)
def progress() -> ResponseReturnValue:
    """Answer the page that waits: what runs now; when nothing does any more, open the page anew."""
    runs = queries.runs_under_way(current_session(), current_actor())
    answer = make_response(render_template("backups/_progress.html", runs=runs, **_words()))
    if not runs:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/backups/run")
@needs("backups.run", always=True)
def run() -> ResponseReturnValue:
    """Ask the scheduler for a backup."""
    office().ask(current_session(), current_actor(), Wish(Action.RUN, Kind.MANUAL))
    say(_("The backup begins in a moment. It is verified right after."))
    return redirect(url_for("backups.page"))


@blueprint.post("/backups/verify")
@needs("backups.run", always=True)
def verify_newest() -> ResponseReturnValue:
    """Ask the scheduler to verify the newest backup."""
    office().ask(current_session(), current_actor(), Wish(Action.VERIFY))
    say(_("The verification begins in a moment."))
    return redirect(url_for("backups.page"))


@blueprint.post("/backups/<name>/verify")
@needs("backups.run", always=True)
def verify(name: str) -> ResponseReturnValue:
    """Ask the scheduler to verify this backup."""
    office().ask(current_session(), current_actor(), Wish(Action.VERIFY, None, name))
    say(_("The verification begins in a moment."))
    return redirect(url_for("backups.show", name=name))


@blueprint.get("/backups/<name>")
@needs("backups.see", always=True)
def show(name: str) -> ResponseReturnValue:
    """Show one backup: what it holds, what was checked, and who said what."""
    session, actor = current_session(), current_actor()
    found = queries.get_set(session, actor, name)
    inside, problem = _inside(name)
    runs = queries.runs_of(session, actor, name)
    return render_template(
        "backups/show.html",
        found=found,
        verification=found.shown["verification"],
        inside=inside,
        problem=problem,
        runs=[run for run in runs if run.state in rules.WAITING],
        ended=[run for run in runs if run.state not in rules.WAITING],
        may_confirm=_may_confirm(found),
        **_words(),
    )


def _inside(name: str) -> tuple["Manifest | None", str]:
    """Return what the backup's own files say, or why they cannot be read."""
    try:
        return office().manifest(current_actor(), name), ""
    except (Broken, Missing) as error:
        return None, error.message


def _may_confirm(found: "BackupSet") -> bool:
    return current_actor().may("backups.confirm") and found.choice is None


@blueprint.get("/backups/<name>/check")
@needs("backups.confirm", always=True)
def check(name: str) -> ResponseReturnValue:
    """Ask a person what they say about this backup."""
    return _ask(queries.get_set(current_session(), current_actor(), name), CheckForm())


def _ask(found: "BackupSet", form: CheckForm, problem: str = "") -> str:
    sheet = request.headers.get("HX-Request") == "true"
    return render_template(
        "backups/_check.html" if sheet else "backups/check.html",
        found=found,
        verification=found.shown["verification"],
        form=form,
        problem=problem,
        sheet=sheet,
        **_words(),
    )


@blueprint.post("/backups/<name>/check")
@needs("backups.confirm", always=True)
def confirm(name: str) -> ResponseReturnValue:
    """Write down what the person says, signed with their password."""
    form, actor = CheckForm(), current_actor()
    try:
        choice, note = form.said()
        with database().read() as reading:  # slow on purpose, so outside the writing transaction
            confirm_password(reading, actor, form.password.data or "")
        office().confirm(current_session(), actor, name, choice, note)
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        found = queries.get_set(current_session(), actor, name)
        return _ask(found, form, refusal.message), status
    say(_("Your check is written down. Thank you."))
    there = url_for("backups.show", name=name)
    if request.headers.get("HX-Request") == "true":
        return "", 200, {"HX-Redirect": there}
    return redirect(there)


@blueprint.post("/backups/<name>/download")
@needs("backups.run", always=True)
def download(name: str) -> ResponseReturnValue:
    """Send the sealed backup; only the holder of a key can open it (R-BAK-4)."""
    outgoing = office().send(current_session(), current_actor(), name)
    answer = Response(outgoing.blocks, mimetype="application/x-tar")
    answer.content_length = outgoing.size
    answer.headers["Content-Disposition"] = f'attachment; filename="daftar-{name}.tar"'
    return answer
