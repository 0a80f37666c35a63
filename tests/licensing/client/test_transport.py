"""The line to the authority: whatever stands in its way is told, and nothing is raised."""

from pathlib import Path

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from licensing.client.transport import Fault, Transport, Unreachable


def test_a_ca_bundle_that_is_not_there_is_told_as_a_fault_of_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", DEFAULT_CA_BUNDLE_PATH)  # the settings go before it
    line = Transport(["https://127.0.0.1:9"], tmp_path / "missing.pem")

    for result in (line.get("v1/keyset"), line.post("v1/check-ins", b"{}")):
        assert isinstance(result, Unreachable)
        assert result.fault is Fault.TLS
        assert "missing.pem" in result.detail
