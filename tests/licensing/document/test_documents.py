"""Every document: what it looks like on the wire, what is missing, what is unknown."""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.document.answers import (
    Activation,
    Bundle,
    Deactivation,
    Denial,
    Lease,
    LeaseSeats,
    LeaseStatus,
    Notice,
)
from licensing.document.documents import Document, encode_document
from licensing.document.errors import Code, DocumentError
from licensing.document.keyset import Keyset, Root
from licensing.document.license import (
    CheckinTerms,
    Customer,
    Kind,
    License,
    NetworkMode,
    NetworkScope,
    Seats,
    Site,
)
from licensing.document.parser import Members, parse_object
from licensing.document.requests import (
    ActivateRequest,
    CheckInRequest,
    DeactivateRequest,
    DeactivationReason,
)

PUBLIC = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
PUB = base64.b64encode(PUBLIC).decode()
H64, N32 = "ab" * 32, "0f" * 16

LICENSE = """{"license_id":"lic_7Q2M9K","serial":3,"prev_serial_sha256":"H64",
 "customer":{"id":"cus_1","name":"Pars Trading"},"site":{"id":"site_hq","label":"Head office"},
 "network_scope":{"mode":"enforce","cidrs":["10.0.0.0/8","fc00::/7"]},
 "product":"daftar","edition":"standard","kind":"subscription",
 "seats":{"named":25,"concurrent":25,"service_accounts":5},
 "features":["crm","club","api"],"issued_at":1800000000,"starts_at":1800000000,
 "expires_at":1831580999,"tz":"Asia/Tehran","maintenance_until":1831580999,"grace_days":0,
 "transferable":false,"activations_max":1,"checkin":{"interval_s":86400,"lease_ttl_s":1209600,
 "read_only_after_s":604800,"lock_after_s":1555200}}""".replace("H64", H64)
LEASE = f"""{{"lease_id":"ls_848f","activation_id":"act_b6bb","license_id":"lic_7Q2M9K",
 "license_serial":1,"generation":1,"seq":2,"issued_at":1800086400,"renew_after":1800181535,
 "expires_at":1801296000,"license_expires_at":1831580999,"seats":{{"named":25,"concurrent":25}},
 "status":"ok","next_nonce":"{N32}","prev_hash":"{H64}","req_hash":"{H64}",
 "server_time":1800086400,"notices":[{{"code":"STATE_RESYNC","at":1800086400,"text":"…"}}],
 "license":null,"keyset":null}}"""
CHECKIN = f"""{{"activation_id":"act_b6bb","seq":2,"nonce":"{N32}","client_nonce":"{N32}",
 "prev_hash":"{H64}","fp":{{"machine_id":"{N32}"}},
 "usage":{{"named":3,"peak_concurrent":2,"service":1}},
 "clock":{{"wall":1800000000,"suspect":false}},"product_version":"0.1.0","mode":"ok",
 "sent_at":1800000000}}"""
ACTIVATE = f"""{{"challenge":"n.1.m","code_id":"00112233","code_proof":"{H64}",
 "instance_pub":"{PUB}","fp":{{"machine_id":"{N32}"}},"product_version":"0.1.0",
 "sent_at":1800000000}}"""
BUNDLE = f"""{{"license":"a","activation":"b","lease":"c","keyset":"d","req_hash":"{H64}",
 "server_time":1800000000}}"""
ACTIVATION = f"""{{"activation_id":"act_b6bb","license_id":"lic_7Q2M9K","instance_pub":"{PUB}",
 "generation":1,"fingerprint":{{}},"activated_at":1800000000}}"""
DENIAL = f"""{{"code":"E_CODE","message":"No.","req_hash":"{H64}","server_time":1800000000}}"""
DEACTIVATION = f"""{{"activation_id":"act_b6bb","license_id":"lic_7Q2M9K","generation":1,
 "final_seq":9,"deactivated_at":1800000000,"reason":"refund","req_hash":"{H64}",
 "refund_eligible_at":1800000000,"server_time":1800000000}}"""
