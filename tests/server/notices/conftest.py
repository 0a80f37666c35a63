"""Verdicts of the ladder and a house whose people can be warned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import Entitlements, Facts, Notice
from server.core.outbox import OutgoingMessage
from server.notices.rules import RepresentativeDraft
from server.notices.service import name_representative, tell_matters
from tests.server.conftest import Cast

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)
RITA = RepresentativeDraft("Rita", "rita@example.com", "+989121234567", "en")


def term_ending(now: datetime, days: float) -> Entitlements:
    """Return the verdict so many days before the term ends."""
    end = now + timedelta(days=days)
    row = Notice("term_ending", "admins", "warning", end, "warn_expiry")
    return verdict_of([row], mode="warn_expiry", reason="term_ending", expires_at=end)


def silent(mode: str, level: str = "warning", now: datetime = NOON) -> Entitlements:
    """Return the verdict of a server that has not reached the vendor for a while."""
    row = Notice("no_contact", "everybody", level, now + timedelta(days=3), mode)
    return verdict_of([row], mode=mode, reason="no_contact", expires_at=now + timedelta(days=200))


def said(code: str, level: str = "danger", mode: str = "locked") -> Entitlements:
    """Return the verdict after a signed word of the vendor."""
    return verdict_of(
        [Notice(code, "everybody", level, None, mode)],
        mode=mode or "ok",
        reason=code if mode else "fresh",
        expires_at=NOON + timedelta(days=200),
    )


def verdict_of(
    notices: Sequence[Notice], *, mode: str, reason: str, expires_at: datetime
) -> Entitlements:
    """Return a verdict with these rows."""
    return Entitlements(
        mode=mode,
        reason=reason,
        license_id="lic_7Q2M9K",
        customer="Pars Trading",
        expires_at=expires_at,
        last_contact_at=NOON - timedelta(days=8),
        notices=tuple(notices),
        facts=Facts(named_used=12, named_cap=10, vendor="+98 21 8888 7777"),
    )


@dataclass
class House:
    """A database with its people, and the settings of the house."""

    database: Database
    settings: Settings
    cast: Cast

    def tell(self, verdict: Entitlements, now: datetime = NOON) -> int:
        """Warn of the verdict as the job does; return how many messages were new."""
        with self.database.write() as session:
            return tell_matters(session, verdict, now, self.settings)

    def name(self, draft: RepresentativeDraft = RITA) -> None:
        """Name the representative."""
        with self.database.write(self.cast.root) as session:
            name_representative(session, self.cast.root, draft)

    def messages(self) -> list[OutgoingMessage]:
        """Return what lies in the outbox, the oldest first."""
        with self.database.read() as session:
            return list(session.scalars(select(OutgoingMessage).order_by(OutgoingMessage.id)))

    def sent_to(self) -> list[tuple[str, str]]:
        """Return channel and recipient of each message."""
        return [(one.channel.value, one.recipient) for one in self.messages()]


@pytest.fixture
def house(database: Database, settings: Settings, cast: Cast) -> House:
    """Give a house on each kind of database; Root administers, nobody represents yet."""
    return House(database, settings, cast)


@pytest.fixture
def in_zone(house: House) -> Callable[[str], House]:
    """Return a function that moves the house to another time zone."""

    def move(zone: str) -> House:
        organization = replace(house.settings.organization, timezone=zone)
        house.settings = replace(house.settings, organization=organization)
        return house

    return move


@pytest.fixture
def home(settings: Settings) -> Path:
    """Give the folder of the installation."""
    return settings.home
