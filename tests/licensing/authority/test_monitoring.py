"""What programs ask about the authority: its health, its figures, and the description of its protocol."""

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from werkzeug.test import Client

from licensing.authority.app import make_authority
from licensing.authority.config import METRICS_TOKEN
from licensing.authority.keys import store
from licensing.authority.licenses.rules import LicenseStatus
from licensing.authority.migrations.run import CHAIN
from licensing.authority.monitoring.sharing import FOLDER_VARIABLE, share
from server.core.errors import Missing
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import Answer, Json, sealed
from tests.licensing.authority.test_program import sqlite_vendor_url

Figures = dict[tuple[str, str], float]


def figures(text: str) -> Figures:
    """Return each figure by its name and the values of its labels, in the order of their names."""
    return {
        (
            sample.name,
            ",".join(sample.labels[label] for label in sorted(sample.labels)),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def difference(before: Figures, after: Figures, name: str, labels: str) -> float:
    return after.get((name, labels), 0) - before.get((name, labels), 0)


def test_all_processes_are_counted_together(vendor: Vendor) -> None:
    def ask() -> Figures:
        return figures(vendor.send("GET", "/metrics", None).body.decode())

    before = ask()
    issued, server, late = vendor.sell(), vendor.stranger(), vendor.stranger()
    server.activate(issued.code)
    for _day in range(12):  # whichever process answers
        server.check_in()
    assert late.activate(issued.code).code == "E_ALREADY_ACTIVE"
    vendor.set_status(issued.license_id, LicenseStatus.SUSPENDED)

    after = ask()

    answers = "daftar_authority_answers_total"
    assert difference(before, after, answers, "bundle,activation") == 1
    assert difference(before, after, answers, "lease,check-in") == 12
    assert difference(before, after, answers, "E_ALREADY_ACTIVE,activation") == 1
    route = "/v1/check-ins"
    assert difference(before, after, "daftar_authority_requests_total", f"{route},200") == 12
    assert difference(before, after, "daftar_authority_request_seconds_count", route) == 12
    assert difference(before, after, "daftar_authority_licenses", "suspended") == 1
    assert difference(before, after, "daftar_authority_activations", "active") == 1
    assert after["daftar_authority_key_seconds_left", "lease"] > 80 * 86_400
    assert after["daftar_authority_part_ok", "database"] == 1


def client_of(vendor: Vendor) -> Client:
    return make_authority(vendor.settings, vendor.database, vendor.keys).test_client()


def test_from_elsewhere_the_metrics_need_the_token(vendor_here: Vendor) -> None:
    client = client_of(vendor_here)
    elsewhere = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    refused = client.get("/metrics", **elsewhere)
    path = vendor_here.settings.secrets_dir / METRICS_TOKEN
    token = path.read_text("utf8").strip()

    assert (refused.status_code, refused.content_type) == (403, "application/problem+json")
    assert client.get("/metrics").status_code == 200
    for said, status in ((token, 200), (token[:-1], 403), ("", 403)):
        headers = {"Authorization": f"Bearer {said}"}
        assert client.get("/metrics", headers=headers, **elsewhere).status_code == status
    path.unlink()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/metrics", headers=headers, **elsewhere).status_code == 403


def test_folders_of_programs_that_are_gone_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    gone = tmp_path / "run" / "metrics" / "999999999"
    gone.mkdir(parents=True)

    share(tmp_path)

    assert not gone.exists()
    assert len(list(gone.parent.iterdir())) == 1


def test_health_tells_every_part(vendor_here: Vendor) -> None:
    reply = vendor_here.send("GET", "/healthz", None)

    assert (reply.status, reply.json["status"]) == (200, "ok")
    assert reply.json["parts"] == {"database": "ok", "keys": "ok", "disk": "ok"}


def failing(vendor: Vendor) -> Json:
    reply = vendor.send("GET", "/healthz", None)
    assert (reply.status, reply.json["code"]) == (503, "unhealthy")
    return {"detail": reply.json["detail"], **reply.json["parts"]}


def test_health_names_a_full_disk(vendor_here: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(100, 90, 10))

    found = failing(vendor_here)

    assert (found["disk"], found["database"], found["keys"]) == ("failing", "ok", "ok")
    assert str(vendor_here.settings.home) in found["detail"]


def test_health_names_keys_that_cannot_sign(
    vendor_here: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_key(_ring: object, _role: object, _now: int) -> None:
        raise Missing("No key.")

    monkeypatch.setattr(store.Ring, "signing_entry", no_key)

    assert failing(vendor_here)["keys"] == "failing"


def test_health_which_anybody_may_ask_reads_the_steps_of_the_database_once(
    vendor_here: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor_here.send("GET", "/healthz", None)
    monkeypatch.setattr(type(CHAIN), "head", lambda _chain: pytest.fail("read once more"))

    assert vendor_here.send("GET", "/healthz", None).status == 200


def test_health_and_metrics_name_a_database_that_is_away(vendor_here: Vendor) -> None:
    folder = vendor_here.settings.home / "db"
    vendor_here.database.dispose()
    shutil.rmtree(folder)
    folder.write_text("no folder", "utf8")

    found = failing(vendor_here)
    told = figures(vendor_here.send("GET", "/metrics", None).body.decode())

    assert (found["database"], found["keys"]) == ("failing", "ok")
    assert told["daftar_authority_part_ok", "database"] == 0
    assert told["daftar_authority_keyset_version", ""] == 1


@pytest.fixture
def document(sqlite_vendor: Vendor) -> Json:
    return sqlite_vendor.send("GET", "/v1/openapi.json", None).json


def test_the_description_names_every_route_of_the_protocol(
    vendor_here: Vendor, document: Json
) -> None:
    app = make_authority(vendor_here.settings, vendor_here.database, vendor_here.keys)
    routes = {
        (rule.rule.replace("<int:version>", "{version}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}

    assert document["openapi"] == "3.1.0"
    assert told == routes | {("/healthz", "get")}


def test_the_description_tells_the_limits_in_force(
    found_here: Callable[..., Vendor], document: Json
) -> None:
    vendor = found_here({"limits.per_ip_minute": "61"})
    told = vendor.send("GET", "/v1/openapi.json", None).json["info"]["description"]

    assert "61 requests a minute" in told
    assert "No limits" in document["info"]["description"]


def check(document: Json, path: str, method: str, status: int, body: object) -> None:
    """Hold a body against what the description says of this answer."""
    answer = document["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    [content] = answer["content"].values()
    schema = {**content["schema"], "components": document["components"]}
    jsonschema_rs.validate(schema, body)


def test_real_answers_are_as_described(sqlite_vendor: Vendor, document: Json) -> None:
    issued, server = sqlite_vendor.sell(), sqlite_vendor.stranger()
    for path in ("/v1/challenge", "/v1/keyset", "/healthz"):
        reply = sqlite_vendor.send("GET", path, None)
        check(document, path, "get", reply.status, reply.json)
    asked: dict[str, Callable[[], Answer]] = {
        "/v1/activations": lambda: server.activate(issued.code),
        "/v1/check-ins": server.check_in,
        "/v1/deactivations": lambda: server.deactivate("end"),
    }
    for path, ask in asked.items():
        answer = ask()
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        request = {**schema["schema"], "components": document["components"]}
        jsonschema_rs.validate(request, json.loads(server.last_request))
        check(document, path, "post", 200, json.loads(answer.raw))
    lost = server.check_in_payload(activation_id="act_none")
    unknown = sealed("checkin-req", lost, server.key)
    for body, status in ((b"{", 400), (b" " * 70_000, 413), (unknown, 404)):
        reply = sqlite_vendor.send("POST", "/v1/check-ins", body)
        assert reply.status == status
        check(document, "/v1/check-ins", "post", status, reply.json)


@pytest.mark.parametrize(
    ("method", "path", "content_type", "status"),
    [
        ("GET", "/v1/nothing", "", 404),
        ("GET", "/v1/root/9", "", 404),
        ("GET", "/v1/root/99999999999999999999", "", 404),
        ("DELETE", "/v1/check-ins", "", 405),
        ("GET", "/v1/activations", "", 405),
        ("POST", "/v1/check-ins", "text/plain", 415),
        ("POST", "/v1/activations", "application/x-www-form-urlencoded", 415),
        ("POST", "/v1/deactivations", "application/json; charset=utf-8", 400),
    ],
)
def test_every_refusal_is_a_problem_document(
    sqlite_vendor: Vendor, method: str, path: str, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    url = sqlite_vendor_url(sqlite_vendor) + path
    answer = requests.request(method, url, data=b"{}", headers=headers, timeout=30)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_fault_of_ours_is_a_problem_document_with_a_number(
    vendor_here: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_keys: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(store.Keys, "ring", stumble)

    reply = vendor_here.send("GET", "/v1/keyset", None)

    assert (reply.status, reply.json["code"]) == (500, "fault")
    assert "a fault" not in reply.body.decode()
    assert reply.headers["X-Request-Id"] in reply.json["detail"]


def test_the_health_of_another_release_is_told(vendor_here: Vendor) -> None:
    with vendor_here.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    assert "0001" in failing(vendor_here)["detail"]
