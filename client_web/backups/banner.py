"""The banner above every page when days passed whose backup nobody checked (R-BAK-2)."""

from flask import current_app, url_for

from client_web.ladder.banners import Banner, put_away
from server.backups.queries import PAGE, days_waiting
from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.http.unit_of_work import database
from server.notices.queries import is_representative

KEY = "backups.unchecked"


def unchecked_banners(actor: Actor | None) -> list[Banner]:
    """Return the banner for a reader who should know, until they put it away for the day."""
    if actor is None or actor.user_id is None or not actor.may("backups.see") or KEY in put_away():
        return []
    if not current_app.extensions["daftar.settings"].backup.enabled:
        return []
    # A refusal is shown above it too, after the request's own transaction has ended.
    with database().read() as session:
        waiting = days_waiting(session, actor)
        if not waiting.count or not (waiting.is_told or is_representative(session, actor.user_id)):
            return []
    title = ngettext(
        "%(n)s day passed whose backup nobody checked",
        "%(n)s days passed whose backups nobody checked",
        waiting.count,
    )
    text = _("Somebody looks at each day's backup and confirms it with their password.")
    where = url_for("backups.check", name=waiting.name) if waiting.name else PAGE
    return [Banner("warning", title, text, where, _("Check it now"), KEY)]
