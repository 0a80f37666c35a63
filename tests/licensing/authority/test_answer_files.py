"""A server without a line: request files, answers, and the real client at the other end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.outcome import Result
from licensing.document.requests import DeactivationReason, Usage
from server.core import clock
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import sealed
from tests.licensing.client.vendor import machine

USAGE = Usage(named=1, peak_concurrent=1, service=0)


@pytest.fixture
def code(console: Console) -> str:
    customer = console.json("customer", "add", "--name", "Pars")["customer_id"]
    issued = console.json("license", "issue", "--customer", customer, "--seats", 5)
    return str(issued["code"])


@pytest.fixture
def client(console: Console, tmp_path: Path) -> LicenseClient:
    """Give an installation that reaches nobody."""
    config = ClientConfig(
        directory=tmp_path / "license",
        authority_urls=(),
        trust_root=console.home / "trust" / "root.json",
        product_version="0.1.0",
        machine_root=machine(tmp_path / "machine"),
    )
    return LicenseClient(config, Clocks(clock.timestamp, clock.monotonic))


@pytest.fixture
def carry(console: Console, tmp_path: Path) -> Callable[[bytes], bytes]:
    """Return a function that carries a request to the vendor and the answer back."""

    def act(request: bytes) -> bytes:
        file = tmp_path / "server.dftreq"
        file.write_bytes(request)
        report = console.json("license", "answer", file)
        assert report["denial"] is None
        return Path(report["file"]).read_bytes()

    return act


def test_a_whole_life_without_a_line(
    client: LicenseClient, code: str, carry: Callable[[bytes], bytes]
) -> None:
    activated = client.import_answer(carry(client.export_activation(code)))
    assert (activated.result, activated.code) == (Result.ACCEPTED, "")
    checked = client.import_answer(carry(client.export_check_in(USAGE)))
    assert checked.result is Result.ACCEPTED
    lease = client.status().lease
    assert lease is not None
    assert lease.seq == 2

    leaving = client.export_deactivation(DeactivationReason.REFUND, USAGE)
    assert client.import_answer(carry(leaving)).result is Result.ACCEPTED

    proof = client.status().receipt
    assert proof is not None
    # The server could have gone on working until then.
    assert proof.refund_eligible_at == lease.expires_at


def test_the_same_file_is_answered_with_the_same_bytes(
    client: LicenseClient, code: str, carry: Callable[[bytes], bytes]
) -> None:
    request = client.export_activation(code)

    assert carry(request) == carry(request)


def test_an_offline_challenge_is_accepted_once(
    console: Console, code: str, tmp_path: Path, vendor_line: Vendor
) -> None:
    challenge = "offline." + "5" * 32
    server = vendor_line.stranger()
    for place in range(2):
        file = tmp_path / f"{place}.dftreq"
        request = server.activate_request(code, challenge=challenge, sent_at=place + 1)
        file.write_bytes(request)
    assert console.json("license", "answer", tmp_path / "0.dftreq")["denial"] is None

    refused = console.run("license", "answer", tmp_path / "1.dftreq", "--json")

    assert refused.exit_code == 4
    assert '"denial": "E_CHALLENGE"' in refused.stdout


def test_a_refusal_is_an_answer_too(
    console: Console, client: LicenseClient, tmp_path: Path
) -> None:
    file = tmp_path / "server.dftreq"
    file.write_bytes(client.export_activation("0123-4567-89ab-cdef-ghjk-mnpq-rs9"))

    result = console.run("license", "answer", file, "--out", tmp_path / "no.dftlic")

    assert result.exit_code == 4
    assert "E_CODE" in result.stdout
    outcome = client.import_answer((tmp_path / "no.dftlic").read_bytes())
    assert (outcome.result, outcome.code) == (Result.DENIED, "E_CODE")


@pytest.fixture
def vendor_line(console: Console) -> Vendor:
    """Give what a stranger needs to know of the vendor; there is no line."""
    from licensing.authority.config import load_settings
    from tests.licensing.authority.stage import open_vendor

    return open_vendor(load_settings(console.home), lambda *_request: pytest.fail("no line"))


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", 2), (b"{}", 2), (b"PK\x03\x04", 2), (b" " * 70_000, 2)],
    ids=["empty", "no envelope", "an archive", "too large"],
)
def test_a_file_that_is_no_request_is_named(
    console: Console, tmp_path: Path, content: bytes, code: int
) -> None:
    file = tmp_path / "some.dftreq"
    file.write_bytes(content)

    exit_code, sentence = console.refusal("license", "answer", file)

    assert (exit_code, str(file) in sentence) == (code, True)
    assert not (tmp_path / "some.dftlic").exists()


def test_a_forged_request_is_integrity(
    console: Console, code: str, tmp_path: Path, vendor_line: Vendor
) -> None:
    file = tmp_path / "forged.dftreq"
    raw = vendor_line.stranger().activate_request(code, challenge="offline." + "5" * 32)
    middle = raw.index(b'"payload": "') + 40
    file.write_bytes(
        raw[:middle] + (b"A" if raw[middle:][:1] != b"A" else b"B") + raw[middle + 1 :]
    )

    assert console.refusal("license", "answer", file)[0] in {2, 6}
    assert not (tmp_path / "forged.dftlic").exists()


def test_a_request_of_an_unknown_activation_is_refused(
    console: Console, tmp_path: Path, vendor_line: Vendor
) -> None:
    server = vendor_line.stranger()
    server.activation = {"activation_id": "act_nobody"}
    server.lease = {"seq": 1, "next_nonce": "0" * 32}
    file = tmp_path / "lost.dftreq"
    file.write_bytes(sealed("checkin-req", server.check_in_payload(), server.key))

    assert console.refusal("license", "answer", file)[0] == 2


def test_a_missing_file_is_wrong_usage(console: Console, tmp_path: Path) -> None:
    assert console.refusal("license", "answer", tmp_path / "gone")[0] == 2
