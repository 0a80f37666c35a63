"""A month's record as a signed PDF."""

from flask import Response, request
from flask.typing import ResponseReturnValue

from client_web.backups.views import blueprint, office
from client_web.kit.assets import STATIC
from server.backups.months import month_pdf
from server.core.i18n import LOCALES, current_locale
from server.http.access import current_actor, needs

FONTS = STATIC / "fonts"


@blueprint.get("/backups/months/<month>.pdf")
@needs("backups.see", always=True)
def month_record(month: str) -> ResponseReturnValue:
    """Send the record of the month, in the reader's language or the one asked for."""
    wanted = request.args.get("lang", "")
    locale = wanted if wanted in LOCALES else current_locale()
    content = month_pdf(office(), current_actor(), month, fonts=FONTS, locale=locale)
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="daftar-backups-{month}.pdf"'
    return answer
