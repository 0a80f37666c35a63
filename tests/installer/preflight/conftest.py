"""A sound plan for one user, in a machine without proxies."""

from collections.abc import Callable
from pathlib import Path

import pytest

from installer.preflight.plan import Mode, PreflightPlan


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def plan(tmp_path: Path, port: int) -> PreflightPlan:
    home = tmp_path / "home"
    return PreflightPlan(home, home / "data", tmp_path / "backups", mode=Mode.USER, port=port)


@pytest.fixture
def inodes() -> Callable[[Path], list[Path]]:
    """Return everything below a folder, to see that nothing was changed."""
    return lambda folder: sorted(folder.rglob("*"))
