"""What may stand in the files of the repository, and what the lock files may bring."""

import re
from collections.abc import Iterator

import pytest

from tests.support.sources import ROOT, committed_files

LOCKS = ("requirements.lock", "requirements-develop.lock", "requirements-build.lock")
OURS = {"installer", "licensing", "backup", "server", "client-web"}
PIN = re.compile(r"^(?P<name>[a-zA-Z0-9._-]+)(\[[^]]+\])?==\S+", re.MULTILINE)
# Joined here, so that this file does not break its own rule.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
    )
]
PLACES = ["/".join(("", place, "")) for place in ("work", "root", "home/user")]
FORBIDDEN = re.compile(
    "|".join(
        [*(re.escape(host) for host in HOSTS), *(rf"(?<![\w.}}-]){place}" for place in PLACES)]
    )
)


def pins(lock: str) -> dict[str, str]:
    """Return the block of each pinned distribution by its name."""
    text = (ROOT / lock).read_text(encoding="utf8")
    starts = [*PIN.finditer(text)]
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        match["name"].lower(): text[match.start() : end]
        for match, end in zip(starts, ends, strict=True)
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_distribution_has_hashes(lock: str) -> None:
    blocks = pins(lock)

    assert blocks
    assert [name for name, block in blocks.items() if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_locked_distribution_takes_a_name_of_ours(lock: str) -> None:
    assert OURS & pins(lock).keys() == set()


def test_tests_run_on_the_versions_that_customers_get() -> None:
    run, develop = pins("requirements.lock"), pins("requirements-develop.lock")
    version = {name: block.split()[0] for name, block in run.items()}

    assert {name: develop[name].split()[0] for name in run} == version


def test_no_file_names_a_machine_or_a_registry() -> None:
    assert [*traces()] == []


def traces() -> Iterator[str]:
    """Yield each place where a committed file names a registry's host or somebody's folder."""
    for path in committed_files():
        try:
            text = (ROOT / path).read_text(encoding="utf8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if found := FORBIDDEN.search(line):
                yield f"{path}:{number}: {found[0]}"