KEYID = "3a404c3aca3dcb01"
ROOT = f"""{{"version":1,"threshold":1,"keys":[{{"keyid":"{KEYID}","pub":"{PUB}"}}]}}"""
KEYSET = f"""{{"version":1,"issued_at":1800000000,"expires_at":1834560000,"keys":[
 {{"keyid":"{KEYID}","pub":"{PUB}","roles":["lease"],"not_before":1,"not_after":2}}]}}"""

EXAMPLES: dict[type[Document], str] = {
    License: LICENSE,
    Lease: LEASE,
    CheckInRequest: CHECKIN,
    DeactivateRequest: CHECKIN[:-1] + ',"reason":"move"}',
    ActivateRequest: ACTIVATE,
    Bundle: BUNDLE,
    Activation: ACTIVATION,
    Denial: DENIAL,
    Deactivation: DEACTIVATION,
    Root: ROOT,
    Keyset: KEYSET,
}
each_document = pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)


def example(kind: type[Document]) -> dict[str, object]:
    value = json.loads(EXAMPLES[kind])
    assert isinstance(value, dict)
    return value


@each_document
def test_the_wire_is_exactly_the_page_of_the_protocol(kind: type[Document]) -> None:
    wire = example(kind)
    assert kind.read(Members(wire)).to_payload() == wire


@each_document
def test_the_type_names_the_document(kind: type[Document]) -> None:
    names = {
        "Root": "root",
        "Keyset": "keyset",
        "License": "license",
        "ActivateRequest": "activate-req",
        "Bundle": "bundle",
        "Activation": "activation",
        "CheckInRequest": "checkin-req",
        "Lease": "lease",
        "Denial": "denial",
        "DeactivateRequest": "deactivate-req",
        "Deactivation": "deactivation",
    }
    assert f"application/vnd.daftar.{names[kind.__name__]}.v1+json" == kind.TYPE


def members_of(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += [(*path, name), *members_of(inner, (*path, name))]
    if isinstance(value, list):
        for place, inner in enumerate(value):
            found += members_of(inner, (*path, place))
    return found


def change(
    kind: type[Document], path: tuple[object, ...], act: Callable[[dict[object, object]], object]
) -> dict[str, object]:
    wire = example(kind)
    at: object = wire
    for step in path[:-1]:
        at = at[step]  # type: ignore[index]  # walks JSON of the example
    assert isinstance(at, dict)
    act(at)
    return wire


ALL_MEMBERS = [
    (kind, path)
    for kind, text in EXAMPLES.items()
    for path in members_of(json.loads(text))
    if path[:-1] not in {("fp",), ("fingerprint",)}
]
each_member = pytest.mark.parametrize(
    ("kind", "path"),
    ALL_MEMBERS,
    ids=lambda value: getattr(value, "__name__", None) or ".".join(map(str, value)),
)


@each_member
def test_a_missing_member_is_a_matter_of_format(
    kind: type[Document], path: tuple[object, ...]
) -> None:
    wire = change(kind, path, lambda at: at.pop(path[-1]))
    with pytest.raises(DocumentError) as refused:
        kind.read(Members(wire))
    assert refused.value.code is Code.E_FORMAT


@each_member
def test_a_member_of_another_type_is_a_matter_of_format(
    kind: type[Document], path: tuple[object, ...]
) -> None:
    def swap(at: dict[object, object]) -> None:
        at[path[-1]] = [1] if not isinstance(at[path[-1]], list) else {"a": 1}

    with pytest.raises(DocumentError) as refused:
        kind.read(Members(change(kind, path, swap)))
    assert refused.value.code is Code.E_FORMAT


@each_document
def test_unknown_members_are_ignored(kind: type[Document]) -> None:
    wire = example(kind)
    assert kind.read(Members({**wire, "from_the_future": {"a": 1}})).to_payload() == wire


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kind",), "gift"),
        (("expires_at",), None),
        (("serial",), 0),
        (("seats", "named"), -1),
        (("network_scope", "mode"), "maybe"),
        (("network_scope", "cidrs"), ["10.0.0.0/33"]),
        (("prev_serial_sha256",), "AB" * 32),
        (("expires_at",), 10**15),
        (("license_id",), ""),
        (("checkin", "lock_after_s"), 1),
    ],
)
def test_a_licence_that_means_nothing_is_refused(path: tuple[str, ...], value: object) -> None:
    wire = change(License, path, lambda at: at.__setitem__(path[-1], value))
    with pytest.raises(DocumentError):
        License.read(Members(wire))


