"""The licence of this installation: the only room that speaks to `licensing.client`.

Exchanges with the vendor take as long as the network; none of them runs inside a transaction.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from licensing.client.client import LicenseClient, NothingToAsk, goes_by_file
from licensing.client.ladder import Verdict
from licensing.client.outcome import Outcome, Result
from licensing.client.state import Pending, RequestKind
from licensing.client.transport import backoff, next_check_in
from licensing.document.errors import DocumentError
from licensing.document.requests import Usage
from server.activation import offline
from server.activation.board import entitlements_of
from server.activation.diagnosis import Doctor
from server.activation.models import ONLY_ROW, CheckInPlan, LicenseMirror
from server.activation.offline import PendingRequest, Receipt, RequestFile, RequestWish
from server.activation.opening import open_client
from server.activation.outside import count_recent
from server.activation.refusals import mistyped, refusal_of, refusal_of_file
from server.activation.rules import (
    MachinePart,
    Message,
    moment,
)
from server.audit.service import note
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.core.errors import (
    Conflict,
    DaftarError,
    Missing,
    NotLicensed,
    Unreachable,
)
from server.core.i18n import gettext as _
from server.users.queries import (
    SoldSeats,
    administrators,
    peak_devices,
    seats,
    service_seats,
    sold_seats,
)
from server.users.service import begin_peak, take_over_seats

log = logging.getLogger(__name__)

REFRESH_S = 30.0
LOOK_S = 1.0
LONGEST_WAIT_S = 2 * 86_400


@dataclass(frozen=True)
class Seen:
    """What one look at the licence found."""

    client: LicenseClient
    verdict: Verdict


class LicenseOffice:
    """The licence as one process knows it: asks the vendor, publishes the verdict on the board."""

    def __init__(self, settings: Settings, database: Database, board: EntitlementsBoard) -> None:
        self.client = open_client(settings)
        self.database = database
        self.board = board
        self.doctor = Doctor(self.client, settings.run_dir)
        self._vendor = settings.license.vendor
        self._agree_with_mirror()
        self.refresh()

    # What holds

    def refresh(self) -> Entitlements:
        """Climb the ladder again and publish the verdict."""
        with self.database.read() as session:
            used, people = seats(session).used, administrators(session)
            strangers = count_recent(session)
        entitlements = entitlements_of(
            self.client.verdict(used),
            self.client.status(),
            named_used=used,
            administrators=people,
            outside_visits=strangers,
            vendor=self._vendor,
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
        word = offline.wanted_reason(reason)
        return self._settle(actor, "deactivate", self.client.deactivate(word, self._usage()))

    # Without a line

    def pending(self, actor: Actor) -> PendingRequest | None:
        """Return the request that waits for its answer."""
        actor.must("license.manage")
        return self._waiting()

    def pending_file(self, actor: Actor) -> RequestFile:
        """Return the request that waits as the file it was; the same bytes may go twice."""
        actor.must("license.manage")
        held = self.client.pending()
        if held is None or not goes_by_file(held):
            raise Missing(_("No request waits for an answer. Make one first."), code="no_request")
        return offline.file_of(held, self._described(held))

    def export_request(self, actor: Actor, wish: RequestWish) -> RequestFile:
        """Make a request to be carried to the vendor, or return the same one that waits already.

        A deactivation locks this server at once, because the file can be used at any time.
        """
        actor.must("license.manage")
        kind, before = offline.wanted_kind(wish.kind), self._waiting()
        if kind is RequestKind.CHECK_IN and before is not None and before.kind == "deactivate":
            raise Conflict(
                _(
                    "This server is about to give its licence back, so it cannot check in. "
                    "Import the answer to that request, or withdraw it first."
                ),
                code="leaving",
            )
        self._write_request(kind, wish)
        made = self.pending_file(actor)
        replaced = before if before is not None and before.number != made.request.number else None
        self._note(actor, "export_request", {"kind": kind.value, "number": made.request.number})
        self._keep_mirror()
        self.refresh()
        return replace(made, replaced=replaced)

    def import_answer(self, actor: Actor, given: bytes) -> Entitlements:
        """Take the vendor's answer: a `.dftlic`, or the text of its QR codes in any order."""
        actor.must("license.manage")
        raw, waiting = offline.answer_of(given), self._waiting()
        outcome = self.client.import_answer(raw)
        return self._settle(
            actor,
            "import_answer",
            outcome,
            lambda refused: refusal_of_file(refused, waiting),
        )

    def withdraw(self, actor: Actor) -> PendingRequest:
        """Forget the request that waits; its answer is then no longer taken."""
        actor.must("license.manage")
        waiting = self._waiting()
        try:
            held = self.client.withdraw()
        except NothingToAsk as error:
            raise Conflict(
                _(
                    "The request to give the licence back was handed out as a file, and whoever "
                    "holds it can use it; it cannot be withdrawn. To work on here, activate again."
                ),
                code="final",
            ) from error
        if held is None or waiting is None:
            raise Missing(_("No request waits for an answer."), code="no_request")
        changes = {"kind": waiting.kind, "number": waiting.number}
        self._note(actor, "withdraw_request", changes)
        self._keep_mirror()
        self.refresh()
        return waiting

    def receipts(self, actor: Actor) -> tuple[Receipt, ...]:
        """Return the signed proofs of all deactivations of this server, the newest first."""
        actor.must("license.manage")
        found = [offline.receipt_of(raw) for raw in reversed(self.client.receipts())]
        return tuple(receipt for receipt in found if receipt is not None)

    def machine(self, actor: Actor) -> tuple[MachinePart, ...]:
        """Return what became of each part by which the machine is recognised."""
        actor.must("license.manage")
        return tuple(MachinePart(one.name, one.change.value) for one in self.client.machine())

    def confirm_machine(self, actor: Actor) -> Entitlements:
        """Take the machine as it is now for the one that was activated, on a person's word."""
        actor.must("license.manage")
        changed = [part.name for part in self.machine(actor) if part.change != "same"]
        self.client.confirm_machine()
        self._note(actor, "confirm_machine", {"parts": ", ".join(changed)})
        self._keep_mirror()
        return self.refresh()

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
        if not self.client.status().may_check_in:
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
        """Bring state and mirror together and persist the running time, once a minute in the scheduler."""
        self._agree_with_mirror()
        self._agree_on_seats()
        with self.database.read() as session:
            used = seats(session).used
        self.client.tick(used)
        self._keep_mirror()

    # Behind the door

    def _usage(self) -> Usage:
        with self.database.read() as session:
            return Usage(
                named=seats(session).used,
                peak_concurrent=peak_devices(session),
                service=service_seats(session).used,
            )

    def _waiting(self) -> PendingRequest | None:
        held = self.client.pending()
        return None if held is None else self._described(held)

    def _described(self, held: Pending) -> PendingRequest:
        return offline.describe(held, left_by_file=self.client.left_by_file())

    def _write_request(self, kind: RequestKind, wish: RequestWish) -> None:
        try:
            if kind is RequestKind.ACTIVATE:
                self.client.export_activation(wish.code)
            elif kind is RequestKind.CHECK_IN:
                self.client.export_check_in(self._usage())
            else:
                reason = offline.wanted_reason(wish.reason)
                self.client.export_deactivation(reason, self._usage())
        except DocumentError as error:
            raise mistyped(error.code.value, error.message) from error
        except NothingToAsk as error:
            raise refusal_of(Outcome(Result.REFUSED, str(error))) from error

    def _note(self, actor: Actor, action: str, changes: Mapping[str, object]) -> None:
        with self.database.write(actor) as session:
            note(session, actor, action, kind="license", changes=changes)

    def _settle(
        self,
        actor: Actor,
        action: str,
        outcome: Outcome,
        refuse: Callable[[Outcome], DaftarError] | None = None,
    ) -> Entitlements:
        if outcome.result is Result.ACCEPTED:
            with self.database.write(actor) as session:
                self._take_over(session)
                note(session, actor, action, kind="license")
            self._keep_mirror()
        entitlements = self.refresh()
        if outcome.result is not Result.ACCEPTED:
            raise (refuse or refusal_of)(outcome)
        return entitlements

    def _take_over(self, session: Session) -> None:
        snapshot = self.client.status()
        sold = self._sold()
        if sold is not None:
            take_over_seats(session, sold)
            begin_peak(session)
            if snapshot.lease is not None:
                # The far time that a stolen key may sign must not keep us from asking again.
                latest = clock.timestamp() + LONGEST_WAIT_S
                due = min(next_check_in(snapshot.lease.renew_after, _draw()), latest)
                _save_plan(session, moment(due), failures=0)

    def _sold(self) -> SoldSeats | None:
        snapshot = self.client.status()
        if snapshot.license is None or not snapshot.is_activated:
            return None
        # A next term that was loaded ahead begins without any message.
        found = snapshot.license.at(self.client.effective_now()).seats
        return SoldSeats(found.named, found.service_accounts, found.concurrent)

    def _agree_on_seats(self) -> None:
        """Bring the caps in the database to what was sold, as after a restore or a kill between the two."""
        sold = self._sold()
        with self.database.read() as session:
            known = sold_seats(session)
        if sold is not None and sold != known:
            with self.database.write(SYSTEM) as session:
                take_over_seats(session, sold)
            log.warning("The caps of seats were not those of the licence; they are now.")

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

    def _agree_with_mirror(self) -> None:
        with self.database.read() as session:
            mirror = session.get(LicenseMirror, ONLY_ROW)
        if mirror is not None and self.client.agree(mirror.state.encode()):
            log.warning(
                "The licence's state file was older than its mirror in the database, which was taken."
            )


def _draw() -> float:
    return secrets.randbelow(1_000_000) / 1_000_000


def _save_plan(session: Session, next_at: datetime, *, failures: int) -> None:
    session.merge(CheckInPlan(id=ONLY_ROW, next_at=next_at, failures=failures))
