"""Progress of long work: a bar on a terminal, nothing when the output goes to a file or a program."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def bar(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """Give a function to tell how much more is done."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr, show_eta=True) as shown:
        yield shown.update
