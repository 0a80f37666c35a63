"""Changing the vendor's people. The caller opens the transaction; nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.customers.rules import normal_email
from licensing.authority.staff.models import RecoveryCode, StaffMember
from licensing.authority.staff.queries import active_owners, get_member, member_by_email
from licensing.authority.staff.rules import Role, StaffStatus, email_key
from licensing.authority.staff.sign_in import end_browsers
from server.core.checklist import Checklist, clean_line, needed
from server.core.errors import Conflict, Invalid
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _
from server.core.passwords import check_password, hash_password


@dataclass(frozen=True)
class StaffDraft:
    """A member of the staff as somebody wrote it down. Without a password they are invited."""

    email: str
    name: str
    role: Role
    locale: str = "fa"
    password: str | None = None


def add_member(session: Session, operator: str, draft: StaffDraft) -> StaffMember:
    """Write down a new member of the staff."""
    email, name = _checked(draft)
    if member_by_email(session, email) is not None:
        raise Invalid(_("%(email)s is on the staff already.", email=email), field="email")
    if draft.password is not None:
        check_password(draft.password, email=email, name=name)
    member = StaffMember(
        email=email,
        email_key=email_key(email),
        name=name,
        role=draft.role,
        locale=draft.locale,
        status=StaffStatus.INVITED if draft.password is None else StaffStatus.ACTIVE,
        password_hash=None if draft.password is None else hash_password(draft.password),
        totp_step=0,
    )
    session.add(member)
    session.flush()
    note(session, operator, "staff.add", email, {"name": name, "role": draft.role.value})
    return member


def _checked(draft: StaffDraft) -> tuple[str, str]:
    checks = Checklist()
    email = normal_email(draft.email.strip())
    if email is None:
        checks.refuse("email", _("%(email)s is no e-mail address.", email=draft.email or "–"))
    name = checks.take("", _clean_name, draft.name)
    if draft.locale not in LOCALES:
        checks.refuse("locale", _("%(name)s is none of the languages.", name=draft.locale))
    checks.finish()
    return email or "", name


def _clean_name(text: str) -> str:
    return needed(clean_line(text, "name", 100), "name", _("A member of the staff needs a name."))


def change_member(
    session: Session, operator: str, staff_id: int, *, name: str, role: Role
) -> StaffMember:
    """Change name and role. The last owner stays one."""
    owners = active_owners(session)
    member = get_member(session, staff_id, lock=True)
    if role is not Role.OWNER:
        _leave_an_owner(owners, member)
    before = member.role
    member.name, member.role = _clean_name(name), role
    session.flush()
    note(
        session,
        operator,
        "staff.change",
        member.email,
        {"name": member.name, "role": role.value, "role_before": before.value},
    )
    return member


def set_locale_of(session: Session, staff_id: int, locale: str) -> None:
    """Show the console in this language from now on."""
    if locale not in LOCALES:
        raise Invalid(_("%(name)s is none of the languages.", name=locale), field="locale")
    get_member(session, staff_id).locale = locale
    session.flush()


def _leave_an_owner(owners: Sequence[StaffMember], member: StaffMember) -> None:
    """Raise Conflict when this is the only owner.

    All owners were locked first, so that two who put each other out at once wait for one another.
    """
    if [owner.id for owner in owners] == [member.id]:
        raise Conflict(
            _(
                "%(name)s is the last owner. Make somebody else an owner first.",
                name=member.name,
            ),
            code="last_owner",
        )


def deactivate_member(session: Session, operator: str, staff_id: int) -> StaffMember:
    """Let somebody in no more; their browsers are signed out at once, what they did stays on record."""
    owners = active_owners(session)
    member = get_member(session, staff_id, lock=True)
    _leave_an_owner(owners, member)
    member.status = StaffStatus.DEACTIVATED
    end_browsers(session, member.id)
    session.flush()
    note(session, operator, "staff.deactivate", member.email)
    return member


def reactivate_member(session: Session, operator: str, staff_id: int) -> StaffMember:
    """Let somebody in again, with the password and the second factor they had."""
    member = get_member(session, staff_id, lock=True)
    if member.status is not StaffStatus.DEACTIVATED:
        raise Conflict(_("%(name)s is not deactivated.", name=member.name))
    member.status = StaffStatus.ACTIVE if member.password_hash else StaffStatus.INVITED
    session.flush()
    note(session, operator, "staff.reactivate", member.email)
    return member


def set_password(session: Session, operator: str, staff_id: int, password: str) -> StaffMember:
    """Give a member this password; every browser of theirs is signed out."""
    member = get_member(session, staff_id, lock=True)
    check_password(password, email=member.email, name=member.name)
    member.password_hash = hash_password(password)
    if member.status is StaffStatus.INVITED:
        member.status = StaffStatus.ACTIVE
    end_browsers(session, member.id)
    session.flush()
    note(session, operator, "staff.password", member.email)
    return member


def change_own_password(
    session: Session, member: StaffMember, password: str, *, browser_id: int
) -> None:
    """Let a member have another password; every other browser of theirs is signed out."""
    check_password(password, email=member.email, name=member.name)
    member.password_hash = hash_password(password)
    end_browsers(session, member.id, but=browser_id)
    session.flush()
    note(session, member.email, "staff.password", member.email)


def reset_second_factor(session: Session, operator: str, staff_id: int) -> StaffMember:
    """Forget a lost second factor; the next sign-in sets up a new one. Browsers are signed out."""
    member = get_member(session, staff_id, lock=True)
    member.totp_sealed, member.totp_step = None, 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == member.id))
    end_browsers(session, member.id)
    session.flush()
    note(session, operator, "staff.second_factor_reset", member.email)
    return member
