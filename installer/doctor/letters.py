"""Checks of mail and SMS: nothing is sent, since a message costs money and patience."""

from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from installer.checks import Finding, passed, skipped, warned
from installer.doctor.patient import opened
from server.core.config import Settings
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.letter_settings import LOOPBACK
from server.core.letters import Channel, Undelivered, stage_sentence
from server.core.postman import Traffic, carriers, traffic


def mail(settings: Settings) -> Finding:
    """Warn when the mail server cannot be reached, refuses our sign-in, or mail was not delivered."""
    if not settings.mail.host:
        return warned(
            _("No mail server is configured: warnings reach nobody by mail."),
            _("Fill in [mail] as docs/settings.md says, then: daftar notify test --mail ADDRESS"),
        )
    return _examined(settings, Channel.EMAIL, "daftar notify test --mail ADDRESS")


def sms(settings: Settings) -> Finding:
    """Warn when the SMS gateway cannot be reached, or SMS were not delivered."""
    if not settings.sms.url:
        return skipped(_("No SMS gateway is configured."))
    parts = urlsplit(settings.sms.url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and "{secret}" in _texts(settings):
        return warned(
            _("The gateway's key travels unencrypted to %(host)s.", host=parts.hostname),
            _("Use its https address as [sms] url, if it has one."),
        )
    return _examined(settings, Channel.SMS, "daftar notify test --sms NUMBER")


def _texts(settings: Settings) -> str:
    return settings.sms.url + settings.sms.body + "".join(settings.sms.headers)


def _examined(settings: Settings, channel: Channel, fix: str) -> Finding:
    carrying = carriers(
        settings.mail, settings.sms, home=settings.home, secrets_dir=settings.secrets
    )
    try:
        answer = carrying[channel].probe()
    except Undelivered as failure:
        return warned(f"{stage_sentence(failure.stage.value)} ({failure.answer})", fix)
    return _judged(_traffic(settings, channel), answer)


def _traffic(settings: Settings, channel: Channel) -> Traffic | None:
    try:
        with opened(settings) as database, database.read() as session:
            return traffic(session, channel)
    except (Missing, SQLAlchemyError):
        return None  # the checks of the database say why


def _judged(found: Traffic | None, answer: str) -> Finding:
    if found is not None and found.failed_today:
        return warned(
            ngettext(
                "%(n)s message was not delivered in the last 24 hours.",
                "%(n)s messages were not delivered in the last 24 hours.",
                found.failed_today,
            ),
            "daftar notify list",
        )
    return passed(answer)
