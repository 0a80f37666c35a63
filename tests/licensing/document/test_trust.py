"""Who is believed: thresholds, roles, windows, revocations, rollbacks, flipped bytes."""

import json
from dataclasses import dataclass, replace
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.document.answers import Bundle, Deactivation, Denial, Lease
from licensing.document.documents import Role
from licensing.document.envelope import load_envelope, seal, signing_keys
from licensing.document.errors import Code, DocumentError
from licensing.document.keyset import KeyEntry, Keyset, Root, load_root_file
from licensing.document.license import License
from licensing.document.requests import (
    ActivateRequest,
    claimed_activation_id,
    open_activation,
    open_check_in,
    open_deactivation,
)
from licensing.document.trust import Trust, answer_kind, seal_document, verify_and_open

NOW = 1_800_000_000
DAY = 86_400


class Key(Protocol):
    @property
    def public_key(self) -> bytes: ...
    @property
    def pub(self) -> str: ...
    @property
    def keyid(self) -> str: ...
    def sign(self, message: bytes) -> bytes: ...


class Vendor(Protocol):
    @property
    def roots(self) -> tuple[Key, Key, Key]: ...
    @property
    def license(self) -> Key: ...
    @property
    def lease(self) -> Key: ...


@dataclass(frozen=True)
class Refusal:
    """Expect one code."""

    code: Code

    def of(self, raw: bytes, trust: Trust) -> None:
        with pytest.raises(DocumentError) as refused:
            trust.open(raw, Denial)
        assert refused.value.code is self.code


def root_of(vendor: Vendor) -> Root:
    return Root(1, 2, tuple(key.public_key for key in vendor.roots))


def keyset_of(vendor: Vendor, version: int = 1, **changes: object) -> Keyset:
    entries = (
        KeyEntry(vendor.license.public_key, (Role.LICENSE,), NOW, NOW + 730 * DAY),
        KeyEntry(vendor.lease.public_key, (Role.LEASE,), NOW, NOW + 90 * DAY),
    )
    keyset = Keyset(version, NOW, NOW + 400 * DAY, entries)
    return replace(keyset, **changes)  # type: ignore[arg-type]  # any field of a keyset


def trust_of(vendor: Vendor) -> Trust:
    raw = seal_document(keyset_of(vendor), vendor.roots[:2]).raw
    return Trust(root_of(vendor)).with_keyset(raw, NOW)


def denial(at: int = NOW) -> Denial:
    return Denial("E_CODE", "No.", "ab" * 32, at)


def test_the_pinned_file_is_read(vendor: Vendor) -> None:
    wire = {
        "version": 1,
        "threshold": 2,
        "keys": [{"keyid": key.keyid, "pub": key.pub} for key in vendor.roots],
    }
    assert load_root_file(json.dumps(wire, indent=2).encode()) == root_of(vendor)


def test_a_keyset_needs_the_threshold_of_distinct_root_keys(vendor: Vendor) -> None:
    one, two, _ = vendor.roots
    trust = Trust(root_of(vendor))
    assert trust.with_keyset(seal_document(keyset_of(vendor), [one, two]).raw, NOW).keyset
    for signers in ([one], [one, one], [one, vendor.lease], [vendor.lease, vendor.license]):
        with pytest.raises(DocumentError) as refused:
            trust.with_keyset(seal_document(keyset_of(vendor), signers).raw, NOW)
        assert refused.value.code is Code.E_SIGNATURE


def test_an_older_keyset_and_another_of_the_same_version_are_refused(vendor: Vendor) -> None:
    second = seal_document(keyset_of(vendor, 2), vendor.roots).raw
    trust = trust_of(vendor).with_keyset(second, NOW)
    other = keyset_of(vendor, 2, issued_at=NOW + 1)
    for keyset in (keyset_of(vendor, 1), other):
        with pytest.raises(DocumentError) as refused:
            trust.with_keyset(seal_document(keyset, vendor.roots).raw, NOW)
        assert refused.value.code is Code.E_KEYSET_ROLLBACK
    assert trust.with_keyset(second, NOW) is trust


def test_an_expired_keyset_is_not_taken_but_a_held_one_goes_on(vendor: Vendor) -> None:
    raw = seal_document(keyset_of(vendor), vendor.roots).raw
    after = NOW + 400 * DAY
    fresh = Trust(root_of(vendor))
    assert fresh.with_keyset(raw, after - 1).keyset
    with pytest.raises(DocumentError) as refused:
        fresh.with_keyset(raw, after)
    assert refused.value.code is Code.E_KEYSET_EXPIRED
    held = fresh.with_held_keyset(raw)
    assert held.with_keyset(raw, after) is held


