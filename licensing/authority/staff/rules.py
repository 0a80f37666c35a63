"""The vendor's people: their roles, what each role may do, how long a sign-in lasts. Pure."""

from enum import StrEnum

from licensing.authority.limits.rules import Rule
from server.core.actor import name_permissions
from server.core.i18n import mark


class Role(StrEnum):
    OWNER = "owner"
    SALES = "sales"
    SUPPORT = "support"
    AUDITOR = "auditor"


class StaffStatus(StrEnum):
    """`invited` has not chosen a password yet."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


ROLE_LABELS = {
    Role.OWNER: mark("Owner"),
    Role.SALES: mark("Sales"),
    Role.SUPPORT: mark("Support"),
    Role.AUDITOR: mark("Auditor"),
}
ROLE_HINTS = {
    Role.OWNER: mark("May do everything, and decides who else may come in."),
    Role.SALES: mark("Customers, selling, renewing, seats, suspending; no moves of activations."),
    Role.SUPPORT: mark("Moves licences, answers offline requests, settles flags; sells nothing."),
    Role.AUDITOR: mark("Sees everything, the audit trail too, and changes nothing."),
}
STATUS_LABELS = {
    StaffStatus.INVITED: mark("Invited"),
    StaffStatus.ACTIVE: mark("Active"),
    StaffStatus.DEACTIVATED: mark("Deactivated"),
}

_SEE = frozenset({"customers.see", "licenses.see", "flags.see", "keys.see", "deliveries.see"})
_SELL = frozenset({"customers.edit", "licenses.sell", "licenses.suspend", "refunds.pay"})
_HELP = frozenset({"licenses.move", "flags.settle", "offline.answer", "deliveries.repeat"})
_WATCH = frozenset({"audit.see", "staff.see"})
_DECIDE = frozenset({"licenses.revoke", "licenses.approve", "staff.manage"})

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.AUDITOR: _SEE | _WATCH,
    Role.SUPPORT: _SEE | _HELP,
    Role.SALES: _SEE | _SELL,
    Role.OWNER: _SEE | _SELL | _HELP | _WATCH | _DECIDE,
}
ALL_PERMISSIONS = frozenset().union(*PERMISSIONS.values())

PERMISSION_LABELS: dict[str, str] = {
    "audit.see": mark("see the audit trail"),
    "customers.edit": mark("write down customers"),
    "customers.see": mark("see customers"),
    "deliveries.repeat": mark("send a message again"),
    "deliveries.see": mark("see what was sent"),
    "flags.see": mark("see flags"),
    "flags.settle": mark("settle flags"),
    "keys.see": mark("see the keys"),
    "licenses.approve": mark("approve moves beyond the yearly limit"),
    "licenses.move": mark("move licences to another server"),
    "licenses.revoke": mark("revoke licences"),
    "licenses.see": mark("see licences"),
    "licenses.sell": mark("sell, renew and change licences"),
    "licenses.suspend": mark("suspend and resume licences"),
    "offline.answer": mark("answer offline requests"),
    "refunds.pay": mark("write down refunds"),
    "staff.manage": mark("manage the staff"),
    "staff.see": mark("see the staff"),
}
name_permissions(PERMISSION_LABELS)

HALF_WAY_MINUTES = 10  # between the password and the second factor
RECOVERY_CODES = 10
GUESSES, GUESS_MINUTES = 8, 15
GUESSES_PER_ACCOUNT = (
    40  # more than one guesser can spend, so that a stranger alone shuts nobody out
)
GUESSES_PER_ADDRESS = 60  # an office may share one address, a guesser has one as well


def account_rule(account: str) -> Rule:
    """Allow an account so many guesses of the password, wherever they come from."""
    every = GUESS_MINUTES * 60 / GUESSES_PER_ACCOUNT
    return Rule(f"staff-account:{account}", GUESSES_PER_ACCOUNT, every)


def guesser_rule(account: str, address: str) -> Rule:
    """Allow an address so many guesses of the password of one account."""
    return Rule(f"staff-guesser:{account}:{address}", GUESSES, GUESS_MINUTES * 60 / GUESSES)


def proof_rule(staff_id: int) -> Rule:
    """Allow whoever has shown the password of a member so many guesses of what else proves it."""
    return Rule(f"staff-proof:{staff_id}", GUESSES, GUESS_MINUTES * 60 / GUESSES)


def address_rule(address: str) -> Rule:
    """Allow an address so many guesses, whatever the account."""
    every = GUESS_MINUTES * 60 / GUESSES_PER_ADDRESS
    return Rule(f"staff-address:{address}", GUESSES_PER_ADDRESS, every)


def email_key(email: str) -> str:
    """Return the form of an address by which two are the same."""
    return email.strip().casefold()
