"""A vendor and its servers in memory: the authority's own rules, the client's own chain, real signatures.

What is left out are HTTP, the database and the disk: two years of a hundred servers pass in a minute.
"""

from dataclasses import dataclass, field, replace

from licensing.authority.activations.nonces import Mint, Told
from licensing.authority.activations.rules import (
    Chain,
    Meaning,
    NonceKind,
    Presented,
    judge,
    renew_after,
)
from licensing.authority.keys.private import PrivateKey
from licensing.client import compose
from licensing.client.acceptance import Ours, accept
from licensing.client.compose import About
from licensing.client.instance import InstanceKey, new_instance_key
from licensing.client.state import State
from licensing.document.answers import Activation, Bundle, Denial, Lease, LeaseSeats, LeaseStatus
from licensing.document.answers import Notice as LeaseNotice
from licensing.document.documents import Role
from licensing.document.envelope import Envelope, load_envelope
from licensing.document.errors import Code, NoticeCode
from licensing.document.keyset import KeyEntry, Keyset, Root
from licensing.document.license import (
    CheckinTerms,
    Customer,
    Kind,
    License,
    NetworkScope,
    Seats,
    Site,
)
from licensing.document.requests import (
    Mode,
    Usage,
    claimed_activation_id,
    open_check_in,
)
from licensing.document.trust import Trust, seal_document

DAY = 86_400
BEGIN = 1_800_000_000
USAGE = Usage(named=5, peak_concurrent=3, service=0)
LICENSE = License(
    license_id="lic_SIM",
    serial=1,
    prev_serial_sha256=None,
    customer=Customer("cus_1", "Pars Trading"),
    site=Site("site_hq", "Head office"),
    network_scope=NetworkScope(),
    product="daftar",
    edition="standard",
    kind=Kind.SUBSCRIPTION,
    seats=Seats(25, 25, 5),
    features=("crm",),
    issued_at=BEGIN,
    starts_at=BEGIN,
    expires_at=BEGIN + 4_000 * DAY,
    tz="Asia/Tehran",
    maintenance_until=None,
    grace_days=0,
    transferable=False,
    activations_max=1,
    checkin=CheckinTerms(),
)


@dataclass
class Book:
    """What the authority keeps of one activation."""

    activation_id: str
    instance_pub: bytes
    chain: Chain = field(default_factory=lambda: Chain(seq=1))
    head_nonce: str = ""
    head_hash: str | None = None
    abandoned: set[str] = field(default_factory=set)
    last_request: str = ""
    last_answer: bytes = b""
    reviewed_on: int | None = None
    held_on: int | None = None


