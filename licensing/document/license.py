"""The licence: what was sold to whom, for how long. It says nothing about the host."""

from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_network
from typing import ClassVar, Self

from licensing.document.documents import Role, payload_type
from licensing.document.errors import malformed
from licensing.document.parser import HEX_64, Members

PRIVATE_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
)


class Kind(StrEnum):
    """How the licence was sold."""

    TRIAL = "trial"
    SUBSCRIPTION = "subscription"
    PERPETUAL = "perpetual"


class NetworkMode(StrEnum):
    """What happens to a client outside the networks of the licence."""

    ENFORCE = "enforce"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True)
class Customer:
    """Who bought."""

    id: str
    name: str


@dataclass(frozen=True)
class Site:
    """The place this licence is for; a branch outside the network is another one."""

    id: str
    label: str


@dataclass(frozen=True)
class NetworkScope:
    """The networks whose clients may sign in (R-LIC-5)."""

    mode: NetworkMode = NetworkMode.ENFORCE
    cidrs: tuple[str, ...] = PRIVATE_NETWORKS


@dataclass(frozen=True)
class Seats:
    """The caps that were sold."""

    named: int
    concurrent: int
    service_accounts: int


@dataclass(frozen=True)
class NextTerm:
    """The term after the running one, paid and loaded ahead: from when on which caps hold."""

    starts_at: int
    seats: Seats


@dataclass(frozen=True)
class CheckinTerms:
    """The bounds of living without contact, in seconds; the last two count from the lease's end."""

    interval_s: int = 86_400
    lease_ttl_s: int = 1_209_600
    read_only_after_s: int = 604_800
    lock_after_s: int = 1_555_200


@dataclass(frozen=True)
class License:
    """What was sold. Times are Unix seconds; `expires_at` is None for a perpetual licence.

    With a `next_term`, `expires_at` is the end of that one: both terms are paid. A reader who does
    not know the member keeps the seats of the running term until a newer document brings the others.
    """

    TYPE: ClassVar[str] = payload_type("license")
    ROLE: ClassVar[Role] = Role.LICENSE

    license_id: str
    serial: int
    prev_serial_sha256: str | None
    customer: Customer
    site: Site
    network_scope: NetworkScope
    product: str
    edition: str
    kind: Kind
    seats: Seats
    features: tuple[str, ...]
    issued_at: int
    starts_at: int
    expires_at: int | None
    tz: str
    maintenance_until: int | None
    grace_days: int
    transferable: bool
    activations_max: int
    checkin: CheckinTerms
    next_term: NextTerm | None = None

    def at(self, now: int) -> "License":
        """Return the licence as it is at `now`: once the next term has begun, its caps hold."""
        if self.next_term is None or now < self.next_term.starts_at:
            return self
        return replace(self, seats=self.next_term.seats, next_term=None)

    @property
    def own_time(self) -> int:
        """Return `issued_at`."""
        return self.issued_at

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the licence of a payload."""
        kind = members.word("kind", Kind)
        expires_at = members.optional("expires_at", members.time)
        if expires_at is None and kind is not Kind.PERPETUAL:
            raise malformed("Only a perpetual licence may have no end.")
        return cls(
            license_id=members.filled("license_id"),
            serial=members.integer("serial", 1),
            prev_serial_sha256=members.optional(
                "prev_serial_sha256", lambda name: members.matching(name, HEX_64)
            ),
            customer=_customer(members.nested("customer")),
            site=_site(members.nested("site")),
            network_scope=_network_scope(members.nested("network_scope")),
            product=members.filled("product"),
            edition=members.filled("edition"),
            kind=kind,
            seats=_seats(members.nested("seats")),
            features=members.texts("features", 200),
            issued_at=members.time("issued_at"),
            starts_at=members.time("starts_at"),
            expires_at=expires_at,
            tz=members.filled("tz"),
            maintenance_until=members.optional("maintenance_until", members.time),
            grace_days=members.integer("grace_days"),
            transferable=members.boolean("transferable"),
            activations_max=members.integer("activations_max", 1),
            checkin=_checkin(members.nested("checkin")),
            next_term=_next_term(members),
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        payload: dict[str, object] = {
            "license_id": self.license_id,
            "serial": self.serial,
            "prev_serial_sha256": self.prev_serial_sha256,
            "customer": {"id": self.customer.id, "name": self.customer.name},
            "site": {"id": self.site.id, "label": self.site.label},
            "network_scope": {
                "mode": self.network_scope.mode.value,
                "cidrs": list(self.network_scope.cidrs),
            },
            "product": self.product,
            "edition": self.edition,
            "kind": self.kind.value,
            "seats": _seats_payload(self.seats),
            "features": list(self.features),
            "issued_at": self.issued_at,
            "starts_at": self.starts_at,
            "expires_at": self.expires_at,
            "tz": self.tz,
            "maintenance_until": self.maintenance_until,
            "grace_days": self.grace_days,
            "transferable": self.transferable,
            "activations_max": self.activations_max,
            "checkin": {
                "interval_s": self.checkin.interval_s,
                "lease_ttl_s": self.checkin.lease_ttl_s,
                "read_only_after_s": self.checkin.read_only_after_s,
                "lock_after_s": self.checkin.lock_after_s,
            },
        }
        if self.next_term is not None:
            payload["next_term"] = {
                "starts_at": self.next_term.starts_at,
                "seats": _seats_payload(self.next_term.seats),
            }
        return payload


def _customer(members: Members) -> Customer:
    return Customer(members.filled("id"), members.text("name"))


def _site(members: Members) -> Site:
    return Site(members.filled("id"), members.text("label"))


def _network_scope(members: Members) -> NetworkScope:
    cidrs = members.texts("cidrs", 200)
    for cidr in cidrs:
        try:
            ip_network(cidr, strict=False)
        except ValueError as error:
            raise malformed(f"{cidr!r} in network_scope.cidrs is no network.") from error
    return NetworkScope(members.word("mode", NetworkMode), cidrs)


def _seats(members: Members) -> Seats:
    return Seats(
        members.integer("named"), members.integer("concurrent"), members.integer("service_accounts")
    )


def _seats_payload(seats: Seats) -> dict[str, int]:
    return {
        "named": seats.named,
        "concurrent": seats.concurrent,
        "service_accounts": seats.service_accounts,
    }


def _next_term(members: Members) -> NextTerm | None:
    if not members.has("next_term"):
        return None
    term = members.nested("next_term")
    return NextTerm(term.time("starts_at"), _seats(term.nested("seats")))


def _checkin(members: Members) -> CheckinTerms:
    terms = CheckinTerms(
        interval_s=members.integer("interval_s", 1),
        lease_ttl_s=members.integer("lease_ttl_s", 1),
        read_only_after_s=members.integer("read_only_after_s"),
        lock_after_s=members.integer("lock_after_s"),
    )
    if terms.lock_after_s < terms.read_only_after_s:
        raise malformed("checkin.lock_after_s lies before checkin.read_only_after_s.")
    return terms
