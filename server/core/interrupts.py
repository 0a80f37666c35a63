"""Ctrl-C and SIGTERM in a command: one sentence and one exit code, from the first moment to the last.

While a program loads or leaves there is nothing to tidy up, so the signal ends it on the spot. While a
command works it is a KeyboardInterrupt, so that the work is laid down in order. Imports nothing heavy.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 7
SENTENCE = "Interrupted. The command can safely be repeated."
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_program(load: Callable[[], None]) -> None:
    """Load and run a program that may be interrupted at any moment."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and the like asked for that
            signal.signal(number, _end)
    load()


@contextmanager
def tidily() -> Iterator[None]:
    """Hand a signal to the work inside the block as KeyboardInterrupt; only in a program of ours."""
    _change(_end, _interrupt)
    try:
        yield
    finally:
        _change(_interrupt, _end)


def _change(before: object, after: Callable[[int, FrameType | None], NoReturn]) -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is before:
            signal.signal(number, after)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, f"{SENTENCE}\n".encode())
    os._exit(INTERRUPTED)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
