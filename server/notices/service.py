"""Warning of what the licence brings, and keeping who is told. Nothing here sends: messages go into the outbox."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.orm import Session

from server.activation.service import LicenseOffice
from server.audit.service import note
from server.core import clock, outbox
from server.core.actor import SYSTEM, Actor
from server.core.checklist import Checklist, clean_line, needed
from server.core.config import Settings
from server.core.contact import clean_email, clean_phone
from server.core.db import Database
from server.core.entitlements import Entitlements
from server.core.errors import Invalid, NotAllowed
from server.core.format import Display, current_display, set_display
from server.core.i18n import LOCALES, use_locale
from server.core.i18n import gettext as _
from server.core.letter_trial import trial_message
from server.core.letters import Channel, may_leave
from server.core.once import insert_if_new
from server.core.outbox import Message, enqueue
from server.notices import queries
from server.notices.models import ONLY_ROW, LicenseMatter, NoticePreference, Representative
from server.notices.rules import (
    Delivery,
    Matter,
    PreferenceDraft,
    RepresentativeDraft,
    deliveries,
    is_due,
    matters_of,
    once_key,
)
from server.notices.texts import warning

PAGE = "/license"
GOOD_FOR = timedelta(days=1)  # tomorrow another one is written, with another number of days
KIND = "notices"


class Warner:
    """Looks at the licence by the clock and puts into the outbox what people have to be told."""

    def __init__(self, settings: Settings, database: Database, office: LicenseOffice) -> None:
        self.settings = settings
        self.database = database
        self.office = office

    def warn(self) -> None:
        """Tell what holds now to whoever has to know, each matter at most once a day."""
        verdict = self.office.refresh()
        before = current_display()
        set_display(Display(zone=self.settings.organization.timezone))
        try:
            with self.database.write(SYSTEM) as session:
                tell_matters(session, verdict, clock.now(), self.settings)
        finally:
            set_display(before)


def tell_matters(session: Session, verdict: Entitlements, now: datetime, settings: Settings) -> int:
    """Put the warnings that are due into the outbox; return how many were new."""
    found = matters_of(verdict, now)
    standing = _remember(session, found, now)
    local = now.astimezone(ZoneInfo(settings.organization.timezone))
    if not may_leave(local):
        return 0
    who = queries.who_is_told(session)
    zone, today, count = local.tzinfo, local.date(), 0
    for matter, row in zip(found, standing, strict=True):
        since = row.since.astimezone(zone).date()
        if is_due(matter, since=since, told_on=row.told_on, today=today):
            ways = deliveries(matter, who.representative, who.admins)
            link = settings.web.public_url and f"{settings.web.public_url}{PAGE}"
            letters = [_message(matter, way, verdict, local, link) for way in ways]
            count += sum(enqueue(session, letter) for letter in letters)
            row.told_on = today
    return count


def _remember(session: Session, found: Sequence[Matter], now: datetime) -> list[LicenseMatter]:
    """Return the row of each matter; what no longer holds is forgotten and would be news again."""
    codes = [matter.code for matter in found]
    session.execute(delete(LicenseMatter).where(LicenseMatter.code.not_in(codes)))
    for code in codes:
        insert_if_new(session, LicenseMatter, {"code": code, "since": now}, ["code"])
    return [session.get_one(LicenseMatter, code, with_for_update=True) for code in codes]


def _message(
    matter: Matter, way: Delivery, verdict: Entitlements, local: datetime, link: str
) -> Message:
    with use_locale(way.contact.locale):
        written = warning(matter, way, verdict, now=local, link=link)
    return Message(
        channel=way.channel,
        to=way.to,
        subject=written.subject,
        body=written.body,
        html=written.html,
        addressee=way.contact.name,
        locale=way.contact.locale,
        purpose=matter.purpose,
        once_key=once_key(matter, way, local.date()),
        good_for=GOOD_FOR,
        urgent=matter.urgent,
    )


# Who is told


def check_representative(draft: RepresentativeDraft) -> RepresentativeDraft:
    """Return the draft as it is kept, or raise Invalid with every field that does not fit."""
    checks = Checklist()
    name = checks.take("", clean_line, draft.name, "name")
    name = checks.take("", needed, name, "name", _("A representative has a name."))
    email = checks.take("", clean_email, draft.email, "email")
    phone = checks.take("", clean_phone, draft.phone, "phone") if draft.phone.strip() else ""
    if draft.locale not in LOCALES:
        checks.refuse("locale", _("The language is one of fa, en and fr."))
    checks.finish()
    return RepresentativeDraft(name, email, phone, draft.locale)


def name_representative(
    session: Session, actor: Actor, draft: RepresentativeDraft
) -> RepresentativeDraft:
    """Write down who answers for the licence; the next warning goes to them (R-LIC-7)."""
    actor.must(queries.SEES)
    kept = check_representative(draft)
    before = queries.representative(session)
    if kept != before:
        session.merge(Representative(id=ONLY_ROW, updated_at=clock.now(), **asdict(kept)))
        note(session, actor, "name_representative", kind=KIND, changes=_changes(before, kept))
    return kept


def _changes(before: RepresentativeDraft | None, after: RepresentativeDraft) -> dict[str, object]:
    was = asdict(before) if before else dict.fromkeys(asdict(after), "")
    return {
        field: [was[field], value] for field, value in asdict(after).items() if was[field] != value
    }


def choose_ways(session: Session, actor: Actor, draft: PreferenceDraft) -> PreferenceDraft:
    """Keep by which ways the actor wants to hear of notices (R-CRM-8)."""
    if actor.user_id is None:
        raise NotAllowed(_("Only a user has notices of their own."))
    phone = clean_phone(draft.phone, "phone") if draft.phone.strip() else ""
    kept = PreferenceDraft(draft.by_email, draft.by_sms, phone)
    if kept != queries.preference_of(session, actor.user_id):
        session.merge(NoticePreference(user_id=actor.user_id, **asdict(kept)))
        told = {"by_email": kept.by_email, "by_sms": kept.by_sms}
        note(session, actor, "choose_ways", kind="user", record_id=actor.user_id, changes=told)
    return kept


# The record


def send_again(session: Session, actor: Actor, message_id: int) -> int:
    """Send a message once more, or a waiting one now; return the number of what is on its way."""
    actor.must(queries.SEES)
    again = outbox.send_again(session, message_id)
    note(session, actor, "send_again", kind="message", record_id=message_id)
    return again


def send_test(session: Session, actor: Actor, channel: str, to: str) -> int:
    """Put a test message into the outbox; return its number. Raise Invalid for no address or number."""
    actor.must(queries.SEES)
    try:
        way = Channel(channel)
    except ValueError as error:
        raise Invalid(_("A message goes by email or by sms."), field="channel") from error
    try:
        message = trial_message(way, to)
    except Invalid as refusal:
        raise Invalid(refusal.message, field="to") from refusal
    enqueue(session, message)
    made = outbox.message_of(session, message.once_key)
    note(session, actor, "send_test", kind="message", record_id=made.id)
    return made.id
