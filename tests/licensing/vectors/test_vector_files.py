"""The vectors of the page: our code agrees with each, and so does code that shares nothing with ours."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from licensing.authority.activations.rules import (
    CLEAN_CHECK_INS,
    HOLD_FORKS,
    REVIEW_FORKS,
    Chain,
    NonceKind,
    Presented,
    judge,
)
from licensing.client.acceptance import Ours, RefusedAnswer, accept
from licensing.client.instance import InstanceKey
from licensing.client.ladder import Standing, climb
from licensing.client.machine import component, is_same_machine
from licensing.client.reopen import _TERMINAL
from licensing.client.state import Pending, RequestKind, State
from licensing.document import activation_code, qr
from licensing.document.answers import Lease
from licensing.document.documents import RoleDocument
from licensing.document.envelope import load_envelope, pre_authentication, sha256, verify
from licensing.document.errors import Code, DocumentError
from licensing.document.keys import check_public_key, decode_public_key, key_id
from licensing.document.keyset import Keyset, Root
from licensing.document.license import License
from licensing.document.parser import Members, parse_object
from licensing.document.requests import open_activation, open_check_in, open_deactivation
from licensing.document.trust import Trust
from tests.licensing.authority import stranger
from tests.licensing.client import vendor
from tests.licensing.vectors.page import KEYS, license_of
from tests.licensing.vectors.write import FOLDER, all_files, written

Json = dict[str, Any]
MADE = all_files()


def read(name: str) -> Json:
    found: Json = json.loads((FOLDER / f"{name}.json").read_text("utf8"))
    return found


def named(cases: list[Json]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


def code_of(act: Callable[[], object]) -> str | None:
    """Return the code with which something is refused, None when it is taken."""
    try:
        act()
    except DocumentError as error:
        return error.code.value
    except RefusedAnswer as refused:
        return refused.error.code.value
    return None


def public(name: str) -> bytes:
    return KEYS[name].public_key().public_bytes_raw()


def trust_of(root: Json) -> Trust:
    return Trust(Root.read(Members(root)))


# The files themselves


@pytest.mark.parametrize("name", [name for name in MADE if name != "qr"])
def test_the_files_are_what_the_page_gives(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text("utf8") == written(MADE[name])


def test_every_file_is_written_and_explained() -> None:
    explained = (FOLDER / "README.md").read_text("utf8")

    assert {path.stem for path in FOLDER.glob("*.json")} == set(MADE)
    assert [name for name in MADE if f"`{name}.json`" not in explained] == []


# Keys


@pytest.mark.parametrize("case", named(read("keys")["keys"]))
def test_keys_have_their_names(case: Json) -> None:
    raw = decode_public_key(case["pub"])

    assert InstanceKey(KEYS[case["name"]]).public_key == raw
    assert KEYS[case["name"]].private_bytes_raw().hex() == case["seed"]
    assert key_id(raw) == stranger.keyid(raw) == vendor.keyid(KEYS[case["name"]]) == case["keyid"]


@pytest.mark.parametrize("case", read("keys")["weak"], ids=lambda case: case["pub"][:12])
def test_weak_keys_are_refused(case: Json) -> None:
    raw = base64.b64decode(case["pub"])

    assert code_of(lambda: check_public_key(raw)) == "E_WEAK_KEY"


# Payloads and envelopes


@pytest.mark.parametrize("text", read("payloads")["good"])
def test_good_payloads_are_read(text: str) -> None:
    assert parse_object(text.encode()) == json.loads(text)


@pytest.mark.parametrize("case", named(read("payloads")["bad"]))
def test_bad_payloads_are_refused(case: Json) -> None:
    assert code_of(lambda: parse_object(case["text"].encode())) == "E_FORMAT"


def test_bad_bytes_and_large_payloads_are_refused() -> None:
    file = read("payloads")
    large = file["too_large"]
    text = large["text"] + large["repeat"] * large["times"] + large["end"]

    for raw in [base64.b64decode(one) for one in file["bad_bytes"]] + [text.encode()]:
        assert code_of(lambda raw=raw: parse_object(raw)) == "E_FORMAT"  # type: ignore[misc]


@pytest.mark.parametrize("case", read("envelopes")["pae"], ids=lambda case: case["payloadType"])
def test_what_is_signed(case: Json) -> None:
    body, expected = base64.b64decode(case["body"]), base64.b64decode(case["pae"])

    assert pre_authentication(case["payloadType"], body) == expected


@pytest.mark.parametrize(
    "case", read("envelopes")["good"], ids=lambda case: case["envelope_sha256"][:8]
)
def test_good_envelopes_hold(case: Json) -> None:
    raw, keys = case["envelope"].encode(), [public(name) for name in case["keys"]]
    envelope = load_envelope(raw)

    assert len(verify(envelope, keys, case["threshold"])) >= case["threshold"]
    assert stranger.signers(raw, keys)
    assert (envelope.body_hash, envelope.raw_hash) == (case["body_sha256"], case["envelope_sha256"])
    assert stranger.sha256(stranger.payload_bytes(raw)) == case["body_sha256"]


@pytest.mark.parametrize("case", named(read("envelopes")["bad"]))
def test_bad_envelopes_do_not(case: Json) -> None:
    raw, keys = case["envelope"].encode(), [public(name) for name in case["keys"]]

    assert code_of(lambda: verify(load_envelope(raw), keys, case["threshold"])) == case["code"]
    if case["code"] == "E_SIGNATURE":
        assert not stranger_believes(raw, keys, case["threshold"])


def stranger_believes(raw: bytes, keys: list[bytes], threshold: int) -> bool:
    try:
        return len(stranger.signers(raw, keys)) >= threshold
    except (InvalidSignature, ValueError):
        return False


# Codes and hashes


def test_the_activation_code() -> None:
    case = read("codes")
    key = bytes.fromhex(case["code_key"])

    assert activation_code.format_code(case["code"]) == case["shown"]
    assert activation_code.code_id(case["code"]) == case["code_id"]
    assert activation_code.code_key(case["code"]) == key
    proof = activation_code.code_proof(key, case["challenge"], case["instance_pub"])
    assert proof == case["code_proof"]
    assert {activation_code.parse_code(typed) for typed in case["also_read"]} == {case["code"]}
    for typed in case["refused"]:
        assert code_of(lambda typed=typed: activation_code.parse_code(typed)) == "E_FORMAT"  # type: ignore[misc]


def test_the_state_mac() -> None:
    case = read("hashes")["state_mac"]
    key = InstanceKey(KEYS[case["instance"]])

    assert key.state_mac_key().hex() == case["mac_key"]


def test_fingerprints() -> None:
    for case in read("hashes")["fingerprint"]:
        assert component(case["product"], case["read"]) == case["value"]
    for case in read("hashes")["same_machine"]:
        assert is_same_machine(case["activation"], case["now"]) is case["same"]


# Trust


def test_the_next_root() -> None:
    case = read("trust")
    trust = trust_of(case["root"])

    for raw in case["next_root"]["good"]:
        assert trust.with_root(raw.encode()).root.version == 2
    for raw in case["next_root"]["bad"]:
        assert code_of(lambda raw=raw: trust.with_root(raw.encode())) is not None  # type: ignore[misc]


@pytest.mark.parametrize("case", named(read("trust")["keysets"]))
def test_keysets(case: Json) -> None:
    file = read("trust")
    trust = trust_of(file["root"])
    if case["held"]:
        trust = trust.with_keyset(case["held"].encode(), file["now"])

    assert code_of(lambda: trust.with_keyset(case["offered"].encode(), file["now"])) == case["code"]
    if case["code"] is None:
        stranger.Trust(file["root"]).take_keyset(case["offered"].encode())


KINDS: dict[str, type[RoleDocument]] = {"license": License, "lease": Lease}


@pytest.mark.parametrize("case", named(read("trust")["documents"]))
def test_documents(case: Json) -> None:
    file = read("trust")
    trust = trust_of(file["root"]).with_keyset(case["keyset"].encode(), file["now"])
    raw, kind = case["envelope"].encode(), KINDS[case["type"]]

    assert code_of(lambda: trust.open(raw, kind)) == case["code"]
    if case["code"] != "E_FORMAT":
        assert stranger_opens(file["root"], case) is (case["code"] is None)


def stranger_opens(root: Json, case: Json) -> bool:
    trust = stranger.Trust(root)
    trust.take_keyset(case["keyset"].encode())
    try:
        trust.open(case["type"], case["envelope"].encode(), *_role_and_time(case["type"]))
    except (AssertionError, InvalidSignature):
        return False
    return True


def _role_and_time(name: str) -> tuple[str, str]:
    return ("license", "issued_at") if name == "license" else ("lease", "issued_at")


# One installation's life


def states() -> Iterator[tuple[Json, State, Trust]]:
    """Yield each step with the state before it, and take it."""
    file = read("exchange")
    trust = trust_of(file["root"]).with_keyset(file["keyset"].encode(), file["steps"][0]["now"])
    state = State(keyset=file["keyset"])
    for step in file["steps"]:
        pending = Pending(RequestKind(step["kind"]), step["request"], step["now"])
        state = State(**{**vars(state), "pending": pending})
        yield step, state, trust
        state = accept(state, trust, step["answer"].encode(), ours(step["now"])).state


def ours(now: int) -> Ours:
    return Ours(public("instance"), "daftar", now, now)


def test_a_life_is_taken_step_by_step() -> None:
    after = [
        accept(state, trust, step["answer"].encode(), ours(step["now"])).state
        for step, state, trust in states()
    ]

    assert [state.receipt is not None for state in after] == [False, False, True]
    assert {state.pending for state in after} == {None}


def test_the_requests_hold_under_the_instance_key() -> None:
    activate, check_in, deactivate = read("exchange")["steps"]
    pub = public("instance")

    assert open_activation(activate["request"].encode()).request.instance_pub == pub
    assert open_check_in(check_in["request"].encode(), pub).request.seq == 2
    assert open_deactivation(deactivate["request"].encode(), pub).request.reason.value == "refund"


@pytest.mark.parametrize("case", named(read("exchange")["refused_at_step_2"]))
def test_wrong_answers_to_the_check_in(case: Json) -> None:
    step, state, trust = list(states())[1]

    raw = case["answer"].encode()

    assert code_of(lambda: accept(state, trust, raw, ours(step["now"]))) == case["code"]


def test_a_stranger_lives_the_same_life() -> None:
    file = read("exchange")
    trust = stranger.Trust(file["root"])
    trust.take_keyset(file["keyset"].encode())
    server = stranger.Stranger(lambda *_line: pytest.fail("no line"), trust, key=KEYS["instance"])

    kinds = [
        server.take(step["request"].encode(), step["answer"].encode()).kind
        for step in file["steps"]
    ]

    assert kinds == ["bundle", "lease", "deactivation"]
    assert server.lease["seq"] == 2
    assert server.lease["prev_hash"] == sha256(
        json.loads(stranger.payload_bytes(file["steps"][0]["answer"].encode()))["lease"].encode()
    )


# Tables


@pytest.mark.parametrize("case", named(read("check-ins")["cases"]))
def test_the_table_of_check_ins(case: Json) -> None:
    chain, shown, after = case["chain"], case["presented"], case["after"]
    presented = Presented(shown["seq"], NonceKind(shown["nonce"]), shown["same_bytes_as_last"])

    step = judge(Chain(chain["seq"], chain["forks"], chain["clean"], chain["held"]), presented)

    assert step.meaning.value == case["meaning"]
    assert step.chain == Chain(after["seq"], after["forks"], after["clean"], after["held"])
    assert [notice.value for notice in step.notices] == case["notices"]


def test_the_numbers_of_the_table() -> None:
    file = read("check-ins")

    assert file["review_forks"] == REVIEW_FORKS
    assert file["hold_forks"] == HOLD_FORKS
    assert file["clean_check_ins"] == CLEAN_CHECK_INS


@pytest.mark.parametrize("case", named(read("ladder")["cases"]))
def test_the_ladder(case: Json) -> None:
    sold = {**license_of(1, None), **read("ladder")["license"], **case.get("license", {})}
    lease = case["lease"]
    denial = case.get("denial")
    standing = Standing(
        license=License.read(Members(sold)),
        lease=None if lease is None else Lease.read(Members({**example_lease(), **lease})),
        terminal=_TERMINAL.get(Code(denial)) if denial else None,
        named_used=case.get("named_used", 1),
        seats_over_since=case.get("seats_over_since"),
    )

    verdict = climb(standing, case["now"])

    assert (verdict.mode.value, verdict.reason.value) == (case["mode"], case["reason"])


def example_lease() -> Json:
    body = stranger.payload_bytes(read("exchange")["steps"][1]["answer"].encode())
    found: Json = json.loads(body)
    return found


# QR codes


def test_codes_of_a_screen_make_the_file_again() -> None:
    file = read("qr")

    assert qr.joined(file["parts"]) == file["file"].encode()
    assert qr.joined(file["parts"][::-1] + file["parts"]) == file["file"].encode()
    assert qr.joined(MADE["qr"]["parts"]) == file["file"].encode()
    for parts in file["bad"].values():
        assert code_of(lambda parts=parts: qr.joined(parts)) == "E_FORMAT"  # type: ignore[misc]


def test_the_keyset_of_the_vectors_has_windows_and_a_revoked_key() -> None:
    offered = [
        case["offered"] for case in read("trust")["keysets"] if case["name"] == "a newer one"
    ]

    keyset = Keyset.read(Members(parse_object(load_envelope(offered[0].encode()).body)))

    assert keyset.revoked() == {public("license")}
