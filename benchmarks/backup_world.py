"""The data that the backup benchmark saves: a CRM's database and attachments, the same in every run."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

LATIN = "abcdefghijklmnoprstuvy"
PERSIAN = "ابپتجدرزسشعفقکگلمنوهی"
SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE companies (id INTEGER PRIMARY KEY, name TEXT, city TEXT, notes TEXT, custom TEXT);
CREATE TABLE people (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, phones TEXT,
    emails TEXT, company_id INTEGER, notes TEXT);
CREATE TABLE deals (id INTEGER PRIMARY KEY, title TEXT, amount INTEGER, stage_id INTEGER,
    company_id INTEGER, expected_close_on TEXT);
CREATE TABLE activities (id INTEGER PRIMARY KEY, kind TEXT, subject TEXT, body TEXT, at TEXT,
    by_id INTEGER);
CREATE INDEX activities_at ON activities (at);
CREATE INDEX people_name ON people (last_name);
CREATE INDEX deals_stage ON deals (stage_id, id);
"""
BATCH = 500


class World:
    """Writes the data below a folder: `db/daftar.sqlite3` and `files/`."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "db" / "daftar.sqlite3"
        self.files = folder / "files"
        self._dice = random.Random(1404)  # noqa: S311 - data, no secrets
        self._words = [self._word(LATIN) for _ in range(4_000)]
        self._words += [self._word(PERSIAN) for _ in range(4_000)]

    def write(self, database_bytes: int, file_bytes: int) -> None:
        """Fill the database up to a size, and files of which half cannot be compressed."""
        self.database.parent.mkdir(parents=True)
        with closing(sqlite3.connect(self.database)) as connection:
            connection.executescript(SCHEMA)
            while self.database.stat().st_size < database_bytes:
                self._batch(connection)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        written = 0
        while written < file_bytes:
            written += self._file(self._dice.randrange(20_000, 4_000_000))

    def change(self) -> None:
        """Change about one row in a hundred, most of them among the newest, and add a few files."""
        with closing(sqlite3.connect(self.database)) as connection:
            for table, column in (("people", "notes"), ("activities", "body"), ("deals", "title")):
                count = connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
                wanted = count // 100
                newest = range(count - wanted * 2, count)
                ids = self._dice.sample(newest, wanted * 9 // 10)
                ids += self._dice.sample(range(1, count), wanted // 10)
                connection.executemany(
                    f"UPDATE {table} SET {column} = ? WHERE id = ?",  # noqa: S608 - our own names
                    [(self._text(12), row_id) for row_id in ids],
                )
            connection.commit()
        for _ in range(2):
            self._file(1_000_000)

    def _batch(self, connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO companies (name, city, notes, custom) VALUES (?, ?, ?, ?)",
            [self._company() for _ in range(BATCH)],
        )
        connection.executemany(
            "INSERT INTO people (first_name, last_name, phones, emails, company_id, notes)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [self._person() for _ in range(3 * BATCH)],
        )
        connection.executemany(
            "INSERT INTO deals (title, amount, stage_id, company_id, expected_close_on)"
            " VALUES (?, ?, ?, ?, ?)",
            [self._deal(number) for number in range(2 * BATCH)],
        )
        connection.executemany(
            "INSERT INTO activities (kind, subject, body, at, by_id) VALUES (?, ?, ?, ?, ?)",
            [self._note(number) for number in range(8 * BATCH)],
        )
        connection.commit()

    def _company(self) -> tuple[object, ...]:
        text = self._text
        return text(3), text(1), text(20), f'{{"tier": {self._dice.randrange(9)}}}'

    def _person(self) -> tuple[object, ...]:
        dice, text = self._dice, self._text
        return (
            text(1),
            text(1),
            f"+98912{dice.randrange(10**7):07}",
            f"{text(1)}@pars.example",
            dice.randrange(1, 5_000),
            text(12),
        )

    def _deal(self, number: int) -> tuple[object, ...]:
        dice, closes_on = self._dice, f"2027-01-{number % 28 + 1:02}"
        return self._text(4), dice.randrange(10**9), dice.randrange(1, 7), 1, closes_on

    def _note(self, number: int) -> tuple[object, ...]:
        subject, body = self._text(5), self._text(self._dice.randrange(5, 80))
        return "note", subject, body, f"2026-{number % 12 + 1:02}-11", number % 40

    def _file(self, size: int) -> int:
        content = (
            self._dice.randbytes(size)
            if self._dice.random() < 0.5
            else self._text(size // 6).encode()[:size]
        )
        name = f"{self._dice.getrandbits(256):064x}"
        path = self.files / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return len(content)

    def _word(self, letters: str) -> str:
        return "".join(self._dice.choices(letters, k=self._dice.randrange(3, 10)))

    def _text(self, count: int) -> str:
        return " ".join(self._dice.choices(self._words, k=count))
