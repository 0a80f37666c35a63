"""`daftar logs`: what the installation wrote down, in lines for people."""

import json
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from installer.commands.home import open_settings
from server.core.command_line import HomeCommand
from server.core.errors import Missing
from server.core.i18n import gettext as _

FILE = "daftar.log"
PAUSE_S = 0.5
OWN_PLACE = {"timestamp", "level", "logger", "event", "exception"}


@click.command(cls=HomeCommand)
@click.option("-n", "--lines", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--raw", is_flag=True, help="The lines as they are kept: one JSON document each.")
def logs(lines: int, follow: bool, raw: bool) -> None:
    """Show the newest lines of the log."""
    path = open_settings().log_dir / FILE
    if not path.is_file():
        raise Missing(
            _("There is no log at %(path)s yet. “daftar serve” writes it.", path=path),
            code="no_log",
        )
    for line in _last(path, lines, follow=follow):
        click.echo(line if raw else readable(line))


def _last(path: Path, count: int, *, follow: bool) -> Iterator[str]:
    with path.open(encoding="utf8", errors="replace") as stream:
        yield from (line.rstrip("\n") for line in deque(stream, maxlen=count))
        while follow:
            line = stream.readline()
            if line:
                yield line.rstrip("\n")
            else:
                time.sleep(PAUSE_S)


def readable(line: str) -> str:
    """Return a line of the log for people; one that is no JSON stays as it is."""
    try:
        facts = json.loads(line)
    except ValueError:
        return line
    if not isinstance(facts, dict):
        return line
    others = [f"{name}={value}" for name, value in facts.items() if name not in OWN_PLACE]
    level = str(facts.get("level", "")).upper()
    said = [str(facts.get("timestamp", ""))[:19], f"{level:<8}", str(facts.get("event", ""))]
    trace = str(facts.get("exception", ""))
    return " ".join([*said, *others]) + (f"\n{trace}" if trace else "")
