"""Everything that can be judged without running the product. Prints what failed and what to do."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
BOXES = ["server", "licensing", "client_web", "installer"]


@dataclass(frozen=True)
class Step:
    """One check: the program, its arguments, and the way out when it fails."""

    name: str
    program: str
    arguments: list[str]
    advice: str


@dataclass(frozen=True)
class Outcome:
    """What a check said and how long it took, in seconds."""

    step: Step
    passed: bool
    output: str
    seconds: float


STEPS = [
    Step(
        "types",
        "mypy",
        ["--no-error-summary"],
        "Give the code the types it has; a reasoned `type: ignore[…]` only at a foreign border.",
    ),
    Step(
        "format",
        "ruff",
        ["format", "--check", "--quiet", "--diff", "."],
        "Run 'make format'.",
    ),
    Step(
        "lint",
        "ruff",
        ["check", "--quiet", "."],
        "Run 'make format' for what repairs itself; change the code for the rest.",
    ),
    Step(
        "imports",
        "lint-imports",
        ["--no-logo"],
        "Turn the import round as the contract in setup.cfg says.",
    ),
    Step(
        "templates",
        "djlint",
        ["--lint", "--quiet", "--extension", "html", *BOXES],
        "Repair the templates; the rule's code stands in each line.",
    ),
    Step(
        "translations",
        "python",
        ["tools/translations.py", "check"],
        "Run 'make translations', then translate what waits in client_web/translations.",
    ),
    Step(
        "house and docs",
        "python",
        ["-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/house"],
        "Follow the sentence of the rule that failed.",
    ),
]


def run(step: Step) -> Outcome:
    """Run one check from the root of the sources."""
    begun = time.monotonic()
    finished = subprocess.run(  # noqa: S603  # our own programs with the arguments above
        [PROGRAMS / step.program, *step.arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    spent = time.monotonic() - begun
    return Outcome(step, finished.returncode == 0, finished.stdout, spent)


def show(outcome: Outcome) -> None:
    """Print one line for a check that passed, its words and the advice for one that did not."""
    mark = "ok  " if outcome.passed else "FAIL"
    sys.stdout.write(f"{mark} {outcome.step.name} ({outcome.seconds:.1f} s)\n")
    if not outcome.passed:
        sys.stdout.write(f"{outcome.output.rstrip()}\n→ {outcome.step.advice}\n\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    """Run every check, or the named ones, two at a time; return 1 when one failed."""
    steps = [step for step in STEPS if not names or step.name in names]
    failed = []
    with ThreadPoolExecutor(max_workers=2) as workers:
        for outcome in workers.map(run, steps):
            show(outcome)
            if not outcome.passed:
                failed.append(outcome.step.name)
    if failed:
        sys.stdout.write(f"Failed: {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
