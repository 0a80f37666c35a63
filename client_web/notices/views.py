"""Pages of warnings: what was sent and how it went, and who is told.

Every route is open in every licence mode: whoever has to end a lock may see who was told of it.
"""

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from client_web.notices.forms import RepresentativeForm, TryForm
from client_web.reading import address_now, page_address, put_back, say
from client_web.users.forms import LANGUAGES
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.core.letters import CHANNEL_LABELS, Channel, stage_sentence
from server.core.outbox import STATE_LABELS
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.notices import queries, service
from server.notices.rules import PURPOSE_LABELS, RepresentativeDraft

blueprint = Blueprint("notices", __name__)

STATE_TONES = {"waiting": "amber", "sent": "green", "failed": "red"}


def _tabs(here: str) -> list[dict[str, object]]:
    pages = [("page", _("What was sent"), "send"), ("who", _("Who is told"), "users")]
    return [
        {"label": label, "url": url_for(f"notices.{name}"), "icon": icon, "active": name == here}
        for name, label, icon in pages
    ]


def _words() -> dict[str, object]:
    return {
        "channels": {channel.value: _(words) for channel, words in CHANNEL_LABELS.items()},
        "states": {state.value: _(words) for state, words in STATE_LABELS.items()},
        "state_tones": STATE_TONES,
        "purpose_word": _purpose_word,
        "stage_sentence": stage_sentence,
    }


def _purpose_word(purpose: str) -> str:
    return _(PURPOSE_LABELS[purpose]) if purpose in PURPOSE_LABELS else purpose


def _configured() -> dict[Channel, bool]:
    settings = current_app.extensions["daftar.settings"]
    return {Channel.EMAIL: bool(settings.mail.host), Channel.SMS: bool(settings.sms.url)}


@blueprint.get("/settings/notices")
@needs("settings.edit", always=True)
def page() -> ResponseReturnValue:
    """List what was sent by mail and SMS, and how it went."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.list_deliveries(session, actor, wish)
    path = url_for("notices.page")
    known = queries.purposes(session, actor)
    return render_template(
        "notices/list.html",
        found=found,
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or queries.MESSAGES.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        purposes=[(purpose, _purpose_word(purpose)) for purpose in known],
        traffic=queries.channel_traffic(session, actor),
        configured=_configured(),
        tabs=_tabs("page"),
        **_words(),
    )


@blueprint.get("/settings/notices/<int:message_id>")
@needs("settings.edit", always=True)
def show(message_id: int) -> ResponseReturnValue:
    """Show one message with its text and how it went."""
    found = queries.get_delivery(current_session(), current_actor(), message_id)
    return render_template("notices/show.html", message=found, **_words())


@blueprint.post("/settings/notices/<int:message_id>/again")
@needs("settings.edit", always=True)
def again(message_id: int) -> ResponseReturnValue:
    """Send a message once more, or a waiting one now."""
    on_its_way = service.send_again(current_session(), current_actor(), message_id)
    say(_("The message is on its way. This page shows in a moment how it went."))
    return redirect(url_for("notices.show", message_id=on_its_way))


@blueprint.get("/settings/warnings")
@needs("settings.edit", always=True)
def who() -> ResponseReturnValue:
    """Show who is told before the term ends, and let the representative be named."""
    named = queries.representative(current_session()) or RepresentativeDraft(
        locale=current_actor().locale
    )
    form = RepresentativeForm(
        name=named.name, email=named.email, phone=named.phone, locale=named.locale
    )
    return _who(form, _try_form())


def _try_form() -> TryForm:
    return TryForm(formdata=None, channel=Channel.EMAIL.value, to=current_actor().email)


def _who(form: RepresentativeForm, trial: TryForm, problem: str = "") -> str:
    session = current_session()
    told = queries.who_is_told(session)
    return render_template(
        "notices/who.html",
        form=form,
        trial=trial,
        problem=problem,
        told=told,
        languages=list(LANGUAGES.items()),
        configured=_configured(),
        tabs=_tabs("who"),
        **_words(),
    )


@blueprint.post("/settings/warnings")
@needs("settings.edit", always=True)
def name_representative() -> ResponseReturnValue:
    """Name the representative, or show the form again with what does not fit."""
    form = RepresentativeForm()
    try:
        named = service.name_representative(current_session(), current_actor(), form.draft())
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _who(form, _try_form(), refusal.message), status
    say(_("From now on %(name)s is told.", name=named.name))
    return redirect(url_for("notices.who"))


@blueprint.post("/settings/warnings/test")
@needs("settings.edit", always=True)
def send_test() -> ResponseReturnValue:
    """Send a test message; its page shows how it went."""
    trial, session, actor = TryForm(), current_session(), current_actor()
    try:
        made = service.send_test(session, actor, trial.channel.data or "", trial.to.data or "")
    except DaftarError as refusal:
        _elsewhere, status = put_back(trial, refusal)
        named = queries.representative(session) or RepresentativeDraft()
        form = RepresentativeForm(
            formdata=None,
            name=named.name,
            email=named.email,
            phone=named.phone,
            locale=named.locale,
        )
        return _who(form, trial), status
    say(_("The test message is on its way. This page shows in a moment how it went."))
    return redirect(url_for("notices.show", message_id=made))
