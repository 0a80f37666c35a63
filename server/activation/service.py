"""The licence of this installation: the only room that speaks to `licensing.client`.

Exchanges with the vendor take as long as the network; none of them runs inside a transaction.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Audience, Verdict
from licensing.client.outcome import Outcome, Result
from licensing.client.transport import backoff, next_check_in
from licensing.document.errors import DocumentError
from licensing.document.requests import DeactivationReason, Usage
from server.activation.models import ONLY_ROW, CheckInPlan, LicenseMirror
from server.activation.rules import Message, denial_sentence, explain, fault_sentence, moment
from server.audit.service import note
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import Entitlements, EntitlementsBoard, Notice
from server.core.errors import Broken, Invalid, Missing, NotLicensed, Unreachable
from server.core.i18n import gettext as _
from server.core.version import VERSION
from server.users.queries import count_browsers, seats, service_seats
from server.users.service import take_over_seats

log = logging.getLogger(__name__)

REFRESH_S = 30.0
LOOK_S = 1.0


def _client(settings: Settings) -> LicenseClient:
    bundle = settings.license.ca_bundle
    config = ClientConfig(
        directory=settings.license_dir,
        authority_urls=settings.license.authority_urls,
        trust_root=settings.trust_root,
        product_version=VERSION,
        ca_bundle=settings.home / bundle if bundle else None,
    )
    try:
        return LicenseClient(config, Clocks(wall=clock.timestamp, monotonic=clock.monotonic))
    except FileNotFoundError as error:
        raise Missing(
            _(
                "The vendor's root keys are not at %(path)s. Copy root.json from the delivery there.",
                path=settings.trust_root,
            )
        ) from error
    except DocumentError as error:
        raise Broken(
            _(
                "The vendor's root keys at %(path)s are damaged: %(why)s "
                "Copy root.json from the delivery there.",
                path=settings.trust_root,
                why=error.message,
            )
        ) from error


@dataclass(frozen=True)
class Seen:
    """What one look at the licence found."""

    client: LicenseClient
    verdict: Verdict


class LicenseOffice:
    """The licence as one process knows it: asks the vendor, publishes the verdict on the board."""

    def __init__(self, settings: Settings, database: Database, board: EntitlementsBoard) -> None:
        self.client = _client(settings)
        self.database = database
        self.board = board
        self._adopt_mirror()
        self.refresh()

    # What holds

    def refresh(self) -> Entitlements:
        """Climb the ladder again and publish the verdict."""
        verdict = self.look().verdict
        snapshot = self.client.status()
        sold = snapshot.license
        entitlements = Entitlements(
            mode=verdict.mode.value,
            reason=verdict.reason.value,
            license_id=sold.license_id if sold else None,
            customer=sold.customer.name if sold else None,
            features=frozenset(sold.features) if sold else frozenset(),
            expires_at=moment(sold.expires_at) if sold and sold.expires_at else None,
            last_contact_at=moment(snapshot.last_contact_at) if snapshot.last_contact_at else None,
            notices=_banners(verdict),
            networks=sold.network_scope.cidrs if sold else (),
            network_mode=sold.network_scope.mode.value if sold else "off",
        )
        self.board.publish(entitlements)
        return entitlements

    def look(self) -> Seen:
        """Return the verdict as of now; the seats are counted by the one function that counts."""
        with self.database.read() as session:
            used = seats(session).used
        return Seen(self.client, self.client.verdict(used))

    def watch(self, stop: threading.Event) -> None:
        """Keep the board fresh until `stop`: at once after another process accepted an answer, else every 30 s."""
        seen, waited = self.client.status(), 0.0
        while not stop.wait(LOOK_S):
            waited += LOOK_S
            try:
                found = self.client.status()
                if found is not seen or waited >= REFRESH_S:
                    self.refresh()
                    seen, waited = found, 0.0
            except Exception:
                log.exception("The licence could not be looked at; the last verdict holds.")

    # Exchanges

    def activate(self, actor: Actor, code: str) -> Entitlements:
        """Activate the licence of this code on this server (R-LIC-2). Safe to repeat."""
        actor.must("license.manage")
        return self._settle(actor, "activate", self.client.activate(code))

    def check_in(self, actor: Actor) -> Entitlements:
        """Tell the vendor that we live and take the next lease (R-LIC-4)."""
        actor.must("license.manage")
        return self._settle(actor, "check_in", self.client.check_in(self._usage()))

    def deactivate(self, actor: Actor, reason: str) -> Entitlements:
        """Give the activation back; the signed proof is kept (R-LIC-10)."""
        actor.must("license.manage")
        try:
            word = DeactivationReason(reason)
        except ValueError as error:
            raise Invalid(
                _("The reason is one of move, refund and end."), field="reason"
            ) from error
        return self._settle(actor, "deactivate", self.client.deactivate(word, self._usage()))

    def messages(self, actor: Actor) -> tuple[Message, ...]:
        """Return the last 50 messages, the newest first."""
        actor.must("license.manage")
        kept = [
            Message(moment(line.at), line.direction, line.kind, line.text)
            for line in self.client.messages()
        ]
        return tuple(reversed(kept))

    def preview(self, actor: Actor) -> str:
        """Return exactly what the next check-in would send; empty before an activation."""
        actor.must("license.manage")
        return self.client.preview(self._usage())

    # By the clock

    def check_in_if_due(self) -> None:
        """Check in when the vendor's time has come, or a failed attempt's pause is over."""
        if not self.client.status().is_activated:
            return
        now = clock.now()
        with self.database.read() as session:
            plan = session.get(CheckInPlan, ONLY_ROW)
        if plan is not None and plan.next_at > now:
            return
        outcome = self.client.check_in(self._usage())
        self._plan(outcome, plan.failures if plan else 0)
        try:
            self._settle(SYSTEM, "check_in", outcome)
        except (Unreachable, NotLicensed) as refusal:
            log.warning("The check-in brought no lease: %s", refusal.message)

    def tick(self) -> None:
        """Persist the running time and mirror the state, once a minute in the scheduler."""
        with self.database.read() as session:
            used = seats(session).used
        self.client.tick(used)
        self._keep_mirror()

    # Behind the door

    def _usage(self) -> Usage:
        with self.database.read() as session:
            return Usage(
                named=seats(session).used,
                peak_concurrent=count_browsers(session),
                service=service_seats(session).used,
            )

    def _settle(self, actor: Actor, action: str, outcome: Outcome) -> Entitlements:
        if outcome.result is Result.ACCEPTED:
            with self.database.write(actor) as session:
                self._take_over(session)
                note(session, actor, action, kind="license")
            self._keep_mirror()
        entitlements = self.refresh()
        if outcome.result is not Result.ACCEPTED:
            raise refusal_of(outcome)
        return entitlements

    def _take_over(self, session: Session) -> None:
        snapshot = self.client.status()
        if snapshot.license is not None and snapshot.is_activated:
            sold = snapshot.license.seats
            take_over_seats(session, named=sold.named, service=sold.service_accounts)
            if snapshot.lease is not None:
                due = next_check_in(snapshot.lease.renew_after, _draw())
                _save_plan(session, moment(due), failures=0)

    def _plan(self, outcome: Outcome, failures: int) -> None:
        if outcome.result is Result.ACCEPTED:
            return
        pause = backoff(failures + 1, _draw(), outcome.retry_after)
        with self.database.write() as session:
            _save_plan(session, moment(clock.timestamp() + pause), failures=failures + 1)

    def _keep_mirror(self) -> None:
        kept = self.client.mirror()
        if kept is None:
            return
        state = kept.decode()
        with self.database.read() as session:
            known = session.get(LicenseMirror, ONLY_ROW)
        if known is not None and known.state == state:
            return
        with self.database.write() as session:
            session.merge(LicenseMirror(id=ONLY_ROW, state=state, updated_at=clock.now()))

    def _adopt_mirror(self) -> None:
        with self.database.read() as session:
            mirror = session.get(LicenseMirror, ONLY_ROW)
        if mirror is not None and self.client.adopt_mirror(mirror.state.encode()):
            log.warning(
                "The licence's state file was older than its mirror in the database, which was taken."
            )


def _draw() -> float:
    return secrets.randbelow(1_000_000) / 1_000_000


def _save_plan(session: Session, next_at: datetime, *, failures: int) -> None:
    session.merge(CheckInPlan(id=ONLY_ROW, next_at=next_at, failures=failures))


def _banners(verdict: Verdict) -> tuple[Notice, ...]:
    shown = [
        Notice(
            code=finding.reason.value,
            audience="everybody" if finding.banner is Audience.EVERYBODY else "admins",
            level=explain(finding.reason.value).level,
            at=moment(finding.due_at) if finding.due_at is not None else None,
        )
        for finding in verdict.findings
        if finding.banner is not Audience.NOBODY
    ]
    return tuple(shown)


def refusal_of(outcome: Outcome) -> Exception:
    """Return the error that tells a person how an exchange ended."""
    makers: dict[Result, Callable[[], Exception]] = {
        Result.MISTYPED: lambda: Invalid(
            _(
                "This is no activation code: %(why)s Compare it with your order.",
                why=outcome.message,
            ),
            field="code",
            code=outcome.code,
        ),
        Result.DENIED: lambda: NotLicensed(denial_sentence(outcome.code), code=outcome.code),
        Result.UNSIGNED: lambda: Unreachable(fault_sentence(outcome.code), code=outcome.code),
        Result.UNREACHABLE: lambda: Unreachable(fault_sentence(outcome.code), code=outcome.code),
    }
    if outcome.result in makers:
        return makers[outcome.result]()
    if outcome.code in {"not_activated", "deactivated"}:
        return NotLicensed(
            _("This server has no active licence to speak about."), code=outcome.code
        )
    return Broken(
        _(
            "The answer is not from the vendor or not for us, and was not taken: %(code)s.",
            code=outcome.code,
        ),
        code=outcome.code,
    )
