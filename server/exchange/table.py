"""Reading a table from a file of text: its delimiter, its rows. No row is lost, and none stops the rest."""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TextIO

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.exchange.encoding import encoding_of

DELIMITERS = ",;\t|"
SAMPLE = 64 * 1024
SAMPLE_ROWS = 30
MOST_COLUMNS = 500
MOST_LINES = 500  # of one row; beyond them a quotation mark was never closed
MOST_SHOWN = 20_000
NUL, SHOWN_NUL = "\x00", "␀"
BROKEN = "\ufffd"
_TOLD = re.compile(r"^sep=(.)\r?$", re.IGNORECASE)  # the hint that spreadsheets write first


@dataclass(frozen=True)
class Layout:
    """How a file is to be read."""

    encoding: str
    delimiter: str


@dataclass(frozen=True)
class Row:
    """One row: the number of its first line in the file, its cells as they are written, what is wrong."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""
    note: str = ""


class _Endless(Exception):
    """A row that does not come to an end."""


class _Lines:
    """The lines of a file; those that the present row took can be given back, but for the first."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._file)
        self.taken.append(line)
        self.number += 1
        if len(self.taken) > MOST_LINES:
            raise _Endless
        return line

    def give_back(self) -> str:
        first, *rest = self.taken
        self._back.extendleft(reversed(rest))
        self.number -= len(rest)
        return first


@dataclass(frozen=True)
class Sheet:
    """A table in a file: its headers, each with a name of its own, and its rows."""

    path: Path
    layout: Layout
    headers: tuple[str, ...]

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Yield the rows that begin below this line of the file, blank lines left out."""
        with _opened(self.path, self.layout.encoding) as file:
            records = _records(_Lines(file), self.layout.delimiter)
            found = (row for row in records if row.problem or any(map(str.strip, row.cells)))
            next(found, None)
            for row in found:
                if row.line > after:
                    yield _fitted(row, len(self.headers))


def open_sheet(path: Path, layout: Layout | None = None) -> Sheet:
    """Return the table in the file, or raise Invalid when there is none."""
    layout = layout or recognise(path)
    with _opened(path, layout.encoding) as file:
        first = next(
            (
                row
                for row in _records(_Lines(file), layout.delimiter)
                if any(map(str.strip, row.cells))
            ),
            None,
        )
    if first is None:
        raise Invalid(
            _("This file is empty. Choose one whose first row names the columns."), field="file"
        )
    if first.problem or len(first.cells) > MOST_COLUMNS:
        raise Invalid(
            _(
                "Line %(line)s: %(why)s This does not look like a CSV file. "
                "Save the table as CSV, then import that.",
                line=first.line,
                why=first.problem,
            )
            if first.problem
            else _(
                "This file has more than %(most)s columns. Is it a CSV file?", most=MOST_COLUMNS
            ),
            field="file",
        )
    return Sheet(path, layout, _named(first.cells))


def recognise(path: Path) -> Layout:
    """Return how the file is to be read, or raise Invalid when it is no text."""
    encoding = encoding_of(path)
    with _opened(path, encoding) as file:
        sample = file.read(SAMPLE)
    return Layout(encoding, _delimiter(sample))


def _opened(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="replace", newline="")


def _delimiter(sample: str) -> str:
    told = _TOLD.match(sample.lstrip("\ufeff").partition("\n")[0])
    if told:
        return told[1]
    return max(DELIMITERS, key=lambda sign: _agreement(sample, sign))


def _agreement(sample: str, delimiter: str) -> tuple[float, int]:
    """Return in how many rows of the sample this delimiter makes the most common number of columns."""
    rows = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
    try:
        widths = [len(row) for row in islice(rows, SAMPLE_ROWS) if row]
    except csv.Error:
        widths = []
    if not widths:
        return (0, 0)
    width, times = Counter(widths).most_common(1)[0]
    return (times / len(widths), width) if width > 1 else (0, 0)


def _records(lines: _Lines, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken = []
        begin = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Endless):
            yield _mended(lines, delimiter, begin)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
        else:
            if cells and not (begin == 1 and _TOLD.match(lines.taken[0].lstrip("\ufeff").strip())):
                yield _checked(begin, cells)


def _mended(lines: _Lines, delimiter: str, begin: int) -> Row:
    """Return what can be read of a row whose quotation marks are wrong, and free the rows it swallowed."""
    swallowed = len(lines.taken) > 1
    first = lines.give_back().rstrip("\r\n")
    try:
        cells = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        size = csv.field_size_limit()
        sentence = _("A value of this row is longer than %(most)s characters.", most=size)
        return Row(begin, (_shown(first),), sentence)
    row = _checked(begin, cells)
    if swallowed:
        sentence = _("A quotation mark is opened in this row and never closed.")
        return Row(begin, row.cells, sentence)
    note = _("The quotation marks of this row are not in order.")
    return Row(begin, row.cells, row.problem, note)


def _checked(line: int, cells: list[str]) -> Row:
    text = "".join(cells)
    shown = tuple(_shown(cell) for cell in cells)
    if NUL in text:
        return Row(line, shown, _("This row holds characters that no text may have."))
    if BROKEN in text:
        return Row(line, shown, _("Some letters of this row cannot be read in this encoding."))
    return Row(line, shown)


def _shown(cell: str) -> str:
    cell = cell.replace(NUL, SHOWN_NUL)
    return cell if len(cell) <= MOST_SHOWN else f"{cell[:MOST_SHOWN]}…"


def _fitted(row: Row, width: int) -> Row:
    """Return the row as wide as the header; cells beyond it stay, and are no good sign."""
    found = len(row.cells)
    if found < width:
        cells = row.cells + ("",) * (width - found)
        note = _("This row has %(found)s of %(width)s columns.", found=found, width=width)
        return Row(row.line, cells, row.problem, row.note or note)
    if not row.problem and any(map(str.strip, row.cells[width:])):
        sentence = _(
            "This row has %(found)s columns, the header only %(width)s. Is a value with a delimiter "
            "in it not in quotation marks?",
            found=found,
            width=width,
        )
        return Row(row.line, row.cells, sentence, row.note)
    return row


def _named(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Return the headers so that each has a name of its own."""
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = wanted = " ".join(cell.split())[:200] or _("Column %(n)s", n=place)
        number = 2
        while name in names:
            name = f"{wanted} ({number})"
            number += 1
        names.append(name)
    return tuple(names)
