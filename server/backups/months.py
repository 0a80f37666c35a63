"""A month's record of the backups on paper: every day, who checked it, the proofs of keys, signed as PDF.

It is read from the disk: the sets that are there, and the journals of what was pruned and confirmed. A
month whose dailies were cleared out long ago tells as much as before.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from backup import confirm as confirming
from backup import journal, possession, report
from backup.confirm import Choice, Confirmation, Soundness
from backup.keys import Keyring
from backup.manifest import canonical
from backup.plan import State
from backup.possession import Proof
from backup.report import Item, moment_of
from backup.signed_pdf import certificate_fingerprint, sign_pdf
from backup.store import Store
from server.backups.rules import (
    DAY_LABELS,
    DAY_TONES,
    KEY_LABELS,
    PROOF_LABELS,
    STATE_LABELS,
    STATE_TONES,
    DayState,
    Made,
    day_state,
)
from server.backups.service import BackupOffice
from server.core import clock
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.format import Display, current_display, set_display
from server.core.i18n import gettext as _
from server.core.i18n import use_locale
from server.core.paper import print_pdf

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Line:
    """One backup of a day. `state` is None for one that was cleared out since; its proof went with it."""

    id: str
    made_at: datetime
    state: State | None
    bytes: int | None
    restore_seconds: float | None
    problem: str
    confirmation: Confirmation | None


@dataclass(frozen=True)
class Day:
    """One day of the month with its backups."""

    day: date
    state: DayState
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Ends:
    """Both ends of the part of the journal of checks that the month wrote."""

    first: int
    last: int
    before: str
    after: str


@dataclass(frozen=True)
class Month:
    """A month's record. `digest` is the hash of all of it but itself."""

    month: str
    first: date
    last: date
    is_over: bool
    days: tuple[Day, ...]
    proofs: tuple[Proof, ...]
    ends: Ends | None
    soundness: Soundness
    digest: str = ""

    def count(self, state: DayState) -> int:
        """Count the days of this state."""
        return sum(1 for each in self.days if each.state is state)


def read_month(word: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of a month such as 2026-11, or raise NotFound."""
    found = _MONTH.fullmatch(word)
    first = date(int(found[1]), int(found[2]), 1) if found else None
    if first is None or first > today:
        raise NotFound(_("A month is written like 2026-11 and has begun."), code="no_month")
    after = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, after - timedelta(days=1)


def month_of(store: Store, ring: Keyring, word: str, zone: ZoneInfo) -> Month:
    """Return the record of the month, its days in this zone."""
    today = clock.now().astimezone(zone).date()
    first, last = read_month(word, today)
    lines = _lines(store, ring)
    by_day: dict[date, list[Line]] = {}
    for line in lines:
        by_day.setdefault(line.made_at.astimezone(zone).date(), []).append(line)
    begun = max(first, min(by_day, default=last + timedelta(days=1)))
    days = [begun + timedelta(days=n) for n in range((min(last, today) - begun).days + 1)]
    proofs = [
        each
        for each in possession.read_proofs(store, ring)
        if first <= each.at.astimezone(zone).date() <= last
    ]
    made = Month(
        month=word,
        first=first,
        last=last,
        is_over=last < today,
        days=tuple(_day(day, by_day.get(day, [])) for day in days if day != today or day in by_day),
        proofs=tuple(proofs),
        ends=_ends(store, first, last, zone),
        soundness=confirming.check(store, ring.trust),
    )
    return replace(made, digest=_digest(made))


def _lines(store: Store, ring: Keyring) -> list[Line]:
    said = {each.set: each for each in confirming.confirmations(store)}
    there = {item.id: _line(item) for item in report.items(store, ring.trust)}
    for set_id in (*_pruned(store), *said):
        gone = Line(set_id, moment_of(set_id), None, None, None, "", said.get(set_id))
        there.setdefault(set_id, gone)
    return sorted(there.values(), key=lambda line: line.made_at)


def _pruned(store: Store) -> list[str]:
    return [str(entry["set"]) for entry in journal.read(store.pruned).entries]


def _line(item: Item) -> Line:
    problems = [] if item.record is None else [p for r in item.record.results for p in r.problems]
    return Line(
        id=item.id,
        made_at=item.created_at,
        state=item.state,
        bytes=item.bytes,
        restore_seconds=item.restore_seconds,
        problem=item.problem or " ".join(problems),
        confirmation=item.confirmation,
    )


def _day(day: date, lines: Sequence[Line]) -> Day:
    choices = [(line.confirmation.choice if line.confirmation else None) for line in lines]
    made = [Made(day, each is Choice.IN_ORDER, each is Choice.PROBLEM_FOUND) for each in choices]
    return Day(day, day_state(made), tuple(lines))


def _ends(store: Store, first: date, last: date, zone: ZoneInfo) -> Ends | None:
    entries = [
        entry
        for entry in journal.read(store.confirmations).entries
        if first <= datetime.fromisoformat(str(entry["at"])).astimezone(zone).date() <= last
    ]
    if not entries:
        return None
    begin, end = entries[0], entries[-1]
    return Ends(
        int(begin["seq"] or 0), int(end["seq"] or 0), str(begin["previous"]), str(end["hash"])
    )


def _digest(made: Month) -> str:
    return hashlib.sha256(canonical(_plain(asdict(made)))).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items() if key != "digest"}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return str(value)


def month_pdf(
    office: BackupOffice, actor: Actor, word: str, *, fonts: Path | None, locale: str = ""
) -> bytes:
    """Return the signed record of the month in the language, by default the organisation's."""
    actor.must("backups.see")
    organization = office.settings.organization
    ring = office.keys
    found = month_of(office.store, ring, word, ZoneInfo(organization.timezone))
    before = current_display()
    set_display(Display(zone=organization.timezone))
    try:
        with use_locale(locale or organization.locale):
            content = _print(found, ring, organization.name, fonts)
            reason = _("Record of the backups of %(month)s", month=word)
    finally:
        set_display(before)
    return sign_pdf(content, ring, name=organization.name or "Daftar", reason=reason)


def _print(found: Month, ring: Keyring, organization: str, fonts: Path | None) -> bytes:
    return print_pdf(
        "server.backups",
        "month.html",
        fonts,
        title=_("Record of the backups"),
        organization=organization,
        mark=found.digest,
        month=found,
        counts={state: found.count(state) for state in DayState},
        day_words={state: _(words) for state, words in DAY_LABELS.items()},
        day_tones=DAY_TONES,
        state_words={state: _(words) for state, words in STATE_LABELS.items()},
        state_tones=STATE_TONES,
        key_words={role: _(words) for role, words in KEY_LABELS.items()},
        proof_words={how: _(words) for how, words in PROOF_LABELS.items()},
        now=clock.now(),
        moment=datetime.fromisoformat,
        signer=ring.signer_fingerprint,
        certificate=certificate_fingerprint(ring),
        picture=f"daftar-backups:{found.month}?sha256={found.digest}"
        + (f"&head={found.ends.after}" if found.ends else ""),
    )
