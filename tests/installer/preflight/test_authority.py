"""The licence authority: name, connection, HTTPS and proxy, each with its own fault."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from installer.checks import Status
from installer.preflight.authority import name_resolves, port_answers, service_answers
from installer.preflight.plan import PreflightPlan


class Answering(BaseHTTPRequestHandler):
    """Answers every GET with the status of its server, and remembers what was asked."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined] # set by running
        self.send_response(self.server.status)  # type: ignore[attr-defined] # set by running
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def running(status: int = 200, context: ssl.SSLContext | None = None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.status = status  # type: ignore[attr-defined] # read by Answering
        server.asked = []  # type: ignore[attr-defined] # read by Answering
        scheme = "http"
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a PEM file with a key and a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def all_three(plan: PreflightPlan) -> list[Status]:
    return [check(plan).status for check in (name_resolves, port_answers, service_answers)]


def test_an_authority_that_answers_passes_all_three(plan: PreflightPlan) -> None:
    with running() as url:
        statuses = all_three(replace(plan, authority_urls=(url,)))

    assert statuses == [Status.PASS] * 3


def test_an_unknown_name_fails_and_names_itself(plan: PreflightPlan) -> None:
    finding = name_resolves(replace(plan, authority_urls=("https://nowhere.invalid",)))

    assert finding.status is Status.FAIL
    assert finding.fix == "getent hosts nowhere.invalid"


def test_a_dead_authority_resolves_but_does_not_answer(plan: PreflightPlan) -> None:
    statuses = all_three(replace(plan, authority_urls=(f"http://127.0.0.1:{plan.port}",)))

    assert statuses == [Status.PASS, Status.FAIL, Status.FAIL]


def test_an_authority_that_is_unwell_fails_the_last_check_alone(plan: PreflightPlan) -> None:
    with running(status=503) as url:
        statuses = all_three(replace(plan, authority_urls=(url,)))

    assert statuses == [Status.PASS, Status.PASS, Status.FAIL]


def test_a_certificate_that_nobody_trusts_is_told_apart(
    plan: PreflightPlan, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    with running(context=context) as url:
        stranger = service_answers(replace(plan, authority_urls=(url,)))
        trusted = service_answers(replace(plan, authority_urls=(url,), ca_bundle=str(certificate)))

    assert stranger.status is Status.FAIL
    assert "ca_bundle" in stranger.fix
    assert trusted.status is Status.PASS


def test_one_of_two_authorities_is_enough_for_a_warning(plan: PreflightPlan) -> None:
    with running() as url:
        both = replace(plan, authority_urls=(f"http://127.0.0.1:{plan.port}", url))
        assert service_answers(both).status is Status.WARN


def test_the_proxy_is_used_where_one_is_set(
    plan: PreflightPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = replace(plan, authority_urls=("http://authority.invalid",))
    with running() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        assert all_three(hidden) == [Status.PASS] * 3


def test_a_dead_proxy_is_named_as_what_is_wrong(
    plan: PreflightPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{plan.port}")
    behind = replace(plan, authority_urls=("https://authority.invalid",))

    assert str(plan.port) in port_answers(behind).detail
    assert "proxy" in service_answers(behind).detail


def test_hosts_that_need_no_proxy_are_asked_directly(
    plan: PreflightPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{plan.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with running() as url:
        assert all_three(replace(plan, authority_urls=(url,))) == [Status.PASS] * 3


def test_activation_by_file_needs_no_connection(plan: PreflightPlan) -> None:
    offline = replace(plan, authority_urls=("https://nowhere.invalid",), offline=True)

    assert all_three(offline) == [Status.SKIP] * 3
    assert all_three(plan) == [Status.SKIP] * 3
