"""News in words, in the language that is spoken; days and moments in the customer's zone."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from licensing.authority.warnings.queries import Attention
from licensing.authority.warnings.rules import Event, News, days_since, days_until
from server.core.format import date, number
from server.core.format import datetime as shown_moment
from server.core.i18n import gettext as _
from server.core.i18n import ltr, ngettext
from server.core.letter_text import Written, write_letter

Sentences = tuple[str, list[str]]


def letter(event: Event, now: int) -> Written:
    """Return the news as a letter."""
    subject, paragraphs = _SENTENCES[event.news](event, now)
    about = _(
        "Licence %(id)s, %(site)s, %(customer)s.",
        id=ltr(event.subject.license_id),
        site=event.subject.site,
        customer=event.subject.customer,
    )
    return write_letter(subject, [*paragraphs, about], footer=[_why()])


def short(event: Event, now: int) -> str:
    """Return the news as a text message."""
    subject, paragraphs = _SENTENCES[event.news](event, now)
    return "\n".join([f"{subject}.", paragraphs[-1]])


def _why() -> str:
    return _(
        "You receive this because this address stands for the customer at the vendor. "
        "Ask the vendor to write another one down."
    )


def _day(seconds: int) -> str:
    return date(datetime.fromtimestamp(seconds, UTC))


def _moment(seconds: int) -> str:
    return shown_moment(datetime.fromtimestamp(seconds, UTC))


def _id(event: Event) -> str:
    return ltr(event.subject.license_id)


def _term_ending(event: Event, now: int) -> Sentences:
    left = days_until(event.at, now)
    subject = ngettext(
        "The Daftar licence %(id)s ends in %(count)s day, on %(date)s",
        "The Daftar licence %(id)s ends in %(count)s days, on %(date)s",
        left,
        id=_id(event),
        count=number(left),
        date=_day(event.at),
    )
    if left <= 3:
        subject = _("Urgent: %(sentence)s", sentence=subject)
    step = _("Renew it in time. The renewed licence reaches the server by itself.")
    if event.subject.is_trial:
        step = _("Order a licence to go on; what was written down meanwhile stays.")
    return subject, [
        _("After that day the server is locked until the renewal arrives. No data is lost."),
        step,
        _("The duty to renew holds even if a message was not delivered."),
    ]


def _silent(event: Event, now: int) -> Sentences:
    days = days_since(event.at, now)
    subject = ngettext(
        "The Daftar server of licence %(id)s has not called for %(count)s day",
        "The Daftar server of licence %(id)s has not called for %(count)s days",
        days,
        id=_id(event),
        count=number(days),
    )
    return subject, [
        _(
            "Its last call came on %(date)s. Its licence is renewed by these calls.",
            date=_day(event.at),
        ),
        _(
            "Without a call nothing can be changed on it some days later, and in the end it is locked. "
            "No data is lost."
        ),
        _(
            "Let the server reach the internet, or bring it a check-in file: "
            "its licence page says what stands between."
        ),
    ]


def _suspended(event: Event, _now: int) -> Sentences:
    return _("The Daftar licence %(id)s is suspended", id=_id(event)), [
        _("Since %(moment)s the licence is suspended.", moment=_moment(event.at)),
        _(
            "At its next call the server is locked. Data can be exported and backed up all the same."
        ),
        _("Ask the vendor why; once it is lifted, the server goes on with its next call."),
    ]


def _resumed(event: Event, _now: int) -> Sentences:
    return _("The Daftar licence %(id)s is in force again", id=_id(event)), [
        _("The server goes on with its next call, or at once with “Check now” on its licence page.")
    ]


def _revoked(event: Event, _now: int) -> Sentences:
    return _("The Daftar licence %(id)s is revoked", id=_id(event)), [
        _("Since %(moment)s the licence is revoked.", moment=_moment(event.at)),
        _(
            "At its next call the server is locked. Data can be exported and backed up all the same."
        ),
        _("Ask the vendor if you did not expect this."),
    ]


def _renewed(event: Event, _now: int) -> Sentences:
    end = event.subject.expires_at
    until = _("It now runs until %(date)s.", date=_day(end)) if end else ""
    return _("The Daftar licence %(id)s is renewed", id=_id(event)), [
        *([until] if until else []),
        _("The renewal reaches the server by itself with its next call. Thank you."),
    ]


def _rehosted(event: Event, _now: int) -> Sentences:
    return _("The Daftar licence %(id)s moves to another server", id=_id(event)), [
        _("On %(moment)s the old server lost the licence.", moment=_moment(event.at)),
        _(
            "Activate the new server with the new code. If you did not ask for this, tell the vendor at once."
        ),
    ]


def _clone_review(event: Event, _now: int) -> Sentences:
    return _("The Daftar licence %(id)s was seen from two servers", id=_id(event)), [
        _("Two servers have used the same activation. Nothing stops because of it."),
        _("Make sure that only one of them runs: a copy for tests needs a licence of its own."),
    ]


def _clone_hold(event: Event, _now: int) -> Sentences:
    return _("The Daftar licence %(id)s is held: two servers use it", id=_id(event)), [
        _(
            "Two servers have used the same activation in turn, again and again, so both are locked."
        ),
        _("Switch one of the two off, then ask the vendor to clear the hold."),
    ]


def _fingerprint_changed(event: Event, _now: int) -> Sentences:
    return _("The Daftar server of licence %(id)s runs on a changed machine", id=_id(event)), [
        _("Its hardware differs from that at the activation. Nothing stops because of it."),
        _(
            "Confirm the change on its licence page. If you changed nothing, make sure that nobody copied it."
        ),
    ]


_SENTENCES: Mapping[News, Callable[[Event, int], Sentences]] = {
    News.TERM_ENDING: _term_ending,
    News.SILENT: _silent,
    News.SUSPENDED: _suspended,
    News.RESUMED: _resumed,
    News.REVOKED: _revoked,
    News.RENEWED: _renewed,
    News.REHOSTED: _rehosted,
    News.CLONE_REVIEW: _clone_review,
    News.CLONE_HOLD: _clone_hold,
    News.FINGERPRINT_CHANGED: _fingerprint_changed,
}


def digest(found: Attention, keys: Sequence[str], flag_words: Mapping[str, str]) -> Written:
    """Return what needs the vendor's people today, as one letter."""
    paragraphs = []
    if keys:
        paragraphs.append(
            _(
                "These keys end soon and have no successor: %(keys)s. Run “daftar-authority keys rotate”.",
                keys=", ".join(keys),
            )
        )
    if found.flags:
        head = ngettext(
            "%(n)s flag is open. The newest:",
            "%(n)s flags are open. The newest:",
            found.flags_open,
        )
        words = [flag_words.get(one.kind.value, one.kind.value) for one in found.flags]
        lines = [
            f"{ltr(one.license_id)}: {_(word)} ({one.detail})"
            for one, word in zip(found.flags, words, strict=True)
        ]
        paragraphs.append("\n".join([head, *lines]))
    paragraphs.append(
        _(
            "Licences that end within ten days: %(ending)s. Servers silent for two weeks: %(silent)s.",
            ending=number(found.ending),
            silent=number(found.silent),
        )
    )
    return write_letter(_("Daftar authority: what needs you"), paragraphs)


def job_failed(name: str, reason: str) -> Written:
    """Return that a job of the authority failed, as a letter."""
    return write_letter(
        _("Daftar authority: %(job)s failed", job=name),
        [
            _("The work “%(job)s” ended badly the last time: %(why)s", job=name, why=reason),
            _("Look into the log. It is tried again by itself at its next time."),
        ],
    )
