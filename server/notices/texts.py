"""Warnings in words, in the language that is spoken: the sentences of the banners, and why they came."""

from datetime import datetime

from server.activation.queries import Told, tell_administrator
from server.core.entitlements import Entitlements
from server.core.i18n import gettext as _
from server.core.letter_text import Written, write_letter
from server.core.letters import Channel
from server.notices.rules import Delivery, Matter

_DUTY = frozenset({"term_ending", "term_ended"})


def warning(
    matter: Matter, delivery: Delivery, verdict: Entitlements, *, now: datetime, link: str
) -> Written:
    """Return the warning as this recipient gets it. An SMS has its text alone."""
    told = tell_administrator(verdict, matter.notice, now)
    if delivery.channel is Channel.SMS:
        return Written("", _short(matter, told), "", "")
    paragraphs = [told.happened, told.works, told.next_step, told.call]
    if matter.notice.code in _DUTY:
        paragraphs.insert(3, _duty())
    return write_letter(
        _subject(matter, told),
        [sentence for sentence in paragraphs if sentence],
        link=(_("To the licence page"), link) if link else None,
        footer=_why(delivery),
    )


def _subject(matter: Matter, told: Told) -> str:
    if matter.urgent:
        return _("Urgent – Daftar: %(title)s", title=told.title)
    return _("Daftar: %(title)s", title=told.title)


def _duty() -> str:
    return _(
        "The duty to renew in time holds even if one of these messages was not delivered: "
        "the licence page always shows the day."
    )


def _short(matter: Matter, told: Told) -> str:
    sentences = [_subject(matter, told) + ".", told.next_step]
    if matter.notice.code in _DUTY:
        sentences.append(_("The duty to renew holds even if a message was not delivered."))
    return "\n".join(sentence for sentence in sentences if sentence)


def _why(delivery: Delivery) -> list[str]:
    if delivery.contact.user_id is None:
        return [
            _(
                "You receive this because you are the representative who answers for the licence. "
                "These warnings cannot be switched off, since somebody has to be told in time. "
                "An administrator names a successor in Daftar, under “Warnings”."
            )
        ]
    if delivery.duty:
        return [
            _(
                "You receive this because you administer Daftar and no representative is named. "
                "Until one is, these warnings cannot be switched off: name one in Daftar, under “Warnings”."
            )
        ]
    return [
        _(
            "You receive this because you administer Daftar. "
            "You can switch these messages off in your profile, under “Notices”."
        )
    ]