def test_the_root_changes_step_by_step_under_both_thresholds(vendor: Vendor) -> None:
    old, (one, two, three) = Trust(root_of(vendor)), vendor.roots
    new = Root(2, 2, (two.public_key, three.public_key, vendor.lease.public_key))
    both = seal_document(new, [one, two, vendor.lease])
    assert old.with_root(both.raw).root == new
    for signers in ([one, two], [vendor.lease, two], [two], [one, vendor.lease, vendor.license]):
        with pytest.raises(DocumentError) as refused:
            old.with_root(seal_document(new, signers).raw)
        assert refused.value.code is Code.E_SIGNATURE
    for version in (1, 3):
        skipping = seal_document(replace(new, version=version), [one, two, three]).raw
        with pytest.raises(DocumentError) as refused:
            old.with_root(skipping)
        assert refused.value.code is Code.E_ROLLBACK


def test_a_key_of_one_role_is_worth_nothing_for_another(vendor: Vendor) -> None:
    trust = trust_of(vendor)
    assert trust.open(seal_document(denial(), [vendor.lease]).raw, Denial).document == denial()
    Refusal(Code.E_SIGNATURE).of(seal_document(denial(), [vendor.license]).raw, trust)
    Refusal(Code.E_SIGNATURE).of(seal_document(denial(), [vendor.roots[0]]).raw, trust)


def test_the_claimed_time_must_lie_in_the_window_of_the_key(vendor: Vendor) -> None:
    trust = trust_of(vendor)
    for at in (NOW, NOW + 90 * DAY):
        assert trust.open(seal_document(denial(at), [vendor.lease]).raw, Denial)
    for at in (NOW - 1, NOW + 90 * DAY + 1):
        Refusal(Code.E_KEY_WINDOW).of(seal_document(denial(at), [vendor.lease]).raw, trust)


def test_a_revoked_key_is_dead_whatever_date_it_claims(vendor: Vendor) -> None:
    keyset = keyset_of(vendor)
    dead = replace(keyset.keys[1], revoked_at=NOW + 50 * DAY)
    raw = seal_document(replace(keyset, version=2, keys=(keyset.keys[0], dead)), vendor.roots).raw
    trust = trust_of(vendor).with_keyset(raw, NOW)
    Refusal(Code.E_SIGNATURE).of(seal_document(denial(NOW), [vendor.lease]).raw, trust)


def test_one_good_signature_among_foreign_ones_is_enough(vendor: Vendor) -> None:
    raw = seal_document(denial(), [vendor.roots[0], vendor.license, vendor.lease]).raw
    assert trust_of(vendor).open(raw, Denial).signed_by == (vendor.lease.public_key,)


def test_nothing_is_believed_without_a_keyset(vendor: Vendor) -> None:
    trust = Trust(root_of(vendor))
    Refusal(Code.E_SIGNATURE).of(seal_document(denial(), [vendor.lease]).raw, trust)


def test_the_signature_comes_before_the_type_and_the_type_before_the_parser(vendor: Vendor) -> None:
    trust = trust_of(vendor)
    Refusal(Code.E_SIGNATURE).of(seal("other", b"{", [vendor.license]).raw, trust)
    Refusal(Code.E_TYPE).of(seal("other", b"{", [vendor.lease]).raw, trust)
    Refusal(Code.E_FORMAT).of(seal(Denial.TYPE, b"{", [vendor.lease]).raw, trust)


def test_a_key_id_is_only_a_hint_and_proves_nothing(vendor: Vendor) -> None:
    envelope = json.loads(seal_document(denial(), [vendor.license]).raw)
    envelope["signatures"][0]["keyid"] = vendor.lease.keyid
    Refusal(Code.E_SIGNATURE).of(json.dumps(envelope).encode(), trust_of(vendor))


def test_the_type_is_part_of_what_is_signed(vendor: Vendor) -> None:
    envelope = json.loads(seal_document(denial(), [vendor.lease]).raw)
    envelope["payloadType"] = Deactivation.TYPE
    with pytest.raises(DocumentError) as refused:
        trust_of(vendor).open(json.dumps(envelope).encode(), Deactivation)
    assert refused.value.code is Code.E_SIGNATURE


