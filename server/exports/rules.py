"""The words of a full export, and what belongs into it: one sheet a table, secrets left out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from server.core.i18n import mark

KEPT_FOR = timedelta(days=7)
TRIES = 3


class ExportStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REMOVED = "removed"


UNDER_WAY = frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING})

STATUS_LABELS = {
    ExportStatus.QUEUED: mark("Waiting"),
    ExportStatus.RUNNING: mark("Being written"),
    ExportStatus.DONE: mark("Ready"),
    ExportStatus.FAILED: mark("Failed"),
    ExportStatus.REMOVED: mark("Removed"),
}


@dataclass(frozen=True)
class Lookup:
    """A column beside an id that says in words whom or what the id means."""

    column: str
    table: str
    shows: str
    named: str


@dataclass(frozen=True)
class Sheet:
    """One CSV file of the export: a table, read in the order of its `keys`.

    `without` are columns that follow from others or are secret, `only` names the columns where new ones
    must not come along by themselves. `money` maps an amount in minor units to its currency's column.
    """

    table: str
    keys: tuple[str, ...] = ("id",)
    without: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    money: Mapping[str, str] = field(default_factory=dict)
    permission: str | None = None

    @property
    def file(self) -> str:
        """Return the name of the file in the archive."""
        return f"{self.table}.csv"


_DERIVED = frozenset({"search_text", "name_key"})
_OWNER = Lookup("owner_id", "users", "email", "owner_email")

SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "users",
        only=(
            *("id", "version", "created_at", "updated_at", "created_by_id", "deleted_at"),
            *("email", "display_name", "role", "kind", "status", "locale", "active_since"),
            "external_id",
        ),
    ),
    Sheet(
        "companies",
        without=_DERIVED,
        lookups=(_OWNER, Lookup("parent_company_id", "companies", "name", "parent_company")),
        money={"annual_revenue": "revenue_currency"},
    ),
    Sheet(
        "people",
        without=_DERIVED,
        lookups=(_OWNER, Lookup("company_id", "companies", "name", "company")),
    ),
    Sheet("pipelines"),
    Sheet("stages", lookups=(Lookup("pipeline_id", "pipelines", "name", "pipeline"),)),
    Sheet(
        "deals",
        without=_DERIVED | {"board_position"},
        lookups=(
            _OWNER,
            Lookup("company_id", "companies", "name", "company"),
            Lookup("pipeline_id", "pipelines", "name", "pipeline"),
            Lookup("stage_id", "stages", "name", "stage"),
        ),
        money={"amount": "currency"},
    ),
    Sheet("deal_people", keys=("deal_id", "person_id")),
    Sheet("stage_moves", lookups=(Lookup("by_id", "users", "email", "by_email"),)),
    Sheet("activities", without=_DERIVED, lookups=(_OWNER,)),
    Sheet(
        "activity_links",
        keys=("activity_id", "kind", "record_id"),
        without=frozenset({"is_open", "at"}),
    ),
    Sheet(
        "imports",
        without=frozenset({"claimed_by", "claimed_until", "acting_id", "cursor"}),
    ),
    Sheet("import_rows", keys=("import_id", "line")),
    Sheet("import_extras", keys=("import_id", "kind", "record_id")),
    Sheet("audit_entries", without=frozenset({"salt"}), permission="audit.see"),
    Sheet("seat_days"),
    Sheet("outside_visits", keys=("day", "address", "refused"), permission="license.manage"),
    Sheet("representative"),
    Sheet("notice_preferences", keys=("user_id",)),
    Sheet(
        "outgoing_messages",  # without their texts, which may hold links to choose a password
        only=(
            *("id", "channel", "recipient", "addressee", "purpose", "subject", "state", "attempts"),
            *("problem", "answer", "created_at", "tried_at", "settled_at"),
        ),
        permission="settings.edit",
    ),
    Sheet(
        "backup_runs",
        only=(
            *("id", "action", "kind", "state", "set_name", "asked_by_id", "asked_by"),
            *("asked_at", "started_at", "finished_at", "outcome"),
        ),
    ),
)

# Each table that stays out, and why; a test asks for one or the other for every table there is.
LEFT_OUT: Mapping[str, str] = {
    "api_tokens": "keys of programs; only their hashes are kept",
    "web_sessions": "who is signed in now",
    "sign_in_failures": "failed sign-ins of the last minutes",
    "seat_counters": "stands in license.json",
    "license_mirror": "the sealed licence state, bound to this server; its facts stand in license.json",
    "check_in_plan": "when to speak to the vendor next",
    "company_contact_keys": "follows from emails and phones of companies.csv",
    "person_contact_keys": "follows from emails and phones of people.csv",
    "idempotency_keys": "answers repeated to programs within a day",
    "license_matters": "what people are being told about the licence now",
    "user_sightings": "when colleagues were last seen",
    "device_counter": "who is signed in now",
    "scheduler_leases": "which process runs the clock",
    "job_states": "when jobs run",
    "audit_head": "the newest seal; every entry carries its own link",
    "backup_sets": "a mirror of the backups on the disk",
    "backup_place": "the last look at the place of backups",
    "exports": "this list of exports",
}
