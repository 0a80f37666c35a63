"""What the licence says to each reader in each row of the ladder: every fact, and none to strangers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from licensing.client.ladder import Standing, climb
from licensing.client.reopen import Snapshot
from server.activation.board import entitlements_of
from server.activation.rules import notice_sentences
from server.activation.words import Reader, gravest, tell
from server.core.entitlements import UNLIMITED, Entitlements, Facts, Notice
from server.core.format import Display, set_display
from server.core.i18n import use_locale

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FACTS = Facts(
    starts_at=NOW + timedelta(days=5),
    told_at=NOW + timedelta(days=4),
    read_only_at=NOW + timedelta(days=11),
    locked_at=NOW + timedelta(days=22),
    named_used=30,
    named_cap=25,
    administrators=("Root", "Sara"),
    vendor="Daftar Co, +98 21 1234",
)
BASE = replace(
    UNLIMITED,
    license_id="lic_7",
    expires_at=datetime(2026, 12, 1, 20, 29, 59, tzinfo=UTC),
    last_contact_at=NOW - timedelta(days=10),
    facts=FACTS,
)
# mode, reason, due, what must be in the administrator's words
ROWS: tuple[tuple[str, str, timedelta | None, tuple[str, ...]], ...] = (
    ("warn_expiry", "term_ending", timedelta(days=7, hours=9), ("8 days", "Dec 1, 2026", "Renew")),
    ("warn_admin", "no_contact", None, ("10 days", "Nov 28", "Dec 5", "Dec 16", "diagnosis")),
    ("warn_users", "no_contact", None, ("10 days", "Nov 14", "Dec 5", "Dec 16")),
    ("read_only", "no_contact", None, ("Nothing can be changed", "Dec 16")),
    ("locked", "no_contact", None, ("Daftar is locked", "Nov 14", "backups")),
    (
        "warn_admin",
        "seats_over_cap",
        timedelta(days=9),
        ("30", "25", "Dec 3", "Deactivate 5 users"),
    ),
    ("read_only", "seats_over_cap", None, ("30", "25", "Deactivate 5 users")),
    ("locked", "term_ended", None, ("Dec 1, 2026", "Check now")),
    ("locked", "suspended", None, ("suspended", "lifted")),
    ("locked", "revoked", None, ("revoked",)),
    ("locked", "superseded", None, ("another server",)),
    ("locked", "deactivated", None, ("given back", "export everything")),
    ("locked", "clone_hold", None, ("twice", "clear the hold")),
    ("setup", "not_activated", None, ("not activated", "activation code")),
    ("setup", "not_started", None, ("Nov 29, 2026",)),
)
IDS = [f"{mode}-{reason}" for mode, reason, _due, _facts in ROWS]


@pytest.fixture(autouse=True)
def _in_utc() -> None:
    set_display(Display(zone="UTC"))


def said(
    mode: str, reason: str, due: timedelta | None, reader: Reader, verdict: Entitlements = BASE
) -> str:
    """Return everything that is said, in one text."""
    at = NOW + due if due else None
    told = tell(verdict, Notice(reason, "everybody", "danger", at=at, mode=mode), reader, NOW)
    return " | ".join((told.title, told.happened, told.works, told.next_step, told.call))


@pytest.mark.parametrize(("mode", "reason", "due", "facts"), ROWS, ids=IDS)
def test_the_administrator_is_told_the_facts_and_whom_to_call(
    mode: str, reason: str, due: timedelta | None, facts: tuple[str, ...]
) -> None:
    text = said(mode, reason, due, Reader.ADMINISTRATOR)

    assert [fact for fact in facts if fact not in text] == []
    assert "The vendor: Daftar Co, +98 21 1234. Name the licence lic_7." in text
    assert "–" not in text  # no gap where a fact belongs
    assert " |  | " not in text


@pytest.mark.parametrize(("mode", "reason", "due", "facts"), ROWS, ids=IDS)
def test_a_colleague_is_told_whom_to_ask(
    mode: str, reason: str, due: timedelta | None, facts: tuple[str, ...]
) -> None:
    text = said(mode, reason, due, Reader.COLLEAGUE)

    assert facts
    assert "Your administrators: Root · Sara." in text
    assert "lic_7" not in text
    assert "+98" not in text


@pytest.mark.parametrize(("mode", "reason", "due", "facts"), ROWS, ids=IDS)
def test_a_stranger_learns_no_fact(
    mode: str, reason: str, due: timedelta | None, facts: tuple[str, ...]
) -> None:
    text = said(mode, reason, due, Reader.STRANGER)

    assert facts
    for fact in ("lic_7", "Root", "2026", "30", "vendor", "suspended", "revoked"):
        assert fact not in text


def test_dates_are_those_of_the_readers_calendar() -> None:
    with use_locale("fa"):
        text = said("locked", "term_ended", None, Reader.ADMINISTRATOR)

    assert "۱۴۰۵" in text
    assert "2026" not in text


@pytest.mark.parametrize("days", [0, 1, 2, 30])
def test_days_left_are_counted_up(days: int) -> None:
    ends = NOW + timedelta(days=days)
    verdict = replace(BASE, expires_at=ends)

    text = said("warn_expiry", "term_ending", timedelta(days=days), Reader.ADMINISTRATOR, verdict)

    unit = "day" if days == 1 else "days"
    assert (f"{days} {unit}" in text) == (days > 0)


def test_signed_notices_are_told_in_words_and_new_ones_in_the_vendors() -> None:
    known = tell(BASE, Notice("CLOCK_BACK", "admins", "warning"), Reader.ADMINISTRATOR, NOW)
    new = Notice("SOMETHING_NEW", "admins", "warning", text="Our office moves.")

    assert known.title == notice_sentences(["CLOCK_BACK"])[0]
    assert tell(BASE, new, Reader.ADMINISTRATOR, NOW).title == "Our office moves."


def test_the_gravest_row_gives_the_reason() -> None:
    warn = Notice("no_contact", "admins", "warning", mode="warn_admin")
    stop = Notice("seats_over_cap", "everybody", "danger", mode="read_only")
    verdict = replace(BASE, mode="read_only", reason="seats_over_cap", notices=(warn, stop))

    assert gravest(verdict) is stop
    assert gravest(replace(BASE, mode="locked", reason="revoked")).level == "danger"


def test_the_board_of_a_server_without_a_licence_is_empty() -> None:
    board = entitlements_of(climb(Standing(), 1_800_000_000), Snapshot(), named_used=3)

    assert (board.mode, board.reason, board.license_id) == ("setup", "not_activated", None)
    assert [notice.code for notice in board.notices] == ["not_activated"]
    assert board.facts.named_used == 3
