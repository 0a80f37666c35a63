"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for the day it is lost.

No code works twice: the step of a code is taken by a conditional update, a recovery code as well.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.staff.models import RecoveryCode, StaffMember
from licensing.authority.staff.rules import RECOVERY_CODES
from licensing.authority.staff.sealing import Sealing
from licensing.document.activation_code import ALPHABET
from server.core import clock
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import ascii_digits

STEP_S = 30
DIGITS = 6
DRIFT_STEPS = 1  # a telephone's clock may be half a minute off
ISSUER = "Daftar console"
_LEAST_BYTES = 16  # RFC 4226 §4
_CODE_LENGTH = 16
_GROUP = 4
_LOOKALIKES = str.maketrans("ILO", "110")


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app is told, as a text to type and as an address to scan."""

    secret: str
    uri: str


def new_secret() -> str:
    """Return the secret of a new second factor (160 bits, base32)."""
    return pyotp.random_base32()


def clean_secret(text: str) -> str:
    """Return the secret of a second factor that somebody wrote down, or raise Invalid."""
    secret = "".join(text.split()).upper().rstrip("=")
    try:
        strong = len(base64.b32decode(secret + "=" * (-len(secret) % 8))) >= _LEAST_BYTES
    except ValueError:
        strong = False
    if not strong:
        raise Invalid(
            _("The secret of a second factor is base32 of at least %(n)s bytes.", n=_LEAST_BYTES)
        )
    return secret


def enrolment(member: StaffMember, secret: str) -> Enrolment:
    """Return how an app is told the secret of this member."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=member.email, issuer_name=ISSUER)
    return Enrolment(secret, uri)


def step_of(secret: str, code: str, now: float) -> int | None:
    """Return the step that a code belongs to, or None when it belongs to none around now."""
    typed = ascii_digits("".join(code.split()))
    totp = pyotp.TOTP(secret)
    this = int(now // STEP_S)
    steps = range(this - DRIFT_STEPS, this + DRIFT_STEPS + 1)
    right = [
        step
        for step in steps
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode())
    ]
    return right[-1] if right else None


def use_code(session: Session, sealing: Sealing, member: StaffMember, code: str) -> bool:
    """Take a code of the app or a recovery code; False when it is wrong or was used before."""
    if member.totp_sealed is None:
        return False
    secret = sealing.opened(member.totp_sealed, member.id)
    step = step_of(secret, code, clock.now().timestamp())
    if step is not None:
        return take_step(session, member, step)
    return _use_recovery_code(session, sealing, member, code)


def take_step(session: Session, member: StaffMember, step: int) -> bool:
    """Take a step, which is then over for everybody; False when it or a later one was taken."""
    taken: CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment] # an UPDATE has one
        update(StaffMember)
        .where(StaffMember.id == member.id, StaffMember.totp_step < step)
        .values(totp_step=step)
    )
    return taken.rowcount == 1


def _use_recovery_code(session: Session, sealing: Sealing, member: StaffMember, code: str) -> bool:
    taken: CursorResult[tuple[()]] = session.execute(  # type: ignore[assignment] # an UPDATE has one
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == member.id,
            RecoveryCode.code_hash == sealing.hash(_normal(code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
    )
    if taken.rowcount == 1:
        note(
            session,
            member.email,
            "staff.recovery_code",
            member.email,
            {"left": left(session, member)},
        )
    return taken.rowcount == 1


def set_up(
    session: Session, sealing: Sealing, member: StaffMember, secret: str, code: str
) -> list[str]:
    """Let this secret be the member's second factor once a code proves it arrived; return recovery codes.

    Raise Invalid when the code is not one of the secret.
    """
    step = step_of(secret, code, clock.now().timestamp())
    if step is None:
        raise Invalid(
            _(
                "This code does not fit. Check that the clock of your telephone is right, "
                "wait for the next code, and type that."
            ),
            field="code",
        )
    keep_secret(sealing, member, secret, step=step)
    note(session, member.email, "staff.second_factor", member.email)
    return renew_recovery_codes(session, sealing, member)


def keep_secret(sealing: Sealing, member: StaffMember, secret: str, *, step: int = 0) -> None:
    """Keep the secret, sealed; codes up to this step are used up."""
    member.totp_sealed = sealing.seal(secret, member.id)
    member.totp_step = step


def renew_recovery_codes(session: Session, sealing: Sealing, member: StaffMember) -> list[str]:
    """Replace the recovery codes and return the new ones as they are shown, this once."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == member.id))
    codes = [
        "".join(secrets.choice(ALPHABET) for _letter in range(_CODE_LENGTH))
        for _number in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(staff_id=member.id, code_hash=sealing.hash(code)) for code in codes
    )
    session.flush()
    return [
        "-".join(code[start : start + _GROUP] for start in range(0, _CODE_LENGTH, _GROUP))
        for code in codes
    ]


def left(session: Session, member: StaffMember) -> int:
    """Return how many recovery codes are left."""
    query = select(func.count()).select_from(RecoveryCode)
    found = session.scalar(
        query.where(RecoveryCode.staff_id == member.id, RecoveryCode.used_at.is_(None))
    )
    return found or 0


def _normal(code: str) -> str:
    typed = ascii_digits(code).upper().translate(_LOOKALIKES)
    return "".join(letter for letter in typed if letter in ALPHABET)
