"""The metrics by name: what each tells, and by which labels it is told apart. docs/admin lists them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from backup.plan import State
from licensing.document.requests import Mode


@dataclass(frozen=True)
class Metric:
    """One family of figures. Its name ends with the unit; `help` is for programs and stays English."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One figure of a metric, with the values of its labels."""

    metric: Metric
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


BUILD = Metric("daftar_build_info", "Always 1; the label tells the version.", ("version",))
UP = Metric("daftar_up", "1 when the database answers, else 0.")
LICENSE_MODE = Metric("daftar_license_mode", "1 for the mode that holds, else 0.", ("mode",))
LICENSE_EXPIRES = Metric(
    "daftar_license_expires_timestamp_seconds", "When the paid term ends; absent without an end."
)
LICENSE_CONTACT = Metric(
    "daftar_license_last_contact_timestamp_seconds", "When the vendor last answered."
)
SEATS_USED = Metric("daftar_seats_used", "Seats that are taken, by kind.", ("kind",))
SEATS_CAP = Metric("daftar_seats_cap", "Seats that the licence covers.", ("kind",))
DEVICES_PEAK = Metric(
    "daftar_devices_peak",
    "Most connected devices at once since the vendor last accepted a check-in.",
)
RESERVED_SLOT = Metric(
    "daftar_reserved_slot_in_use", "1 while an administrator is connected above the cap, else 0."
)
BACKUP_AGE = Metric("daftar_backup_age_seconds", "Age of the newest backup.", ("backup",))
BACKUP_STATE = Metric(
    "daftar_backup_state", "1 for the state of the newest backup, else 0.", ("backup", "state")
)
JOB_FINISHED = Metric("daftar_job_last_run_timestamp_seconds", "When the job last ended.", ("job",))
JOB_OK = Metric("daftar_job_last_run_ok", "1 when the job's last run went well, else 0.", ("job",))
JOB_NEXT = Metric("daftar_job_next_run_timestamp_seconds", "When the job is due.", ("job",))
UNSEALED = Metric("daftar_audit_entries_unsealed", "Audit entries that wait for their seal.")
TRAIL_WHOLE = Metric(
    "daftar_audit_trail_whole", "0 when the last look at the audit chain found it broken, else 1."
)
DATABASE_SIZE = Metric("daftar_database_size_bytes", "What the database takes on its disk.")
FAILURES = Metric(
    "daftar_sign_in_failures", "Failed sign-ins within the window that slows guessing down."
)
RECORDS = Metric("daftar_records", "Records outside the bin, by kind.", ("kind",))

METRICS = (
    BUILD,
    UP,
    LICENSE_MODE,
    LICENSE_EXPIRES,
    LICENSE_CONTACT,
    SEATS_USED,
    SEATS_CAP,
    DEVICES_PEAK,
    RESERVED_SLOT,
    BACKUP_AGE,
    BACKUP_STATE,
    JOB_FINISHED,
    JOB_OK,
    JOB_NEXT,
    UNSEALED,
    TRAIL_WHOLE,
    DATABASE_SIZE,
    FAILURES,
    RECORDS,
)


def modes(current: str) -> Iterator[Sample]:
    """Yield one figure for each mode of the licence, so that an alert can name the bad ones."""
    for mode in Mode:
        yield Sample(LICENSE_MODE, float(mode == current), {"mode": mode.value})


def backup_states(which: str, current: State) -> Iterator[Sample]:
    """Yield one figure for each state that a backup can be in."""
    for state in State:
        labels = {"backup": which, "state": state.value}
        yield Sample(BACKUP_STATE, float(state == current), labels)
