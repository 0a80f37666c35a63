"""The page of the protocol says what the code does: example, members, codes, tests."""

import base64
import json
import re
from pathlib import Path

import pytest

from licensing.document.documents import Document
from licensing.document.errors import Code, NoticeCode
from licensing.document.requests import Mode
from tests.licensing.document.test_documents import EXAMPLES, example
from tests.licensing.vectors.write import FOLDER
from tests.support.sources import ROOT

PAGE = (FOLDER.parent / "licence-protocol.md").read_text("utf8")


def read(name: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.loads((FOLDER / f"{name}.json").read_text("utf8"))
    return found


def test_the_worked_example_is_the_first_vector() -> None:
    envelopes, keys = read("envelopes"), {key["name"]: key for key in read("keys")["keys"]}
    good, pae = envelopes["good"][0], base64.b64decode(envelopes["pae"][2]["pae"])

    for word in (
        good["envelope"],
        good["body_sha256"],
        good["envelope_sha256"],
        pae.decode(),
        f"The signed bytes, {len(pae)} of them",
        *(keys["lease"][member] for member in ("seed", "pub", "keyid")),
    ):
        assert word in PAGE


@pytest.mark.parametrize("code", [*Code, *NoticeCode])
def test_every_code_is_on_the_page(code: Code | NoticeCode) -> None:
    assert f"`{code.value}`" in PAGE


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_is_on_the_page(mode: Mode) -> None:
    assert f"`{mode.value}`" in PAGE


@pytest.mark.parametrize("kind", list(EXAMPLES))
def test_every_member_is_on_the_page(kind: type[Document]) -> None:
    named = set(re.findall(r"[a-z_0-9]+", PAGE))

    assert [member for member in members_of(example(kind)) if member not in named] == []


def members_of(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return []
    inner = [name for value in payload.values() for name in members_of(value)]
    return [*payload, *inner]


def test_the_tests_that_the_page_names_are_there() -> None:
    named = re.findall(r"`(?:tests/licensing/\w+/)?(test_\w+\.py)`", PAGE)

    assert len(named) > 4
    known = {path.name for path in (ROOT / "tests" / "licensing").rglob("test_*.py")}
    assert set(named) <= known


def test_every_vector_file_is_linked() -> None:
    linked = {Path(target).stem for target in re.findall(r"\(test-vectors/([\w-]+\.json)\)", PAGE)}

    assert linked == {path.stem for path in FOLDER.glob("*.json")}
