"""Ports, names, the mail relay: with real sockets."""

import json
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from installer.checks import Status
from installer.preflight.network import lan_name, mail_relay, port_free
from installer.preflight.plan import MailRelay, PreflightPlan
from server.core.version import VERSION
from tests.support.mail import MailServer


def test_a_free_port_passes(plan: PreflightPlan) -> None:
    assert port_free(plan).status is Status.PASS


def test_an_occupied_port_fails_and_says_how_to_find_the_other_program(
    plan: PreflightPlan,
) -> None:
    with socket.create_server((plan.host, plan.port)):
        finding = port_free(plan)

    assert finding.status is Status.FAIL
    assert finding.fix == f"ss -ltnp 'sport = :{plan.port}'"


@pytest.mark.parametrize(
    ("version", "status"), [(VERSION, Status.PASS), ("0.0.1", Status.FAIL)], ids=["ours", "other"]
)
def test_a_port_that_our_own_service_holds_passes(
    plan: PreflightPlan, version: str, status: Status
) -> None:
    body = json.dumps({"product": "daftar", "version": version, "status": "ok"}).encode()

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer((plan.host, plan.port), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        finding = port_free(plan)
        server.shutdown()

    assert finding.status is status


def test_a_foreign_address_fails(plan: PreflightPlan) -> None:
    finding = port_free(replace(plan, host="192.0.2.1"))

    assert finding.status is Status.FAIL
    assert "192.0.2.1" in finding.detail


def test_a_name_that_does_not_resolve_fails(plan: PreflightPlan) -> None:
    finding = lan_name(replace(plan, lan_name="crm.nowhere.invalid"))

    assert finding.status is Status.FAIL
    assert "crm.nowhere.invalid" in finding.fix


def test_a_name_for_this_machine_alone_is_a_warning(plan: PreflightPlan) -> None:
    assert lan_name(replace(plan, lan_name="localhost")).status is Status.WARN


def test_a_name_of_another_machine_is_a_warning(plan: PreflightPlan) -> None:
    finding = lan_name(replace(plan, lan_name="192.0.2.1"))

    assert finding.status is Status.WARN


def test_a_relay_that_answers_passes(plan: PreflightPlan, mail_server: MailServer) -> None:
    relay = MailRelay(mail_server.host, mail_server.port)

    assert mail_relay(replace(plan, mail_relay=relay)).status is Status.PASS


def test_a_dead_relay_is_a_warning(plan: PreflightPlan) -> None:
    finding = mail_relay(replace(plan, mail_relay=MailRelay("127.0.0.1", plan.port)))

    assert finding.status is Status.WARN


def test_without_a_relay_there_is_nothing_to_check(plan: PreflightPlan) -> None:
    assert mail_relay(plan).status is Status.SKIP
