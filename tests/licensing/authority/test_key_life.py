"""Keys that are stolen, replaced and follow each other, lived through by the product's own client."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from licensing.authority.licenses.rules import LicenseStatus
from licensing.authority.replacing import Replacing, clear_suspects, replace_key, resting_on
from licensing.client.ladder import Reason
from licensing.client.outcome import Result
from licensing.client.transport import Fault, Unreachable
from licensing.document.answers import Lease
from licensing.document.documents import Role
from licensing.document.envelope import load_envelope
from licensing.document.nonces import new_nonce
from licensing.document.parser import MAX_INTEGER
from licensing.document.requests import Mode
from licensing.document.trust import seal_document
from server.core import clock
from tests.licensing.authority.life import DAY, Install, Server, at, is_well, later
from tests.licensing.authority.stage import Vendor


class Thief:
    """Holds the lease key, and answers a customer's check-in in the vendor's place."""

    def __init__(self, vendor: Vendor, *, ahead: int, seq: int) -> None:
        self.key = next(
            key
            for public, key in vendor.keys.ring().private.items()
            if public == vendor.key_of("lease").public_key
        )
        self.ahead, self.seq = ahead, seq
        self.issued_at_most = vendor.key_of("lease").not_after
        self.last: Lease | None = None

    def learn(self, server: Server) -> None:
        """Look at the lease that the customer holds."""
        self.last = server.client.status().lease
        state = json.loads((server.folder / "license" / "state.json").read_text("utf8"))
        self.held = json.loads(state["state"])["lease"]

    def answer(self, path: str, body: bytes) -> bytes | None:
        if path != "v1/check-ins" or self.last is None:
            return None
        asked = load_envelope(body)
        far = clock.timestamp() + self.ahead
        lease = replace(
            self.last,
            seq=self.seq,
            next_nonce=new_nonce(),
            req_hash=asked.body_hash,
            prev_hash=load_envelope(self.held.encode()).raw_hash,
            issued_at=min(far, self.issued_at_most),
            server_time=far,
            expires_at=far + 14 * DAY,
            renew_after=far + DAY,
            keyset=None,
            license=None,
        )
        return seal_document(lease, [self.key]).raw


def robbed(vendor: Vendor, server: Server, **far: int) -> None:
    """Let a thief answer one check-in."""
    thief = Thief(vendor, **far)
    thief.learn(server)
    server.line.thief = thief.answer
    assert is_well(server.check_in())
    server.line.thief = lambda _path, _body: None


# The lease key


def test_a_stolen_lease_keys_leap_ahead_heals_when_the_key_is_revoked(
    vendor_here: Vendor, install: Install
) -> None:
    """The thief sets a server's clock months ahead; the true vendor is refused until the key dies."""
    server = install("one")
    server.activate(vendor_here.sell(days=30).code)
    stolen = vendor_here.key_of("lease").keyid
    robbed(vendor_here, server, ahead=80 * DAY, seq=1_000_000)
    assert server.stands() == (Mode.LOCKED, Reason.TERM_ENDED)
    assert server.check_in().code == "E_ROLLBACK"

    vendor_here.revoke(stolen)

    assert is_well(server.check_in())
    assert server.stands() == (Mode.OK, Reason.FRESH)
    assert abs(server.client.effective_now() - clock.timestamp()) < 60
    lease = server.client.status().lease
    assert lease is not None
    assert lease.seq > 1_000_000
    server.start()
    assert is_well(server.check_in())
    assert server.stands() == (Mode.OK, Reason.FRESH)


def test_a_hold_that_a_thief_brought_about_is_cleared_with_the_key(
    vendor_here: Vendor, install: Install
) -> None:
    server, issued = install("one"), vendor_here.sell()
    server.activate(issued.code)
    entry = vendor_here.key_of("lease")
    robbed(vendor_here, server, ahead=DAY, seq=500)
    for _try in range(7):
        assert server.check_in().result is Result.REFUSED
    assert "clone_hold" in vendor_here.flags(issued.license_id)

    vendor_here.revoke(entry.keyid)
    job = Replacing(vendor_here.database, "Root", vendor_here.ceremony())
    assert clear_suspects(job, entry) == 1

    assert is_well(server.check_in())
    assert server.stands() == (Mode.OK, Reason.FRESH)
    assert vendor_here.flags(issued.license_id) == []


@pytest.mark.parametrize("years", [1, 60])
def test_no_thief_can_set_a_clock_beyond_the_end_of_his_key(
    vendor_here: Vendor, install: Install, years: int
) -> None:
    server = install("one")
    server.activate(vendor_here.sell().code)
    thief = Thief(vendor_here, ahead=years * 365 * DAY, seq=2)
    thief.learn(server)
    server.line.thief = thief.answer

    assert server.check_in().code == "E_KEY_WINDOW"
    assert server.stands() == (Mode.OK, Reason.FRESH)


