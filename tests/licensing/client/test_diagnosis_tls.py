"""The diagnosis against certificates, and against ports that speak no TLS."""

from pathlib import Path

import pytest

from licensing.client.diagnosis import Step
from tests.licensing.client.examination import PAGE, Stage
from tests.licensing.client.obstacles import (
    Certificates,
    Talk,
    is_silent,
    response,
    serves,
)
from tests.licensing.client.vendor import DAY, NOW


def test_a_free_way_over_tls_names_who_vouches_for_it(stage: Stage) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context())

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("pass", "tls_trusted")
    assert found["answer"] == ("pass", "answer_signed")
    assert stage.facts(Step.TLS)["issuer"] == "Pars Root"


@pytest.mark.parametrize(
    ("talk", "tls"),
    [
        (is_silent, "tls_silent"),
        (lambda _peer: None, "tls_hangs_up"),
        (lambda peer: peer.recv(1), "tls_hangs_up"),
        (lambda peer: peer.sendall(response(400, PAGE)), "tls_not_spoken"),
    ],
    ids=["silence", "hangs up", "hangs up later", "HTTP"],
)
def test_a_port_that_does_not_speak_tls(stage: Stage, talk: Talk, tls: str) -> None:
    found = stage.look(f"https://127.0.0.1:{stage.listen(talk).port}")

    assert found["connection"] == ("pass", "connected")
    assert found["tls"] == ("fail", tls)
    assert found["answer"] == ("skip", "not_reached")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"until": -2}, "tls_expired"),
        ({"since": 2}, "tls_not_yet"),
        ({"name": "other.example"}, "tls_wrong_name"),
        ({"selfmade": True}, "tls_self_signed"),
    ],
)
def test_a_certificate_that_is_not_right_says_what_is_wrong(
    stage: Stage, options: dict[str, object], code: str
) -> None:
    context = stage.certificates.context(**options)  # type: ignore[arg-type] # names of its options
    vendor = stage.listen(serves(stage.authority), context)

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("fail", code)
    assert found["answer"] == ("skip", "not_reached")
    facts = stage.facts(Step.TLS)
    assert facts["names"] == str(options.get("name", "localhost"))
    assert facts["since"] < facts["until"]


def test_a_proxy_that_opens_tls_is_named_by_its_issuer(stage: Stage, tmp_path: Path) -> None:
    inspecting = Certificates.found(tmp_path, "Corporate Inspection CA")
    vendor = stage.listen(serves(stage.authority), inspecting.context())

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("fail", "tls_unknown_issuer")
    assert stage.facts(Step.TLS)["issuer"] == "Corporate Inspection CA"
    assert stage.look(f"https://localhost:{vendor.port}", ca_bundle=inspecting.bundle)["tls"] == (
        "pass",
        "tls_trusted",
    )


def test_a_clock_that_is_wrong_is_found_behind_a_certificate_that_seems_expired(
    stage: Stage,
) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context(until=-2))
    stage.vendor.now = NOW - 30 * DAY

    found = stage.look(f"https://localhost:{vendor.port}")

    assert found["tls"] == ("fail", "tls_expired")
    assert found["clock"] == ("fail", "clock_ahead")


def test_a_bundle_that_is_not_there(stage: Stage, tmp_path: Path) -> None:
    vendor = stage.listen(serves(stage.authority), stage.certificates.context())

    found = stage.look(f"https://localhost:{vendor.port}", ca_bundle=tmp_path / "missing.pem")

    assert found["tls"] == ("fail", "bundle_unusable")
    assert stage.facts(Step.TLS)["path"].endswith("missing.pem")
