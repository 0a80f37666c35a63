"""The letter of each morning: how the last night's backup came out, to whoever has to check it (R-BAK-2)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.backups.queries import Morning, Night, is_time, last_night, works_now
from server.core import clock
from server.core.actor import SYSTEM
from server.core.config import Settings
from server.core.contact import email_key
from server.core.db import Database
from server.core.format import Display, current_display, set_display, span
from server.core.format import datetime as moment
from server.core.i18n import gettext as _
from server.core.i18n import ngettext, use_locale
from server.core.letter_text import Written, write_letter
from server.core.letters import Channel
from server.core.outbox import Message, OutgoingMessage, enqueue
from server.notices import queries
from server.notices.rules import Contact
from server.users.queries import people_who_may

PURPOSE = "backup.daily"
PERMISSION = "backups.confirm"
GOOD_FOR = timedelta(hours=20)  # tomorrow another one is written
PAGE = "/backups"


class MorningWriter:
    """Writes the letters by the clock, each reader's once a day."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database

    def write(self) -> None:
        """Put the letters of the day into the outbox when it is time and somebody lacks one."""
        wanted = self.settings.backup
        if not (wanted.enabled and wanted.letter):
            return
        local = clock.now().astimezone(ZoneInfo(self.settings.organization.timezone))
        with self.database.read() as session:
            if not is_time(local, at_work=works_now(session)) or not _lacking(
                session, local.date()
            ):
                return
        before = current_display()
        set_display(Display(zone=self.settings.organization.timezone))
        try:
            with self.database.write(SYSTEM) as session:
                write_letters(session, self.settings, local)
        finally:
            set_display(before)


def write_letters(session: Session, settings: Settings, local: datetime) -> int:
    """Put the letters of this local day into the outbox; return how many were new."""
    found = last_night(session, SYSTEM, local)
    letters = [
        _message(found, reader, settings.web.public_url, local.date())
        for reader in _lacking(session, local.date())
    ]
    return sum(enqueue(session, letter) for letter in letters)


def _lacking(session: Session, day: date) -> list[Contact]:
    """Return the readers who have no letter of this day yet."""
    keys = {once_key(reader, day): reader for reader in readers(session)}
    query = select(OutgoingMessage.once_key).where(OutgoingMessage.once_key.in_(keys))
    told = set(session.scalars(query))
    return [reader for key, reader in keys.items() if key not in told]


def readers(session: Session) -> list[Contact]:
    """Return who is written to, each address once: the representative, then whoever may confirm."""
    found: dict[str, Contact] = {}
    for contact in _contacts(session):
        if contact.email and contact.by_email:
            found.setdefault(email_key(contact.email), contact)
    return list(found.values())


def _contacts(session: Session) -> Iterator[Contact]:
    named = queries.representative(session)
    if named is not None:
        yield Contact(named.name, named.email, named.phone, named.locale)
    yield from queries.contacts_of(session, people_who_may(session, PERMISSION))


def once_key(reader: Contact, day: date) -> str:
    """Return what holds the letter to one a day for each address."""
    return f"{PURPOSE} {email_key(reader.email)} {day.isoformat()}"


def _message(found: Morning, reader: Contact, house: str, day: date) -> Message:
    with use_locale(reader.locale):
        written = letter(found, reader, house)
    return Message(
        channel=Channel.EMAIL,
        to=reader.email,
        subject=written.subject,
        body=written.body,
        html=written.html,
        addressee=reader.name,
        locale=reader.locale,
        purpose=PURPOSE,
        once_key=once_key(reader, day),
        good_for=GOOD_FOR,
        urgent=found.night is not Night.IN_ORDER,
    )


def letter(found: Morning, reader: Contact, house: str) -> Written:
    """Return the letter in the language that is spoken."""
    subject, first = _result(found)
    paragraphs = [first, _if_it_died(found), _to_do(found), _unchecked(found)]
    link = None
    if house:
        waits = found.night is not Night.NO_BACKUP and found.checked_by is None
        address = f"{house}{PAGE}/{found.name}/check" if waits else f"{house}{PAGE}"
        link = (_("To the check of the backup") if waits else _("To the backups"), address)
    kept = [paragraph for paragraph in paragraphs if paragraph]
    return write_letter(subject, kept, link=link, footer=[_why(reader)])


def _result(found: Morning) -> tuple[str, str]:
    when = moment(found.made_at)
    results = {
        Night.IN_ORDER: (
            _("Daftar: the backup is in order"),
            _("The backup of %(when)s was restored for real, and everything was there.", when=when),
        ),
        Night.PROBLEM: (
            _("Urgent – Daftar: the backup has a problem"),
            _("The backup of %(when)s is not in order. %(why)s", when=when, why=found.problem),
        ),
        Night.UNPROVED: (
            _("Daftar: the backup was not proved yet"),
            _("The backup of %(when)s was made, but not restored for real yet.", when=when),
        ),
        Night.NO_BACKUP: (
            _("Urgent – Daftar: there is no backup of last night"),
            _("No backup was made since yesterday."),
        ),
    }
    return results[found.night]


def _if_it_died(found: Morning) -> str:
    if found.lost is None:
        return _("If the server died now, nothing could be brought back.")
    lost = span(int(found.lost.total_seconds()))
    if found.restore_seconds is None:
        return _("If the server died now, you would lose the work of %(lost)s.", lost=lost)
    return _(
        "If the server died now, you would be back in %(back)s and lose the work of %(lost)s.",
        back=span(max(1, round(found.restore_seconds))),
        lost=lost,
    )


def _to_do(found: Morning) -> str:
    if found.night is Night.NO_BACKUP:
        return _("Open the backups page, see what it says, and make a backup.")
    if found.checked_by is not None:
        return _("%(name)s has checked it already.", name=found.checked_by)
    if found.night is Night.PROBLEM:
        return _("Look at it, make a new backup, and write down what you found.")
    return _("Look at it and confirm it with your password. It takes two minutes.")


def _unchecked(found: Morning) -> str:
    if not found.unchecked_days:
        return ""
    return ngettext(
        "%(n)s day before today was not checked by anybody.",
        "%(n)s days before today were not checked by anybody.",
        found.unchecked_days,
    )


def _why(reader: Contact) -> str:
    if reader.user_id is None:
        return _(
            "You receive this because you are the representative who answers for the licence and the "
            "backups. An administrator can switch the letter off in the settings, [backup] letter."
        )
    return _(
        "You receive this because you may confirm backups. "
        "You can switch these messages off in your profile, under “Notices”."
    )
