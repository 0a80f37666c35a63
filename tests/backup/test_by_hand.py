"""docs/restore-by-hand.md, carried out: a backup opens with ordinary programs and no line of ours."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

from backup import digest, postgresql
from backup.manifest import Manifest
from tests.backup.house import House
from tests.support.sources import ROOT

PAGE = ROOT / "docs" / "restore-by-hand.md"


def commands() -> list[str]:
    """Return the command lines of the page but for the installation of programs."""
    blocks = re.findall(
        r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL
    )
    lines = [line for block in blocks for line in block.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ ")]


CHUNKS = ("WORDS", "database.tsv", "restored/words")


def carry_out(
    house: House, made: Manifest, *, leave_out: tuple[str, ...], database: str = ""
) -> str:
    """Run the page's commands where somebody with the backups and the recovery sheet stands."""
    place = house.root / "by-hand"
    place.mkdir()
    (place / "backups").symlink_to(house.store.folder)
    (place / "key.txt").write_text(house.shown_once.escrow_private + "\n")
    (place / "signer.pem").write_text(house.shown_once.signer_public_pem)
    lines = [line for line in commands() if not any(word in line for word in leave_out)]
    done = subprocess.run(
        ["bash", "-c", "set -e -o pipefail\n" + "\n".join(lines)],
        cwd=place,
        env={**os.environ, "ID": made.id, "DATABASE": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def assert_files_and_secrets(house: House) -> None:
    restored = house.root / "by-hand" / "restored"
    for path in house.files.rglob("*"):
        if path.is_file():
            copy = restored / "files" / path.relative_to(house.files)
            assert copy.read_bytes() == path.read_bytes()
    secret = restored / "secrets" / "license" / "instance.key"
    assert secret.read_text() == "the instance's secret\n"


def test_a_backup_of_sqlite_is_brought_back_by_hand(house: House) -> None:
    made = house.back_up()

    said = carry_out(house, made, leave_out=("pgdump", *CHUNKS))

    assert "Signature Verified Successfully" in said
    assert said.count(": OK") == len(made.parts)
    assert "\nok\n" in said
    database = house.root / "by-hand" / "restored" / "daftar.sqlite3"
    assert digest.sqlite_tables(database) == made.tables
    assert_files_and_secrets(house)


def test_a_large_database_is_joined_by_hand(house: House) -> None:
    house = replace(house, plan=replace(house.plan, chunks_from=0))
    made = house.back_up()

    said = carry_out(house, made, leave_out=("sqlite", "pgdump"))

    assert said.count(": OK") == len(made.parts)
    assert digest.sqlite_tables(house.root / "by-hand" / "restored" / "database") == made.tables
    assert_files_and_secrets(house)


def test_a_backup_of_postgresql_is_brought_back_by_hand(postgres_house: House) -> None:
    made = postgres_house.back_up()
    url = postgresql.create_database(postgres_house.plan.database_url, "by_hand")

    try:
        said = carry_out(
            postgres_house,
            made,
            leave_out=("sqlite", *CHUNKS),
            database=postgresql.conninfo(url),
        )
        assert postgresql.tables(url) == made.tables
    finally:
        postgresql.drop_database(postgres_house.plan.database_url, "by_hand")

    assert "Signature Verified Successfully" in said
    assert_files_and_secrets(postgres_house)


def test_an_exported_backup_is_a_place_of_its_own(house: House, tmp_path: Path) -> None:
    from backup import transfer

    made = house.back_up()
    file = transfer.export_set(house.store, made.id, tmp_path / "out.tar", trust=house.keys.trust)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "--extract", f"--file={file}", f"--directory={unpacked}"], check=True)
    moved = house.root / "backups"
    moved.rename(house.root / "lost")
    unpacked.rename(moved)

    carry_out(house, made, leave_out=("pgdump", *CHUNKS))

    assert_files_and_secrets(house)
