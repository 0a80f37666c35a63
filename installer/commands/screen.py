"""What commands write for people at a terminal: verdicts, tables, questions. Programs read `--json`."""

from collections.abc import Iterable, Sequence

import click

from installer.checks import CheckReport, CheckResult, Status
from server.core.i18n import gettext as _
from server.core.i18n import ngettext

MARKS = {Status.PASS: "✓", Status.WARN: "!", Status.FAIL: "✗", Status.SKIP: "–"}
COLOURS = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "red", Status.SKIP: "blue"}


def show_check(result: CheckResult) -> None:
    """Print a check as soon as it has ended: verdict, detail, and what mends it."""
    mark = click.style(MARKS[result.status], fg=COLOURS[result.status])
    click.echo(f"{mark} {result.title}: {result.detail}")
    if result.fix:
        click.echo(f"    → {result.fix}")


def show_verdict(report: CheckReport) -> None:
    """Print the last line below the checks."""
    failures = sum(check.status is Status.FAIL for check in report.checks)
    warnings = sum(check.status is Status.WARN for check in report.checks)
    if failures:
        line = ngettext(
            "%(n)s check failed. Mend it as its arrow says, then look again.",
            "%(n)s checks failed. Mend them as their arrows say, then look again.",
            failures,
        )
    elif warnings:
        line = ngettext(
            "Nothing failed; there is %(n)s warning.",
            "Nothing failed; there are %(n)s warnings.",
            warnings,
        )
    else:
        line = _("All is well.")
    click.echo(f"\n{line}")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows under their headings, each column as wide as its widest word."""
    lines = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