def test_a_signature_counts_once_per_key(vendor: Vendor) -> None:
    envelope = seal_document(denial(), [vendor.lease, vendor.lease])
    assert signing_keys(envelope, [vendor.lease.public_key]) == (vendor.lease.public_key,)


def test_the_kind_of_an_answer_is_one_of_those_expected(vendor: Vendor) -> None:
    raw = seal_document(denial(), [vendor.lease]).raw
    assert answer_kind(raw, [Lease, Denial]) is Denial
    with pytest.raises(DocumentError) as refused:
        answer_kind(raw, [Bundle, License])
    assert refused.value.code is Code.E_TYPE


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_byte_is_refused(vendor: Vendor, data: st.DataObject) -> None:
    raw = bytearray(seal_document(denial(), [vendor.lease]).raw)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DocumentError):
        trust_of(vendor).open(bytes(raw), Denial)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cut_document_is_refused(vendor: Vendor, data: st.DataObject) -> None:
    raw = seal_document(denial(), [vendor.lease]).raw
    with pytest.raises(DocumentError):
        trust_of(vendor).open(raw[: data.draw(st.integers(0, len(raw) - 1))], Denial)


def activation_wire(instance: Key) -> dict[str, object]:
    return {
        "challenge": "n.1.m",
        "code_id": "00112233",
        "code_proof": "ab" * 32,
        "instance_pub": instance.pub,
        "fp": {},
        "product_version": "1",
        "sent_at": NOW,
    }


def test_an_activation_request_must_hold_under_the_key_it_brings(
    vendor: Vendor, instance: Key
) -> None:
    body = json.dumps(activation_wire(instance)).encode()
    opened = open_activation(seal(ActivateRequest.TYPE, body, [instance]).raw)
    assert opened.request.instance_pub == instance.public_key
    assert opened.envelope.body == body
    for kind, signer, code in (
        (ActivateRequest.TYPE, vendor.lease, Code.E_SIGNATURE),
        ("application/vnd.daftar.checkin-req.v1+json", instance, Code.E_TYPE),
    ):
        with pytest.raises(DocumentError) as refused:
            open_activation(seal(kind, body, [signer]).raw)
        assert refused.value.code is code


def test_a_weak_instance_key_is_refused_before_its_signature_is_tried(instance: Key) -> None:
    body = json.dumps({**activation_wire(instance), "instance_pub": "AQ" + "A" * 41 + "="}).encode()
    with pytest.raises(DocumentError) as refused:
        open_activation(seal(ActivateRequest.TYPE, body, [instance]).raw)
    assert refused.value.code is Code.E_WEAK_KEY


def test_other_requests_hold_under_the_key_of_their_activation(
    vendor: Vendor, instance: Key
) -> None:
    wire = {
        "activation_id": "act_1",
        "seq": 2,
        "nonce": "0f" * 16,
        "client_nonce": "0f" * 16,
        "prev_hash": None,
        "fp": {},
        "usage": {"named": 1, "peak_concurrent": 1, "service": 0},
        "clock": {"wall": NOW, "suspect": False},
        "product_version": "1",
        "mode": "locked",
        "sent_at": NOW,
    }
    check_in = seal(
        "application/vnd.daftar.checkin-req.v1+json", json.dumps(wire).encode(), [instance]
    ).raw
    leave = seal(
        "application/vnd.daftar.deactivate-req.v1+json",
        json.dumps({**wire, "reason": "move"}).encode(),
        [instance],
    ).raw
    assert claimed_activation_id(check_in) == "act_1"
    assert open_check_in(check_in, instance.public_key).request.seq == 2
    assert open_deactivation(leave, instance.public_key).request.reason == "move"
    with pytest.raises(DocumentError) as refused:
        open_check_in(check_in, vendor.lease.public_key)
    assert refused.value.code is Code.E_SIGNATURE
    with pytest.raises(DocumentError) as refused:
        open_check_in(leave, instance.public_key)
    assert refused.value.code is Code.E_TYPE


def test_an_envelope_that_would_be_too_large_is_not_made(vendor: Vendor) -> None:
    with pytest.raises(DocumentError):
        seal("t", bytes(50_000), [vendor.lease])


def test_a_document_may_be_opened_under_plain_keys_with_a_threshold(vendor: Vendor) -> None:
    raw = seal_document(denial(), vendor.roots[:2]).raw
    keys = [key.public_key for key in vendor.roots]
    assert verify_and_open(raw, Denial, keys, threshold=2).envelope == load_envelope(raw)
    with pytest.raises(DocumentError):
        verify_and_open(raw, Denial, keys, threshold=3)