class Vendor:
    """The authority: one licence and lease key, any number of activations. `now` is moved by the world."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.key, root = PrivateKey.generate(), PrivateKey.generate()
        self.mint = Mint(b"a secret of the simulation, 32 bytes")
        roles = (Role.LICENSE.value, Role.LEASE.value)
        entry = KeyEntry(self.key.public_key, roles, BEGIN, BEGIN + 4_000 * DAY)
        keyset = seal_document(Keyset(1, BEGIN, BEGIN + 4_000 * DAY, (entry,)), [root])
        self.trust = Trust(Root(1, 1, (root.public_key,))).with_keyset(keyset.raw, BEGIN)
        self.keyset = keyset.raw.decode()
        self.books: dict[str, Book] = {}

    def activate(self, instance_pub: bytes, request_hash: str) -> bytes:
        """Return the bundle of a new activation."""
        book = Book(f"act_{len(self.books)}", instance_pub)
        self.books[book.activation_id] = book
        bound = Activation(book.activation_id, LICENSE.license_id, instance_pub, 1, {}, self.now)
        bundle = Bundle(
            license=self._sealed(LICENSE).raw.decode(),
            activation=self._sealed(bound).raw.decode(),
            lease=self._lease(book, 1, request_hash, ()).decode(),
            keyset=self.keyset,
            req_hash=request_hash,
            server_time=self.now,
        )
        return self._sealed(bundle).raw

    def check_in(self, raw: bytes) -> bytes:
        """Answer a check-in by the table of the protocol."""
        book = self.books[claimed_activation_id(raw)]
        opened = open_check_in(raw, book.instance_pub)
        request_hash = opened.envelope.body_hash
        is_repeat = request_hash == book.last_request
        shown = Presented(opened.request.seq, self._kind(book, opened.request.nonce), is_repeat)
        step = judge(book.chain, shown)
        if step.meaning is Meaning.REPEAT:
            return book.last_answer
        book.chain, day = step.chain, (self.now - BEGIN) // DAY
        if NoticeCode.CLONE_REVIEW in step.notices and book.reviewed_on is None:
            book.reviewed_on = day
        if step.meaning is Meaning.HOLD:
            book.held_on = day if book.held_on is None else book.held_on
            answer = self._sealed(
                Denial(Code.E_CLONE_SUSPECTED, "Held.", request_hash, self.now)
            ).raw
        else:
            if step.abandons_head:
                book.abandoned.add(book.head_nonce)
            answer = self._lease(book, step.chain.seq, request_hash, step.notices)
        book.last_request, book.last_answer = request_hash, answer
        return answer

    def _kind(self, book: Book, nonce: str) -> NonceKind:
        if nonce == book.head_nonce:
            return NonceKind.HEAD
        if nonce in book.abandoned:
            return NonceKind.ABANDONED
        is_ours = self.mint.recognise(book.activation_id, nonce) is not None
        return NonceKind.STALE if is_ours else NonceKind.UNKNOWN

    def _lease(
        self, book: Book, seq: int, request_hash: str, notices: tuple[NoticeCode, ...]
    ) -> bytes:
        lease = Lease(
            lease_id=f"ls_{seq}",
            activation_id=book.activation_id,
            license_id=LICENSE.license_id,
            license_serial=1,
            generation=1,
            seq=seq,
            issued_at=self.now,
            renew_after=renew_after(book.activation_id, seq, self.now, DAY),
            expires_at=self.now + LICENSE.checkin.lease_ttl_s,
            license_expires_at=LICENSE.expires_at,
            seats=LeaseSeats(25, 25),
            status=LeaseStatus.OK,
            next_nonce=self.mint.give(book.activation_id, Told(1, 1)),
            prev_hash=book.head_hash,
            req_hash=request_hash,
            server_time=self.now,
            notices=tuple(LeaseNotice(code, self.now, "") for code in notices),
            license=None,
            keyset=None,
        )
        envelope = self._sealed(lease)
        book.head_nonce, book.head_hash = lease.next_nonce, envelope.raw_hash
        return envelope.raw

    def _sealed(self, document: License | Activation | Bundle | Lease | Denial) -> Envelope:
        return seal_document(document, [self.key])


@dataclass
class Server:
    """One installation, or a copy of one. Its whole memory is `state`, so a snapshot is a value."""

    vendor: Vendor
    key: InstanceKey
    state: State
    is_locked: bool = False

    @classmethod
    def activated(cls, vendor: Vendor) -> "Server":
        """Return a new server with a licence."""
        key = new_instance_key()
        about = About({}, "0.1.0", vendor.now)
        pending = compose.activation(key, "0" * 26, "a.challenge", about)
        server = cls(vendor, key, State(keyset=vendor.keyset, pending=pending))
        asked = load_envelope(pending.envelope.encode())
        server.take(vendor.activate(key.public_key, asked.body_hash))
        return server

    def copied(self) -> "Server":
        """Return a second server with the same disk."""
        return replace(self)

    def ask(self) -> bytes:
        """Persist a request, send it, and return the answer, which may be lost on its way."""
        held = self.state.held_lease()
        if self.state.pending is None and held is not None:
            about = About({}, "0.1.0", self.vendor.now)
            head = compose.Head(held, self.state.lease or "")
            request = compose.check_in_request(head, USAGE, Mode.OK, about)
            self.state = replace(self.state, pending=compose.check_in(self.key, request, about))
        pending = self.state.pending
        return self.vendor.check_in(pending.envelope.encode()) if pending else b""

    def take(self, answer: bytes) -> None:
        """Take an answer as the product does."""
        now = self.vendor.now
        ours = Ours(self.key.public_key, LICENSE.product, now, now)
        accepted = accept(self.state, self.vendor.trust, answer, ours)
        self.state = accepted.state
        self.is_locked = isinstance(accepted.answer, Denial)

    def check_in(self) -> None:
        """Ask and take."""
        self.take(self.ask())

    @property
    def book(self) -> Book:
        """Return what the vendor keeps of this server."""
        held = self.state.held_lease()
        if held is None:
            raise AssertionError("a server of the simulation is always activated")
        return self.vendor.books[held.activation_id]
