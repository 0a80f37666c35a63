"""The licence in words for people: what happened, what still works, what to do. No licence file, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from server.core.i18n import gettext as _
from server.core.i18n import mark


@dataclass(frozen=True)
class Explanation:
    """Why the licence is in its mode, in four sentences for the catalogue. `level` colours the banner."""

    level: str
    title: str
    happened: str
    works: str
    next_step: str


ALL_WORKS = mark("Everything works.")
READING_WORKS = mark(
    "Reading, searching, exports, backups and the licence page work. Nothing can be changed."
)
RESCUE_WORKS = mark(
    "Administrators can sign in, back up, verify, restore and export everything, "
    "deactivate users and use the licence page. Nothing is lost."
)
WRITE_VENDOR = mark("Ask the vendor; the licence number is on this page.")

EXPLANATIONS: Mapping[str, Explanation] = {
    "fresh": Explanation(
        "success",
        mark("The licence is in order"),
        mark("The licence was confirmed by the vendor and its term is running."),
        ALL_WORKS,
        mark("There is nothing to do. The next check happens by itself."),
    ),
    "term_ending": Explanation(
        "warning",
        mark("The licence ends soon"),
        mark("The paid term ends within ten days, or three for short terms."),
        ALL_WORKS,
        mark("Renew with the vendor. The renewed licence arrives by itself at the next check."),
    ),
    "no_contact": Explanation(
        "warning",
        mark("The vendor has not been reached for a while"),
        mark(
            "The daily check of the licence gets no answer. Usually the internet line or a proxy is the reason."
        ),
        mark(
            "For 21 days after the last contact everything works, until the 32nd day reading works."
        ),
        mark(
            "Let the server reach the internet, then choose “Check now”. An activation file works without a line."
        ),
    ),
    "seats_over_cap": Explanation(
        "warning",
        mark("There are more users than seats"),
        mark("The renewed licence covers fewer users than are active."),
        mark(
            "Everybody keeps working for 14 days; then nothing can be changed until there are enough seats."
        ),
        mark("Deactivate users, or buy more seats."),
    ),
    "term_ended": Explanation(
        "danger",
        mark("The term of the licence has ended"),
        mark("The paid term is over and no renewal has arrived."),
        RESCUE_WORKS,
        mark("Renew with the vendor, then choose “Check now”."),
    ),
    "suspended": Explanation(
        "danger",
        mark("The vendor has suspended the licence"),
        mark("The vendor said so in a signed answer."),
        RESCUE_WORKS,
        WRITE_VENDOR,
    ),
    "revoked": Explanation(
        "danger",
        mark("The vendor has revoked the licence"),
        mark("The vendor said so in a signed answer."),
        RESCUE_WORKS,
        WRITE_VENDOR,
    ),
    "superseded": Explanation(
        "danger",
        mark("The licence has moved to another server"),
        mark("The vendor gave this licence to a new server, after a request to re-host it."),
        RESCUE_WORKS,
        mark("Use the new server. If you did not ask for this, ask the vendor."),
    ),
    "deactivated": Explanation(
        "danger",
        mark("The licence was given back"),
        mark("This server gave its activation back; the signed proof is kept here."),
        RESCUE_WORKS,
        mark("Activate again with an activation code."),
    ),
    "clone_hold": Explanation(
        "danger",
        mark("The licence is held: this server seems to exist twice"),
        mark("Two servers have used the same activation in turn, again and again."),
        RESCUE_WORKS,
        mark("Switch one of them off, then ask the vendor to clear the hold."),
    ),
    "not_activated": Explanation(
        "info",
        mark("This server is not activated yet"),
        mark("Daftar was installed, but no licence has been activated on this server."),
        mark("Administrators can sign in and use the licence page."),
        mark("Enter the activation code that came with your order."),
    ),
    "not_started": Explanation(
        "info",
        mark("The licence starts later"),
        mark("The licence is activated, but its term has not begun."),
        mark("Administrators can sign in and use the licence page."),
        mark("Wait for the first day of the term, or ask the vendor."),
    ),
}

_DENIALS: Mapping[str, str] = {
    "E_CODE": mark("The vendor does not know this activation code. Compare it with your order."),
    "E_CHALLENGE": mark(
        "The request was too old when it arrived. Try again; check the server's clock if it happens again."
    ),
    "E_ALREADY_ACTIVE": mark(
        "This licence is already active on another server. "
        "Deactivate it there first, or ask the vendor to re-host it."
    ),
    "E_SUSPENDED": mark("The vendor has suspended this licence. Ask the vendor."),
    "E_REVOKED": mark("The vendor has revoked this licence. Ask the vendor."),
    "E_EXPIRED": mark("The term of this licence has ended. Renew it with the vendor."),
    "E_SUPERSEDED": mark("This licence has moved to another server."),
    "E_DEACTIVATED": mark("This licence was deactivated for good. Ask the vendor for a new one."),
    "E_CLONE_SUSPECTED": mark(
        "The licence is held because this server seems to exist twice. Ask the vendor to clear the hold."
    ),
    "E_NOT_STARTED": mark("The term of this licence has not begun yet."),
    "E_MAINTENANCE": mark("This release is newer than the maintenance of the licence covers."),
    "E_CLIENT_TOO_OLD": mark(
        "This release is too old for the vendor's licence service. Upgrade Daftar."
    ),
    "E_TRIAL_USED": mark(
        "A trial was already used by this organisation or on this machine. Buy a licence to go on."
    ),
    "E_REHOST_LIMIT": mark(
        "This licence was moved twice this year already. Ask the vendor to approve another move."
    ),
}
_FAULTS: Mapping[str, str] = {
    "dns": mark("The vendor's address cannot be resolved. Check the server's name servers."),
    "tcp": mark(
        "The vendor's server does not accept a connection. Check the internet line and the firewall."
    ),
    "tls": mark(
        "The encrypted connection to the vendor fails. Check the clock and the certificate bundle of a proxy."
    ),
    "proxy": mark(
        "The proxy refuses the connection to the vendor. Check HTTPS_PROXY and its permissions."
    ),
    "timeout": mark("The vendor's server does not answer in time. Try again later."),
    "http": mark(
        "The vendor's server answers with something that is no licence answer. "
        "A proxy may stand between."
    ),
}

_NOTICES: Mapping[str, str] = {
    "STATE_RESYNC": mark(
        "The licence state of this server was older than the vendor's; it was brought up to date."
    ),
    "CLONE_REVIEW": mark(
        "The vendor saw this activation from two servers. Make sure that only one of them runs."
    ),
    "FINGERPRINT_CHANGED": mark(
        "This machine differs from the one that was activated. The next check tells the vendor."
    ),
    "RENEWAL_AVAILABLE": mark(
        "The vendor has sent a newer licence with the last check. It holds already."
    ),
    "KEY_ROTATION": mark("The vendor changes its signing keys. There is nothing to do."),
    "SEATS_OVER_NEW_CAP": mark(
        "The renewed licence covers fewer users than are active. Deactivate users, or buy more seats."
    ),
    "CLOCK_BACK": mark("The clock of this server was set back. Set it right."),
    "CLOCK_FORWARD": mark("The clock of this server is far ahead. Set it right."),
}
_PROBLEMS: Mapping[str, str] = {
    "E_STATE_TAMPERED": mark(
        "The licence state on this server was damaged or comes from another server; "
        "what the vendor signed was kept. Choose “Check now”: the next answer mends it."
    ),
    "E_WRONG_INSTANCE": mark(
        "The key of this server is missing or another one than was activated, as after moving "
        "the data to another machine. Give the licence back on the old server and activate here; "
        "if that is not possible, ask the vendor to re-host the licence."
    ),
    "E_SIGNATURE": mark(
        "A licence document on this server no longer carries a valid signature and was left out. "
        "Choose “Check now”; the vendor sends it again."
    ),
    "E_KEY_WINDOW": mark(
        "A licence document on this server was signed by a key outside its time and was left out. "
        "Choose “Check now”; the vendor sends it again."
    ),
    "E_FORMAT": mark(
        "A licence document on this server is damaged and was left out. "
        "Choose “Check now”; the vendor sends it again."
    ),
    "E_ROLLBACK": mark(
        "The root keys kept on this server do not follow those of this release. "
        "Copy root.json from the delivery to its place, then choose “Check now”."
    ),
    "E_KEYSET_EXPIRED": mark(
        "The vendor's keys on this server have expired; new ones arrive at the next check. "
        "Choose “Check now”, or set the clock right."
    ),
}
_PROBLEM = mark(
    "A part of the licence state on this server does not fit and was left out. "
    "Choose “Check now”; if it stays, ask the vendor."
)


def notice_sentences(codes: Iterable[str]) -> tuple[str, ...]:
    """Return each notice of licensing.md §9 once, in words; a problem keeps the code support asks for."""
    return tuple(dict.fromkeys(map(_notice_sentence, codes)))


def _notice_sentence(code: str) -> str:
    if code in _NOTICES:
        return _(_NOTICES[code])
    problem = _PROBLEMS.get(code, _PROBLEM)
    return f"{_(problem)} ({code})"


def explain(reason: str) -> Explanation:
    """Return the words for a reason of licensing.md §7."""
    return EXPLANATIONS.get(reason, EXPLANATIONS["no_contact"])


def denial_sentence(code: str) -> str:
    """Return why the vendor said no, with the code that support asks for."""
    known = _DENIALS.get(code)
    sentence = _(known) if known else _("The vendor refuses.")
    return f"{sentence} ({code})"


def fault_sentence(code: str) -> str:
    """Return what stands between this server and the vendor. Nothing about the licence changes."""
    known = _FAULTS.get(code)
    sentence = (
        _(known)
        if known
        else _("The vendor's server is not available at the moment. Try again later.")
    )
    return f"{sentence} ({code})"


def moment(seconds: int) -> datetime:
    """Return Unix seconds of a licence document as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class SeatUse:
    """Seats of one kind, taken and sold."""

    used: int
    cap: int