def test_a_perpetual_licence_has_no_end() -> None:
    wire = {**example(License), "kind": "perpetual", "expires_at": None}
    assert License.read(Members(wire)).expires_at is None


def test_keys_must_carry_their_own_name_and_appear_once() -> None:
    key = {"keyid": KEYID, "pub": PUB}
    for wire in (
        {"version": 1, "threshold": 1, "keys": [{**key, "keyid": "0" * 16}]},
        {"version": 1, "threshold": 2, "keys": [key, key]},
        {"version": 1, "threshold": 2, "keys": [key]},
        {"version": 1, "threshold": 0, "keys": [key]},
        {"version": 0, "threshold": 1, "keys": [key]},
    ):
        with pytest.raises(DocumentError):
            Root.read(Members(wire))
    entry = {**key, "roles": ["lease"], "not_before": 1, "not_after": 2}
    with pytest.raises(DocumentError):
        Keyset.read(
            Members({"version": 1, "issued_at": 1, "expires_at": 2, "keys": [entry, entry]})
        )


def test_a_weak_instance_key_in_a_request_is_named_as_weak() -> None:
    wire = {**example(ActivateRequest), "instance_pub": base64.b64encode(bytes(32)).decode()}
    with pytest.raises(DocumentError) as refused:
        ActivateRequest.read(Members(wire))
    assert refused.value.code is Code.E_WEAK_KEY


times = st.integers(0, 253_402_300_799)
numbers = st.integers(0, 2**53 - 1)
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
)
hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
nonces = st.text("0123456789abcdef", min_size=32, max_size=32)

licenses = st.builds(
    License,
    license_id=words,
    serial=st.integers(1, 10**6),
    prev_serial_sha256=st.none() | hexes,
    customer=st.builds(Customer, words, words),
    site=st.builds(Site, words, words),
    network_scope=st.builds(NetworkScope, st.sampled_from(NetworkMode), st.just(("::1/128",))),
    product=words,
    edition=words,
    kind=st.sampled_from(Kind),
    seats=st.builds(Seats, numbers, numbers, numbers),
    features=st.lists(words, max_size=4).map(tuple),
    issued_at=times,
    starts_at=times,
    expires_at=times,
    tz=words,
    maintenance_until=st.none() | times,
    grace_days=st.integers(0, 400),
    transferable=st.booleans(),
    activations_max=st.integers(1, 9),
    checkin=st.just(CheckinTerms()),
)
leases = st.builds(
    Lease,
    lease_id=words,
    activation_id=words,
    license_id=words,
    license_serial=st.integers(1, 99),
    generation=numbers,
    seq=st.integers(1, 10**9),
    issued_at=times,
    renew_after=times,
    expires_at=times,
    license_expires_at=st.none() | times,
    seats=st.builds(LeaseSeats, numbers, numbers),
    status=st.sampled_from(LeaseStatus),
    next_nonce=nonces,
    prev_hash=st.none() | hexes,
    req_hash=hexes,
    server_time=times,
    notices=st.lists(st.builds(Notice, words, times, words), max_size=3).map(tuple),
    license=st.none() | words,
    keyset=st.none() | words,
)
deactivations = st.builds(
    Deactivation,
    activation_id=words,
    license_id=words,
    generation=numbers,
    final_seq=numbers,
    deactivated_at=times,
    reason=st.sampled_from(DeactivationReason),
    req_hash=hexes,
    refund_eligible_at=st.none() | times,
    server_time=times,
)


@given(licenses | leases | deactivations)
def test_what_is_written_is_read_back(document: Document) -> None:
    assert type(document).read(Members(parse_object(encode_document(document)))) == document
