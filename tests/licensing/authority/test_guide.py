"""The vendor's guide is carried out: every command of a section, in its order, on a small authority."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from licensing.authority.config import load_settings
from licensing.authority.keys.store import Keys
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import PASSPHRASE, Vendor
from tests.licensing.authority.stranger import Stranger
from tests.support.docs import BLOCK, programs
from tests.support.sources import ROOT

PAGES = ("keys.md", "incidents.md", "life-of-a-licence.md")
# Under these a server must have done something first.
GIVEN_BACK = ("Refunds", "The authority lost its database")
HELD = "A licence is held because copies seem to run"


def sections(page: str) -> list[tuple[str, str, list[tuple[str, ...]]]]:
    """Return page, title and commands of each section that shows some."""
    text = (ROOT / "docs" / "vendor" / page).read_text(encoding="utf8")
    found = []
    for part in text.split("\n## ")[1:]:
        title = part.partition("\n")[0]
        commands = [
            words
            for block in BLOCK.finditer(part)
            for line in block["body"].replace("\\\n", " ").splitlines()
            if line.startswith("$ ")
            for words in programs(line[2:])
        ]
        if commands:
            found.append((page, title, commands))
    return found


SECTIONS = [section for page in PAGES for section in sections(page)]


@pytest.mark.parametrize(
    ("page", "title", "commands"), SECTIONS, ids=[f"{one[0]}: {one[1]}" for one in SECTIONS]
)
def test_a_section_can_be_carried_out(
    console: Console,
    console_vendor: Vendor,
    sold: dict[str, str],
    tmp_path: Path,
    page: str,
    title: str,
    commands: list[tuple[str, ...]],
) -> None:
    server = console_vendor.stranger()
    server.activate(sold["code"])
    prepare(console, sold, title, server, tmp_path)
    put = placeholders(console, console_vendor, sold, tmp_path)
    for words in commands:
        typed = [put(word) for word in words[1:]]
        result = console.run(*typed)
        assert result.exit_code == 0, (shlex.join(typed), result.output)


def prepare(
    console: Console, sold: dict[str, str], title: str, server: Stranger, folder: Path
) -> None:
    """Let happen on the customer's side what the section is about."""
    if title in GIVEN_BACK:
        server.deactivate("refund")
        console.json("license", "proof", sold["license_id"], "--out", folder / "proof.json")
    if title == "The authority lost its database":
        customer = console.json("customer", "add", "--name", "Nasim")["customer_id"]
        again = console.json("license", "issue", "--customer", customer, "--seats", 1)
        sold["license_id"] = str(again["license_id"])
    if title == HELD:
        for _fork in range(6):
            server.check_in(nonce="0" * 32)


def placeholders(
    console: Console, vendor: Vendor, sold: dict[str, str], folder: Path
) -> Callable[[str], str]:
    """Return a function that puts the real thing in the place of the guide's example."""
    keys = Keys(load_settings(console.home), PASSPHRASE.encode()).ring().keyset.keys
    names = {role: one.keyid for one in keys for role in one.roles}
    customer = console.json("license", "show", sold["license_id"])["customer"]["id"]
    real = {
        "/srv/authority": str(console.home),
        "/media/root-": f"{console.home / 'root'}/root-",
        "/dev/shm/next-root": str(folder / "next-root"),  # noqa: S108 - an example of the guide
        "c5241adcb9961712": names["license"],
        "9f0c2b7de1a44c35": names["lease"],
        "lic_7Q2M9K4T0B": sold["license_id"],
        "cus_S8WM7JCJXK": customer,
        "proof.json": str(folder / "proof.json"),
    }

    def put(word: str) -> str:
        for example, thing in real.items():
            word = word.replace(example, thing)
        return word

    assert vendor.settings.home == console.home
    return put


def test_every_page_shows_something_to_do() -> None:
    assert {page for page, _title, _commands in SECTIONS} == set(PAGES)