@dataclass(frozen=True)
class LeaseFacts:
    """The vendor's last signed word. Without another one, records are only read from `read_only_at` on."""

    seq: int
    issued_at: datetime
    expires_at: datetime
    renew_after: datetime
    read_only_at: datetime


@dataclass(frozen=True)
class NextTerm:
    """The term after the running one, paid and loaded ahead: its first moment, and its seats."""

    starts_at: datetime
    named: int
    concurrent: int
    service: int


@dataclass(frozen=True)
class LicenseStatus:
    """Everything that the licence page, the API and `daftar license status` show."""

    mode: str
    reason: str
    license_id: str | None
    customer: str | None
    edition: str | None
    kind: str | None
    serial: int | None
    named: SeatUse
    concurrent: SeatUse
    service: SeatUse
    expires_at: datetime | None
    maintenance_until: datetime | None
    next_change_at: datetime | None
    lease: LeaseFacts | None
    last_contact_at: datetime | None
    next_check_in_at: datetime | None
    notices: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())
    activated_at: datetime | None = None
    next_term: NextTerm | None = None

    @property
    def explanation(self) -> Explanation:
        """Return what this means, in words for the catalogue."""
        return explain(self.reason)


@dataclass(frozen=True)
class Message:
    """One of the last 50 messages to and from the vendor, in full."""

    at: datetime
    direction: str
    kind: str
    text: str


@dataclass(frozen=True)
class MachinePart:
    """A part by which the machine is recognised, and what became of it since the activation."""

    name: str
    change: str


PARTS: Mapping[str, str] = {
    "tpm_ek": mark("Security chip (TPM)"),
    "dmi_uuid": mark("Number of the machine (DMI)"),
    "machine_id": mark("Number of the operating system"),
    "rootfs_uuid": mark("System disk"),
    "board_serial": mark("Mainboard"),
    "mac": mark("Network card"),
}
PART_CHANGES: Mapping[str, str] = {
    "same": mark("the same"),
    "changed": mark("changed"),
    "unreadable": mark("cannot be read now"),
    "added": mark("new"),
}
REQUESTS: Mapping[str, str] = {
    "activate": mark("Activation"),
    "check-in": mark("Check-in"),
    "deactivate": mark("Giving back"),
}
REASONS: Mapping[str, str] = {
    "move": mark("Move to another server"),
    "refund": mark("Return for a refund"),
    "end": mark("End for good"),
}
