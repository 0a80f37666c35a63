"""Users: their words, their roles and what each role may do."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.actor import name_permissions
from server.core.i18n import mark


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    SALES = "sales"
    SUPPORT = "support"
    VIEWER = "viewer"


class UserStatus(StrEnum):
    """Only `active` holds a seat. `former` names people of imported history who never had an account."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    FORMER = "former"


class UserKind(StrEnum):
    HUMAN = "human"
    SERVICE = "service"


class Slot(StrEnum):
    """What a connected device holds: one of the slots that were sold, or the one above them for administrators."""

    LICENSED = "licensed"
    RESERVED = "reserved"


ROLE_LABELS = {
    Role.ADMIN: mark("Administrator"),
    Role.MANAGER: mark("Manager"),
    Role.SALES: mark("Sales"),
    Role.SUPPORT: mark("Support"),
    Role.VIEWER: mark("Viewer"),
}
STATUS_LABELS = {
    UserStatus.INVITED: mark("Invited"),
    UserStatus.ACTIVE: mark("Active"),
    UserStatus.DEACTIVATED: mark("Deactivated"),
    UserStatus.FORMER: mark("Former"),
}

_READ = frozenset(
    {
        "companies.see",
        "people.see",
        "deals.see",
        "activities.see",
        "users.see",
        "license.see",
        "backups.see",
    }
)
_WRITE = frozenset(
    {
        "companies.create",
        "companies.edit",
        "people.create",
        "people.edit",
        "activities.create",
        "activities.edit",
        "tokens.own",
    }
)
_SELL = frozenset({"deals.create", "deals.edit"})
_LEAD = frozenset(
    {
        "deals.see_all",
        "deals.edit_all",
        "deals.delete",
        "companies.delete",
        "people.delete",
        "activities.see_all",
        "activities.edit_all",
        "imports.run",
        "exports.run",
        "backups.confirm",
        "forms.see",
    }
)
_ADMINISTER = frozenset(
    {
        "users.manage",
        "pipelines.edit",
        "license.manage",
        "backups.run",
        "audit.see",
        "forms.sign",
        "settings.edit",
    }
)

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.VIEWER: _READ | {"deals.see_all", "activities.see_all"},
    Role.SUPPORT: _READ | _WRITE | {"deals.see_all", "activities.see_all"},
    Role.SALES: _READ | _WRITE | _SELL,
    Role.MANAGER: _READ | _WRITE | _SELL | _LEAD,
    Role.ADMIN: _READ | _WRITE | _SELL | _LEAD | _ADMINISTER,
}
ALL_PERMISSIONS = frozenset().union(*PERMISSIONS.values())

PERMISSION_LABELS: dict[str, str] = {
    "activities.create": mark("write down activities"),
    "activities.edit": mark("change activities"),
    "activities.edit_all": mark("change everybody's activities"),
    "activities.see": mark("see activities"),
    "activities.see_all": mark("see everybody's activities"),
    "audit.see": mark("see the audit trail"),
    "backups.confirm": mark("confirm backups"),
    "backups.run": mark("make and restore backups"),
    "backups.see": mark("see backups"),
    "companies.create": mark("write down companies"),
    "companies.delete": mark("delete companies"),
    "companies.edit": mark("change companies"),
    "companies.see": mark("see companies"),
    "deals.create": mark("write down deals"),
    "deals.delete": mark("delete deals"),
    "deals.edit": mark("change deals"),
    "deals.edit_all": mark("change everybody's deals"),
    "deals.see": mark("see deals"),
    "deals.see_all": mark("see everybody's deals"),
    "exports.run": mark("export data"),
    "forms.see": mark("see forms"),
    "forms.sign": mark("sign forms"),
    "imports.run": mark("import files"),
    "license.manage": mark("manage the licence"),
    "license.see": mark("see the licence"),
    "people.create": mark("write down people"),
    "people.delete": mark("delete people"),
    "people.edit": mark("change people"),
    "people.see": mark("see people"),
    "pipelines.edit": mark("change pipelines"),
    "settings.edit": mark("change the settings"),
    "tokens.own": mark("have API tokens"),
    "users.manage": mark("manage users"),
    "users.see": mark("see users"),
}
name_permissions(PERMISSION_LABELS)

SILENT_MINUTES = 15  # after which a device gives its slot back (licensing.md §8)
HISTORY_DAYS = 1_096  # three years, one of them a leap year

FAILURES_ALLOWED = 8
FAILURES_ALLOWED_PER_ADDRESS = 60  # an office may share one address, a guesser has one as well
FAILURE_WINDOW_MINUTES = 15


@dataclass(frozen=True)
class UserDraft:
    """A user as someone wrote it down, before it exists."""

    email: str
    display_name: str
    role: Role = Role.SALES
    kind: UserKind = UserKind.HUMAN
    locale: str = "fa"
    password: str | None = None
    status: UserStatus = UserStatus.ACTIVE


def holds_seat(status: UserStatus) -> bool:
    """Tell whether a user in this status takes one of the licensed seats (licensing.md §8)."""
    return status is UserStatus.ACTIVE


@dataclass(frozen=True)
class Seats:
    """How many seats of one kind are taken and how many the licence sells."""

    used: int
    cap: int

    @property
    def over(self) -> bool:
        """Tell whether more are taken than a lowered cap allows."""
        return self.used > self.cap


@dataclass(frozen=True)
class SoldSeats:
    """What the licence sells: seats of people, of service accounts, and slots of client devices."""

    named: int
    service: int
    devices: int
