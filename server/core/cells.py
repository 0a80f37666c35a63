"""Cells of the tables we hand out: a spreadsheet shows them and never carries them out. Pure."""

import re

# What a spreadsheet takes for a formula; +98 912 000 and -5.5 are numbers.
_FORMULA = re.compile(r"[\s]*[=@]|[\t\r\n]|\s*[+\-](?![\d\s().,/٬٫\-]*$)")


def harmless(cell: str) -> str:
    """Return a cell as a spreadsheet shows it and never carries it out; numbers stay as they are."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_written(cell: str) -> str:
    """Return the cell without the apostrophe that keeps spreadsheets from carrying it out."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
