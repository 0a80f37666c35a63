"""The banners above every page: what the licence says to this reader, until they put it away for the day.

What stops work cannot be put away. The choice is a cookie that ends with the reader's day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app, g, request, url_for

from client_web.ladder.reader import reader_of, verdict_now
from server.activation.words import OUTSIDE, REFUSING, Reader, Told, tell
from server.core import clock
from server.core.actor import Actor
from server.core.entitlements import Entitlements, Notice
from server.core.format import local, today
from server.core.i18n import gettext as _
from server.http.network import NOBODY_KNOWS

COOKIE = "daftar_put_away"
MOST = 20
DIAGNOSIS = "/license/diagnosis"


@dataclass(frozen=True)
class Banner:
    """One banner as the kit shows it. `key` names it when it may be put away for the day."""

    level: str
    title: str
    text: str
    url: str | None = None
    action: str | None = None
    key: str | None = None


def banners(actor: Actor | None) -> list[Banner]:
    """Return what the licence says to this reader above the page, the gravest first."""
    verdict = verdict_now()
    if verdict is None:
        return []
    reader = reader_of(actor)
    return [*_outside(verdict, reader), *_told(verdict, reader)]


def _told(verdict: Entitlements, reader: Reader) -> Iterator[Banner]:
    away = put_away()
    for notice in verdict.notices:
        if not _is_for(notice, reader):
            continue
        key = f"{notice.code}.{notice.mode}"
        stays = notice.mode in REFUSING
        if not stays and key in away:
            continue
        told = tell(verdict, notice, reader, clock.now())
        url, action = _way(notice, reader)
        yield Banner(
            told.level,
            told.title,
            _text(told, reader, stays=stays),
            url,
            action,
            None if stays else key,
        )


def _outside(verdict: Entitlements, reader: Reader) -> Iterator[Banner]:
    """Yield the warning to who sits outside while the licence only warns of it."""
    address = g.get("outside")
    key = "outside.you"
    if address is None or reader is Reader.STRANGER or key in put_away():
        return
    networks = ", ".join(verdict.networks)
    text = _(
        "It still works. The licence covers %(networks)s; use the organisation's network, or tell an "
        "administrator that you need another one.",
        networks=networks,
    )
    title = (
        _("You work from outside the networks of the licence")
        if address == NOBODY_KNOWS
        else _("You work from %(address)s, outside the networks of the licence", address=address)
    )
    yield Banner("warning", title, text, key=key)


def _is_for(notice: Notice, reader: Reader) -> bool:
    if reader is Reader.STRANGER:
        return notice.mode in REFUSING
    return reader is Reader.ADMINISTRATOR or notice.audience == "everybody"


def _text(told: Told, reader: Reader, *, stays: bool) -> str:
    """Return the sentences below the title; what stops work says why, and its link is the next step."""
    administers = reader is Reader.ADMINISTRATOR
    first = told.happened if stays else ""
    last = told.call if not administers else "" if stays else told.next_step
    return " ".join(part for part in (first, told.works, last) if part)


def _way(notice: Notice, reader: Reader) -> tuple[str | None, str | None]:
    if reader is Reader.STRANGER or "license.page" not in current_app.view_functions:
        return None, None
    if reader is Reader.ADMINISTRATOR and notice.code == "no_contact" and has_diagnosis():
        return DIAGNOSIS, _("Find out what is wrong")
    if notice.code == OUTSIDE:
        return url_for("ladder.networks"), _("To the networks")
    if reader is Reader.ADMINISTRATOR and notice.code == "seats_over_cap":
        return url_for("colleagues.page"), _("To the users")
    return url_for("license.page"), _("To the licence page")


def has_diagnosis() -> bool:
    """Tell whether this installation has the page that finds out what stands between it and the vendor."""
    return any(rule.rule == DIAGNOSIS for rule in current_app.url_map.iter_rules())


# Putting away


def put_away() -> frozenset[str]:
    """Return the banners that this reader put away today."""
    day, _colon, keys = request.cookies.get(COOKIE, "").partition(":")
    return frozenset(keys.split(",")) if day == today().isoformat() else frozenset()


def with_put_away(key: str) -> str:
    """Return the cookie that puts one more banner away, besides those of today."""
    kept = [*(put_away() - {key}), key][-MOST:]
    return f"{today().isoformat()}:{','.join(kept)}"


def seconds_left_today() -> int:
    """Return how long the reader's day still lasts."""
    now = local(clock.now())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return max(1, int((midnight - now).total_seconds()))
