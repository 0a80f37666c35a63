"""What is inside the two distributions: everything a customer runs on, and nothing of the vendor's."""

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.sources import BOXES, NOT_OURS, ROOT

BUILD = "from setuptools import build_meta; build_meta.build_wheel({folder!r})"
AUTHORITY = "licensing/authority/"
# Sources of what is built into `static`, catalogues before they are compiled, and notes to developers.
NOT_SHIPPED = ("client_web/assets/",)
NOT_SHIPPED_ENDINGS = (".po", ".pot", ".md", ".pyc")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the sources with what `make setup` builds, to leave no traces of a build."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    for box in BOXES:
        left_out = shutil.ignore_patterns("node_modules", "__pycache__", "build", "*.egg-info")
        shutil.copytree(ROOT / box, folder / box, ignore=left_out)
    return folder


def contents(project: Path, folder: Path) -> set[str]:
    """Build the wheel of the project and return the names of its files."""
    program = BUILD.format(folder=str(folder))
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def daftar(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Give the names of the files that a customer gets."""
    return contents(sources, tmp_path_factory.mktemp("daftar"))


@pytest.fixture(scope="module")
def authority(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Give the names of the files of the vendor's own distribution."""
    return contents(sources / AUTHORITY, tmp_path_factory.mktemp("authority"))


def shipped(name: str) -> bool:
    return not name.startswith(NOT_SHIPPED) and not name.endswith(NOT_SHIPPED_ENDINGS)


def files_below(*folders: str) -> set[str]:
    """Return the files on disk that the product needs when it runs."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    names = {path.relative_to(ROOT).as_posix() for path in found}
    unwanted = NOT_OURS - {"static"}
    return {name for name in names if shipped(name) and not unwanted.intersection(name.split("/"))}


def test_a_customer_gets_everything_that_daftar_runs_on(daftar: set[str]) -> None:
    needed = {name for name in files_below(*BOXES) if not name.startswith(AUTHORITY)}

    assert sorted(needed - daftar) == []


def test_a_customer_gets_nothing_of_the_vendor(daftar: set[str]) -> None:
    assert [name for name in daftar if name.startswith(AUTHORITY)] == []


def test_a_customer_gets_no_tests_and_no_sources_of_the_front_end(daftar: set[str]) -> None:
    tops = {name.split("/")[0] for name in daftar if ".dist-info/" not in name}

    assert tops == set(BOXES)
    assert [name for name in daftar if not shipped(name) and ".dist-info/" not in name] == []


@pytest.mark.parametrize(
    "part",
    [
        "server/migrations/env.py",
        "server/migrations/versions/",
        "client_web/templates/",
        "client_web/kit/templates/",
        "client_web/static/",
        "client_web/translations/fa/LC_MESSAGES/daftar.mo",
        "client_web/translations/fr/LC_MESSAGES/daftar.mo",
        "installer/forms/definitions/",
    ],
)
def test_a_customer_gets_what_is_no_package(daftar: set[str], part: str) -> None:
    assert [name for name in daftar if name.startswith(part)] != []


def test_the_vendor_gets_the_authority_and_nothing_twice(authority: set[str]) -> None:
    needed = {
        name
        for name in files_below(AUTHORITY)
        if not name.endswith(("setup.py", "setup.cfg", "pyproject.toml"))
        if ".egg-info/" not in name
    }
    got = {name for name in authority if ".dist-info/" not in name}

    assert sorted(needed - got) == []
    assert [name for name in got if not name.startswith(AUTHORITY)] == []


def test_both_distributions_carry_one_version() -> None:
    versions = set()
    for place in (ROOT, ROOT / AUTHORITY):
        config = configparser.ConfigParser()
        config.read(place / "setup.cfg", encoding="utf8")
        versions.add(config["metadata"]["version"])

    assert len(versions) == 1
