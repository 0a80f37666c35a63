"""What the licence has to say to one reader: what happened, what still works, what to do, whom to ask.

Every sentence names the facts: dates in the reader's calendar, days left, users and seats. Pure but
for the reader's language; the clock is handed in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from server.activation.rules import notice_sentences
from server.core.entitlements import Entitlements, Notice
from server.core.format import date, number
from server.core.i18n import gettext as _
from server.core.i18n import ngettext

DAY = timedelta(days=1)
OUTSIDE = "OUTSIDE_NETWORK"  # our own notice, beside those that the vendor signs
REFUSING = frozenset({"read_only", "locked", "setup"})


class Reader(IntEnum):
    """Who reads: a stranger learns no facts, a colleague none that only an administrator needs."""

    STRANGER = 0
    COLLEAGUE = 1
    ADMINISTRATOR = 2


@dataclass(frozen=True)
class Told:
    """One thing that the licence says, in sentences for its reader. Empty ones are left out."""

    level: str
    title: str
    happened: str = ""
    works: str = ""
    next_step: str = ""
    call: str = ""


@dataclass(frozen=True)
class _Case:
    """What the sentences of one reason draw on."""

    verdict: Entitlements
    mode: str
    now: datetime
    at: datetime | None

    @property
    def refuses(self) -> bool:
        return self.mode in REFUSING


def tell(verdict: Entitlements, notice: Notice, reader: Reader, now: datetime) -> Told:
    """Return what this row of the ladder, or this signed notice, means for the reader."""
    if reader is Reader.STRANGER:
        return _to_stranger(notice)
    if not notice.mode:
        return Told(notice.level, _signed(verdict, notice))
    case = _Case(verdict, notice.mode, now, notice.at)
    title, happened, works = _REASONS.get(notice.code, _unknown)(case)
    administers = reader is Reader.ADMINISTRATOR
    return Told(
        level=notice.level,
        title=title,
        happened=happened,
        works=_for_colleague(notice.mode) if case.refuses and not administers else works,
        next_step=_next_step(case, notice.code)
        if administers
        else _tell_administrator(notice.mode),
        call=_vendor(verdict) if administers else _administrators(verdict),
    )


def gravest(verdict: Entitlements) -> Notice:
    """Return the row of the ladder that gives the mode its reason."""
    rows = (
        one for one in verdict.notices if (one.mode, one.code) == (verdict.mode, verdict.reason)
    )
    level = {"locked": "danger", "read_only": "danger", "setup": "info"}.get(
        verdict.mode, "success"
    )
    return next(rows, Notice(verdict.reason, "everybody", level, mode=verdict.mode))


def _signed(verdict: Entitlements, notice: Notice) -> str:
    if notice.code == OUTSIDE:
        return ngettext(
            "In the last seven days %(count)s request came from outside the networks of the licence.",
            "In the last seven days %(count)s requests came from outside the networks of the licence.",
            verdict.facts.outside_visits,
            count=number(verdict.facts.outside_visits),
        )
    [sentence] = notice_sentences([notice.code])
    return notice.text if notice.code in sentence and notice.text else sentence


def _to_stranger(notice: Notice) -> Told:
    titles = {
        "locked": _("Daftar is locked at the moment"),
        "read_only": _("Nothing can be changed at the moment"),
        "setup": _("This server is not in use yet"),
    }
    works = {
        "locked": _(
            "Only administrators can work: they sign in here and find the way out. Nothing is lost."
        ),
        "read_only": _("Records can be read after signing in."),
        "setup": _("An administrator signs in here and activates it."),
    }
    return Told(notice.level, titles.get(notice.mode, ""), works=works.get(notice.mode, ""))


# Facts in words


def _days(span: timedelta) -> int:
    """Return full days, rounded up."""
    return max(0, -(-span // DAY))


def _days_ago(case: _Case) -> int:
    last = case.verdict.last_contact_at
    return max(0, (case.now - last) // DAY) if last else 0


def _day(moment: datetime | None) -> str:
    return date(moment) if moment else "–"


def _vendor(verdict: Entitlements) -> str:
    if verdict.facts.vendor and verdict.license_id:
        return _(
            "The vendor: %(vendor)s. Name the licence %(id)s.",
            vendor=verdict.facts.vendor,
            id=verdict.license_id,
        )
    if verdict.facts.vendor:
        return _("The vendor: %(vendor)s.", vendor=verdict.facts.vendor)
    if verdict.license_id:
        return _(
            "The vendor from whom Daftar was bought. Name the licence %(id)s.",
            id=verdict.license_id,
        )
    return _("The vendor from whom Daftar was bought.")


def _administrators(verdict: Entitlements) -> str:
    names = verdict.facts.administrators
    if not names:
        return _("The administrator of this server.")
    listed = " · ".join(names)
    return ngettext(
        "Your administrator: %(names)s.",
        "Your administrators: %(names)s.",
        len(names),
        names=listed,
    )


def _tell_administrator(mode: str) -> str:
    if mode in REFUSING:
        return _("Ask an administrator of this server; they can still sign in and end this.")
    return _("Please tell an administrator of this server.")


def _for_colleague(mode: str) -> str:
    if mode == "read_only":
        return _("Everything can be read and searched. Nothing is lost.")
    return _(
        "Nothing is lost. Administrators can still sign in, back everything up, export it and end this."
    )


def _rescue() -> str:
    return _(
        "Signing in, the licence pages, backups with verification and restore, the export of everything, "
        "deactivating users and the help pages. Nothing is lost."
    )


def _reading() -> str:
    return _(
        "Reading, searching, exports, backups, the licence pages and deactivating users. "
        "Nothing can be written down or changed."
    )


# One function a reason: title, what happened, what still works

_Sentences = tuple[str, str, str]


def _fresh(_case: _Case) -> _Sentences:
    return (
        _("The licence is in order"),
        _("The licence was confirmed by the vendor and its term is running."),
        _("Everything works."),
    )


def _term_ending(case: _Case) -> _Sentences:
    ends, locked = case.verdict.expires_at, case.at
    left = _days(ends - case.now) if ends else 0
    title = ngettext(
        "The licence ends in %(count)s day, on %(date)s",
        "The licence ends in %(count)s days, on %(date)s",
        left,
        count=number(left),
        date=_day(ends),
    )
    return (
        title if left else _("The licence has ended on %(date)s", date=_day(ends)),
        _("The paid term runs until %(date)s, and no renewal has arrived yet.", date=_day(ends)),
        _(
            "Everything works until then. From %(locked)s Daftar is locked, unless the renewal arrives.",
            locked=_day(locked),
        ),
    )


def _no_contact(case: _Case) -> _Sentences:
    days = _days_ago(case)
    silent = ngettext(
        "The vendor has not been reached for %(count)s day",
        "The vendor has not been reached for %(count)s days",
        days,
        count=number(days),
    )
    happened = ngettext(
        "The last answer of the vendor came %(count)s day ago, on %(date)s. "
        "Usually the internet line, a proxy or the clock of this server is the reason.",
        "The last answer of the vendor came %(count)s days ago, on %(date)s. "
        "Usually the internet line, a proxy or the clock of this server is the reason.",
        days,
        count=number(days),
        date=_day(case.verdict.last_contact_at),
    )
    titles = {
        "read_only": _("Nothing can be changed at the moment"),
        "locked": _("Daftar is locked"),
    }
    return titles.get(case.mode, silent), happened, _works_without_contact(case)


def _works_without_contact(case: _Case) -> str:
    facts = case.verdict.facts
    works = {
        "warn_admin": _(
            "Everything works. Without an answer everybody is told from %(told)s, nothing can be changed "
            "from %(read_only)s, and Daftar is locked from %(locked)s.",
            told=_day(facts.told_at),
            read_only=_day(facts.read_only_at),
            locked=_day(facts.locked_at),
        ),
        "warn_users": _(
            "Everything works until %(read_only)s. Without an answer records can only be read from then "
            "on, and Daftar is locked from %(locked)s.",
            read_only=_day(facts.read_only_at),
            locked=_day(facts.locked_at),
        ),
        "read_only": _(
            "Reading, searching, exports, backups, the licence pages and deactivating users. "
            "Without an answer Daftar is locked from %(locked)s.",
            locked=_day(facts.locked_at),
        ),
    }
    return works.get(case.mode, _rescue())


def _seats_over_cap(case: _Case) -> _Sentences:
    used, cap = case.verdict.facts.named_used, case.verdict.facts.named_cap
    counted = {"used": number(used), "cap": number(cap)}
    happened = _("The licence covers %(cap)s users, and %(used)s are active.", **counted)
    if case.mode == "read_only":
        return _("Nothing can be changed at the moment"), happened, _reading()
    return (
        _("There are more users than seats: %(used)s of %(cap)s", **counted),
        happened,
        _(
            "Everything works until %(date)s, only nobody new can be added. "
            "From then on nothing can be changed until there are enough seats.",
            date=_day(case.at),
        ),
    )


def _term_ended(case: _Case) -> _Sentences:
    ended = _day(case.verdict.expires_at)
    return (
        _("Daftar is locked: the licence ended on %(date)s", date=ended),
        _("The paid term ended on %(date)s, and no renewal has arrived.", date=ended),
        _rescue(),
    )


def _not_started(case: _Case) -> _Sentences:
    starts = _day(case.verdict.facts.starts_at)
    return (
        _("The licence starts on %(date)s", date=starts),
        _("The licence is activated, but its term begins only on %(date)s.", date=starts),
        _("Administrators can sign in and use the licence pages, backups and exports."),
    )


def _not_activated(_case: _Case) -> _Sentences:
    return (
        _("This server is not activated yet"),
        _("Daftar is installed, but no licence has been activated on this server."),
        _("Administrators can sign in and use the licence pages, backups and exports."),
    )


def _locked_by(
    title: Callable[[], str], happened: Callable[[], str]
) -> Callable[[_Case], _Sentences]:
    return lambda _case: (title(), happened(), _rescue())


def _unknown(case: _Case) -> _Sentences:
    return _("The licence needs attention"), "", _rescue() if case.refuses else ""


_REASONS: Mapping[str, Callable[[_Case], _Sentences]] = {
    "fresh": _fresh,
    "term_ending": _term_ending,
    "no_contact": _no_contact,
    "seats_over_cap": _seats_over_cap,
    "term_ended": _term_ended,
    "suspended": _locked_by(
        lambda: _("Daftar is locked: the vendor has suspended the licence"),
        lambda: _("The vendor said so in a signed answer. A suspension can be lifted."),
    ),
    "revoked": _locked_by(
        lambda: _("Daftar is locked: the vendor has revoked the licence"),
        lambda: _("The vendor said so in a signed answer."),
    ),
    "superseded": _locked_by(
        lambda: _("Daftar is locked: the licence has moved to another server"),
        lambda: _("The vendor gave this licence to a new server, after a request to re-host it."),
    ),
    "deactivated": _locked_by(
        lambda: _("Daftar is locked: the licence was given back"),
        lambda: _("This server gave its activation back; the signed proof is kept here."),
    ),
    "clone_hold": _locked_by(
        lambda: _("Daftar is locked: this server seems to exist twice"),
        lambda: _("Two servers have used the same activation in turn, again and again."),
    ),
    "not_activated": _not_activated,
    "not_started": _not_started,
}


def _next_step(case: _Case, code: str) -> str:
    facts = case.verdict.facts
    too_many = max(1, facts.named_used - facts.named_cap)
    steps: Mapping[str, Callable[[], str]] = {
        "term_ending": lambda: _(
            "Renew with the vendor. The renewed licence arrives by itself at the next check."
        ),
        "no_contact": lambda: _(
            "Look at the diagnosis, which finds out what stands between, then choose “Check now”. "
            "Without any line a check-in file does the same."
        ),
        "seats_over_cap": lambda: ngettext(
            "Deactivate %(count)s user, or buy more seats; they arrive by themselves at the next check.",
            "Deactivate %(count)s users, or buy more seats; they arrive by themselves at the next check.",
            too_many,
            count=number(too_many),
        ),
        "term_ended": lambda: _(
            "Renew with the vendor, then choose “Check now” on the licence page."
        ),
        "suspended": lambda: _(
            "Ask the vendor why. Once it is lifted, choose “Check now” on the licence page."
        ),
        "revoked": lambda: _("Ask the vendor why. Back up and export what you need meanwhile."),
        "superseded": lambda: _("Use the new server. If you did not ask for this, ask the vendor."),
        "deactivated": lambda: _(
            "Activate again with an activation code, or take your data along: export everything."
        ),
        "clone_hold": lambda: _(
            "Switch one of the two off, then ask the vendor to clear the hold."
        ),
        "not_activated": lambda: _("Enter the activation code that came with your order."),
        "not_started": lambda: _("Wait for that day, or ask the vendor for an earlier one."),
        "fresh": lambda: _("There is nothing to do. The next check happens by itself."),
    }
    return steps.get(code, lambda: "")()
