"""A licence given back by the product's own client: the proof, and from when on a refund is due."""

import json
from datetime import UTC, datetime

from licensing.authority.activations.answer_files import answer_file
from licensing.authority.activations.desk import Desk
from licensing.authority.config import CHALLENGE_SECRET
from licensing.client.ladder import Reason
from licensing.client.outcome import Result
from licensing.document.answers import Deactivation
from licensing.document.requests import DeactivationReason, Mode
from server.core import clock
from server.core.config import read_secret
from tests.licensing.authority.life import (
    USAGE,
    Install,
    Server,
    is_well,
    later,
)
from tests.licensing.authority.stage import Vendor


def test_a_licence_given_back_online_may_be_refunded_at_once(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)

    assert is_well(server.client.deactivate(DeactivationReason.REFUND, USAGE))

    proof = proof_of(server)
    assert proof.reason is DeactivationReason.REFUND
    assert proof.refund_eligible_at == proof.deactivated_at
    assert server.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
    assert install("two").activate(issued.code).code == "E_DEACTIVATED"


def test_a_licence_given_back_by_file_may_be_refunded_when_its_lease_is_over(
    vendor_here: Vendor, install: Install
) -> None:
    """The tombstone comes before the file: the server is locked although the vendor knows nothing yet."""
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    lease = server.client.status().lease
    assert lease is not None
    with later(days=3):
        request = server.client.export_deactivation(DeactivationReason.REFUND, USAGE)
        assert server.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
        server.start()
        assert server.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
        assert is_well(server.client.import_answer(answered(vendor_here, request)))
        proof = proof_of(server)
    assert proof.refund_eligible_at == lease.expires_at
    assert proof.deactivated_at < lease.expires_at


def test_by_file_after_the_lease_has_ended_the_refund_is_due_at_once(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    with later(days=20):
        request = server.client.export_deactivation(DeactivationReason.REFUND, USAGE)
        assert is_well(server.client.import_answer(answered(vendor_here, request)))
        proof = proof_of(server)
    assert proof.refund_eligible_at == proof.deactivated_at


def answered(vendor: Vendor, request: bytes) -> bytes:
    secret = read_secret(vendor.settings.secrets_dir, CHALLENGE_SECRET)
    with vendor.database.write() as session:
        return answer_file(session, Desk(vendor.settings, vendor.keys, secret), request).file


def proof_of(server: Server) -> Deactivation:
    found = server.client.status().receipt
    assert found is not None
    return found


def test_the_proof_outlives_the_state_and_says_what_was_given_back(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    for _day in range(3):
        server.check_in()
    server.client.deactivate(DeactivationReason.END, USAGE)
    files = list((server.folder / "license").rglob("*"))
    proofs = [path for path in files if "deactivation" in path.name or "receipt" in str(path)]

    proof = proof_of(server)
    assert (proof.license_id, proof.final_seq, proof.generation) == (issued.license_id, 4, 1)
    assert any(json.loads(path.read_text("utf8")) for path in proofs if path.is_file())
    assert server.check_in().result is Result.REFUSED
    assert datetime.fromtimestamp(proof.deactivated_at, UTC) <= clock.now()
