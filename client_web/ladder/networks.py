"""Where users may sit: what the licence covers, as whom this server sees its visitors, who came from outside."""

from dataclasses import dataclass

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from client_web.ladder.reader import verdict_now
from client_web.ladder.views import blueprint
from server.activation.outside import recent_visits
from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.network import NOBODY_KNOWS, caller, is_inside
from server.http.unit_of_work import current_session
from server.users.queries import names_of


@dataclass(frozen=True)
class Visit:
    """Requests of one day from one address, as the page shows them."""

    day: object
    address: str | None
    refused: bool
    count: int
    last_at: object
    who: str


@blueprint.get("/license/networks")
@needs("license.manage", always=True)
def networks() -> ResponseReturnValue:
    """Show the networks of the licence, the visitor's own address, and who came from outside lately."""
    actor, verdict = current_actor(), verdict_now()
    here = caller()
    modes = {
        "enforce": _("Requests from elsewhere are refused"),
        "warn": _("Requests from elsewhere are served, and warned of"),
        "off": _("Users may sit anywhere"),
    }
    return render_template(
        "ladder/networks.html",
        networks=verdict.networks if verdict else (),
        mode=verdict.network_mode if verdict else "off",
        mode_words=modes.get(verdict.network_mode if verdict else "off", ""),
        address=here,
        inside=verdict is None or is_inside(here, verdict.networks),
        proxies=current_app.extensions["daftar.settings"].web.proxies,
        visits=_visits(actor),
    )


def _visits(actor: Actor) -> list[Visit]:
    session = current_session()
    found = recent_visits(session, actor)
    names = names_of(session, [one.last_user_id for one in found])
    return [
        Visit(
            day=one.day,
            address=None if one.address == NOBODY_KNOWS else one.address,
            refused=one.refused,
            count=one.count,
            last_at=one.last_at,
            who=names.get(one.last_user_id or 0, ""),
        )
        for one in found
    ]


def outside_page() -> str:
    """Render the refusal of a visitor outside the networks: which address, which networks, what to do."""
    verdict = verdict_now()
    return render_template(
        "ladder/outside.html",
        address=caller(),
        networks=verdict.networks if verdict else (),
        banners=[],
    )
