"""Runs the benchmarks: every `bench_*.py` here has `run(size: float) -> list[Result]`."""

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, cast

import click

from benchmarks.result import Result

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


class Benchmark(Protocol):
    """What every benchmark module offers."""

    def run(self, size: float) -> list[Result]:
        """Measure on the given part of the standard size."""


def names() -> list[str]:
    """Return the names of all benchmarks: `import` for bench_import.py."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def load(name: str) -> Benchmark:
    """Import the benchmark of this name."""
    return cast("Benchmark", importlib.import_module(f"benchmarks.bench_{name}"))


def keep(results: Iterable[Result], path: Path = RESULTS) -> None:
    """Write the results, leaving those of benchmarks that were not run this time."""
    known = json.loads(path.read_text(encoding="utf8")) if path.exists() else []
    merged = {entry["name"]: entry for entry in known}
    merged |= {result.name: result.as_json() for result in results}
    text = json.dumps([*merged.values()], indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf8")


@click.command()
@click.argument("name", type=click.Choice(names()), required=False)
@click.option(
    "--size", type=float, default=1.0, show_default=True, help="Part of the standard size."
)
def main(name: str | None, size: float) -> None:
    """Run every benchmark, or the named one; end with 1 when a goal was missed."""
    results = []
    for chosen in [name] if name else names():
        for result in load(chosen).run(size):
            results.append(result)
            click.echo(str(result))
    if size == 1.0:
        keep(results)
    else:
        click.echo("Not the standard size: benchmarks/results.json stays as it is.")
    sys.exit(0 if all(result.ok for result in results) else 1)


if __name__ == "__main__":
    main()