@pytest.mark.parametrize("seq", [2**40, MAX_INTEGER - 1])
def test_no_thief_can_use_up_the_numbers(vendor_here: Vendor, install: Install, seq: int) -> None:
    server = install("one")
    server.activate(vendor_here.sell().code)
    thief = Thief(vendor_here, ahead=0, seq=seq)
    thief.learn(server)
    server.line.thief = thief.answer

    assert server.check_in().code == "E_ROLLBACK"

    server.line.thief = lambda _path, _body: None
    assert is_well(server.check_in())
    assert is_well(server.check_in())


def test_what_a_revoked_lease_key_signs_is_worth_nothing(
    vendor_here: Vendor, install: Install
) -> None:
    server = install("one")
    server.activate(vendor_here.sell().code)
    thief = Thief(vendor_here, ahead=DAY, seq=9)
    vendor_here.revoke(vendor_here.key_of("lease").keyid)
    assert is_well(server.check_in())
    thief.learn(server)
    server.line.thief = thief.answer

    assert server.check_in().code == "E_SIGNATURE"
    assert server.stands() == (Mode.OK, Reason.FRESH)


# The licence key


def test_a_licence_key_dies_and_no_server_is_ever_without_its_licence(
    vendor_here: Vendor, install: Install
) -> None:
    sold = [vendor_here.sell() for _number in range(3)]
    servers = [install(f"server{number}") for number in range(3)]
    for server, issued in zip(servers, sold, strict=True):
        server.activate(issued.code)
    stolen = vendor_here.key_of("license").keyid

    done = vendor_here.revoke(stolen)

    assert done.resigned == 3
    assert waiting(vendor_here, stolen) == (0, 3)
    for server in servers:
        # What everybody may fetch at any time takes nothing from a server that has not called yet.
        assert server.line.get("v1/keyset") is not None
        assert server.stands() == (Mode.OK, Reason.FRESH)
        assert is_well(server.check_in())
        assert server.stands() == (Mode.OK, Reason.FRESH)
        assert (server.license.serial, server.client.status().keyset_version) == (2, 3)
        server.start()
        assert server.stands() == (Mode.OK, Reason.FRESH)
    assert waiting(vendor_here, stolen) == (0, 0)


def waiting(vendor: Vendor, keyid: str) -> tuple[int, int]:
    with vendor.database.read() as session:
        found = resting_on(session, [keyid])[keyid]
    return found.licenses, found.servers


def test_a_keyset_that_was_fetched_alone_waits_for_its_licence(
    vendor_here: Vendor, install: Install
) -> None:
    """An admin types the code again just after the revocation; the line breaks before the answer."""
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    vendor_here.revoke(vendor_here.key_of("license").keyid)
    cut_posts(server)

    assert server.activate(issued.code).result is Result.UNREACHABLE

    assert server.stands() == (Mode.OK, Reason.FRESH)
    server.start()
    assert server.stands() == (Mode.OK, Reason.FRESH)
    mend_posts(server)
    assert is_well(server.activate(issued.code))
    assert is_well(server.check_in())
    assert server.stands() == (Mode.OK, Reason.FRESH)
    assert (server.license.serial, server.client.status().keyset_version) == (2, 3)


def lost(_path: str, _body: bytes) -> Unreachable:
    return Unreachable(Fault.TCP, "The line broke.")


def test_a_licence_signed_by_another_process_in_the_last_moment_is_healed_on_its_way(
    vendor_here: Vendor, install: Install
) -> None:
    """The key died while a renewal was being signed by it: the check-in signs it anew, then tells."""
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    stale = vendor_here.keys.without(b"")  # a process that has not looked at the keyset since
    ring = stale.ring()
    stolen = vendor_here.key_of("license").keyid
    vendor_here.revoke(stolen)
    vendor_here.keys, current = stale, vendor_here.keys
    stale.ring = lambda: ring  # type: ignore[method-assign]
    vendor_here.renew(issued.license_id, 30)
    vendor_here.keys = current
    assert waiting(vendor_here, stolen)[0] == 1

    assert is_well(server.check_in())

    assert server.stands() == (Mode.OK, Reason.FRESH)
    assert waiting(vendor_here, stolen) == (0, 0)
    # Twice is once, and sweeps up what came in between.
    assert vendor_here.revoke(stolen).resigned == 0


