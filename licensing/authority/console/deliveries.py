"""What the authority sent by mail and SMS, and what became of it."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from licensing.authority.audit.service import note
from licensing.authority.console.desk import operator, say
from licensing.authority.console.reading import day_filters, show_list
from server.core.i18n import gettext as _
from server.core.letter_list import list_messages
from server.core.letters import CHANNEL_LABELS, stage_sentence
from server.core.outbox import STATE_LABELS, get_message, send_again
from server.http.access import needs
from server.http.unit_of_work import current_session

blueprint = Blueprint("deliveries", __name__)


@blueprint.get("/deliveries")
@needs("deliveries.see")
def page() -> ResponseReturnValue:
    """List what was sent, the newest first."""
    return show_list(
        "console/deliveries/list.html",
        "deliveries.page",
        list_messages,
        sort="-created_at",
        filters=day_filters("created_at"),
        states={state: _(label) for state, label in STATE_LABELS.items()},
        channels={channel: _(label) for channel, label in CHANNEL_LABELS.items()},
    )


@blueprint.get("/deliveries/<int:message_id>")
@needs("deliveries.see")
def show(message_id: int) -> ResponseReturnValue:
    """Show one message and how it went."""
    message = get_message(current_session(), message_id)
    return render_template(
        "console/deliveries/show.html",
        message=message,
        state=_(STATE_LABELS[message.state]),
        channel=_(CHANNEL_LABELS[message.channel]),
        problem=stage_sentence(message.problem) if message.problem else None,
    )


@blueprint.post("/deliveries/<int:message_id>/again")
@needs("deliveries.repeat")
def again(message_id: int) -> ResponseReturnValue:
    """Send a message once more, or try one that waits now."""
    session = current_session()
    recipient = get_message(session, message_id).recipient
    on_its_way = send_again(session, message_id)
    note(session, operator().email, "message.again", recipient, {"message": message_id})
    say(_("The message is on its way again."))
    return redirect(url_for("deliveries.show", message_id=on_its_way))
