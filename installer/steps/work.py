"""One installation under way: where, with which answers, and how a step speaks to the administrator."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from installer.steps.answers import Answers
from installer.steps.journal import Journal, save_journal
from server.core.config import Settings


@dataclass
class Work:
    """What every step gets. `say` shows a line that matters even when nobody reads the progress."""

    home: Path
    answers: Answers
    settings: Settings
    journal: Journal
    password: Callable[[], tuple[str, bool]]
    say: Callable[[str], None]

    def done(self, step: str) -> None:
        """Write down that a step was done."""
        self.journal = self.journal.with_step(step)
        save_journal(self.home, self.journal)


@dataclass(frozen=True)
class Step:
    """One step as data: `run` does what is missing and returns what it did, in a sentence.

    `system_only` steps belong to a service for everybody.
    """

    id: str
    title: str
    run: Callable[[Work], str]
    system_only: bool = False