def test_a_replaced_key_lives_on_until_the_servers_have_their_new_licence(
    vendor_here: Vendor, install: Install
) -> None:
    server = install("one")
    server.activate(vendor_here.sell().code)
    entry = vendor_here.key_of("license")
    job = Replacing(vendor_here.database, "Root", vendor_here.ceremony())

    assert replace_key(job, entry, lambda _count: None).resigned == 1

    assert waiting(vendor_here, entry.keyid) == (0, 1)
    assert server.stands() == (Mode.OK, Reason.FRESH)
    assert is_well(server.check_in())
    assert waiting(vendor_here, entry.keyid) == (0, 0)
    vendor_here.revoke(entry.keyid)
    assert is_well(server.check_in())
    assert server.stands() == (Mode.OK, Reason.FRESH)


def test_a_stopped_licences_server_stays_stopped_and_keeps_its_licence(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    vendor_here.set_status(issued.license_id, LicenseStatus.REVOKED)
    vendor_here.revoke(vendor_here.key_of("license").keyid)

    assert is_well(server.check_in())

    assert server.stands() == (Mode.LOCKED, Reason.REVOKED)
    assert server.license.license_id == issued.license_id


def test_an_activation_whose_reply_was_lost_before_the_revocation_is_asked_anew(
    vendor_here: Vendor, install: Install
) -> None:
    issued, other = vendor_here.sell(), install("one")
    cut_posts(other)
    assert other.activate(issued.code).result is Result.UNREACHABLE
    mend_posts(other)
    vendor_here.revoke(vendor_here.key_of("license").keyid)
    vendor_here.revoke(vendor_here.key_of("lease").keyid)

    assert is_well(other.activate(issued.code))
    assert other.stands() == (Mode.OK, Reason.FRESH)


def cut_posts(server: Server) -> None:
    whole = server.line.post

    def post(path: str, body: bytes) -> Unreachable:
        whole(path, body)
        return lost(path, body)

    server.line.post = post  # type: ignore[method-assign]


def mend_posts(server: Server) -> None:
    del server.line.post


# The calendar


def test_keys_rotate_for_three_years_and_nobody_notices(
    vendor_here: Vendor, install: Install
) -> None:
    """Lease keys every 60 days, a licence key each year; a check-in every ten days is enough."""
    server = install("one")
    server.activate(vendor_here.sell(days=3 * 365 + 30).code)
    start = clock.timestamp()
    for day in range(10, 3 * 365, 10):
        with at(start + day * DAY):
            if day % 60 == 0:
                vendor_here.rotate(Role.LEASE)
            if day % 360 == 0:
                vendor_here.rotate(Role.LICENSE)
            assert is_well(server.check_in())
            assert server.stands() == (Mode.OK, Reason.FRESH)
    with at(start + 3 * 365 * DAY):
        keyset = vendor_here.keys.ring().keyset
    ended = [entry for entry in keyset.keys if entry.not_after < start]
    assert ended == []
    assert len(keyset.keys) < 24


def test_keysets_do_not_outgrow_their_bounds(vendor_here: Vendor) -> None:
    start = clock.timestamp()
    for year in range(1, 4):
        for step in range(6):
            with at(start + (year * 360 + step * 60) * DAY):
                vendor_here.rotate(Role.LEASE)
    with at(start + 4 * 360 * DAY):
        vendor_here.rotate(Role.LEASE)
        keyset = vendor_here.keys.ring().keyset
        first = vendor_here.settings.trust_dir / "keysets" / "1.json"
        original = json.loads(open_keyset(first))["keys"]
    kept = {entry.keyid for entry in keyset.keys}
    gone = [one["keyid"] for one in original if one["keyid"] not in kept]

    assert [one["roles"] for one in original if one["keyid"] in gone] == [["lease"]]


def open_keyset(path: Path) -> str:
    return load_envelope(path.read_bytes()).body.decode()


def test_an_expired_keyset_blocks_new_keys_and_no_running_server(
    vendor_here: Vendor, install: Install
) -> None:
    server, other = install("one"), install("two")
    server.activate(vendor_here.sell(days=1000).code)
    first = clock.timestamp()
    with at(first + 395 * DAY):
        assert server.client.verdict(1).reason is Reason.NO_CONTACT
    with at(first + 401 * DAY):
        fresh = vendor_here.sell()
        # Its vendor forgot the calendar: nothing is signed by keys that are over.
        assert other.activate(fresh.code).result is not Result.ACCEPTED
        assert other.stands()[0] is Mode.SETUP
        vendor_here.rotate(Role.LEASE)
        assert is_well(other.activate(fresh.code))


def test_ratchets_of_living_keys_hold(vendor_here: Vendor, install: Install) -> None:
    server = install("one")
    server.activate(vendor_here.sell().code)
    with later(days=2):
        assert is_well(server.check_in())
    assert server.check_in().code == "E_ROLLBACK"
