"""Backup, the next day's backup, verification and restore, beside restic, borg and tar with gzip.

Everybody saves the same 300 MB database and 200 MB of files in one run, encrypted where the tool can.
The peers get a consistent copy of the database from `sqlite3 .backup`, whose time is theirs.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.backup_world import World
from benchmarks.result import Beside, Result, at_most
from server.core.errors import Missing

DATABASE = 300_000_000
FILES = 200_000_000
MEMORY_MB = 150
STEPS = ("first", "second", "check", "restore")
TOOLS = ("restic", "borg", "tar", "gzip", "sqlite3")


@dataclass(frozen=True)
class Cost:
    """What a step took: seconds on the clock, seconds of processors, MB of memory at most."""

    wall: float
    cpu: float
    memory: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


@dataclass(frozen=True)
class Measured:
    """What one tool took for each step, and what its store weighed after the first two, in MB."""

    name: str
    costs: dict[str, Cost]
    sizes: dict[str, float]


Line = Sequence[str | Path]


@dataclass(frozen=True)
class Tool:
    """How a tool does each step; `{copy}` steps need a copy of the database first."""

    name: str
    store: Path
    prepare: tuple[Line, ...]
    back_up: Line
    check: Line
    restore: Line
    needs_copy: bool = True


def run(size: float) -> list[Result]:
    """Measure every tool on the same data; print the whole table, return what has a goal."""
    lacking = [name for name in TOOLS if shutil.which(name) is None]
    if lacking:
        raise Missing(f"Install {', '.join(lacking)} first: apt-get install restic borgbackup")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        measured = _measure_all(root, size)
    _print(measured)
    return _results({each.name: each for each in measured})


def _measure_all(root: Path, size: float) -> list[Measured]:
    data = root / "data"
    world = World(data)
    world.write(int(DATABASE * size), int(FILES * size))
    tools = _tools(root, data)
    first = {tool.name: _first(tool, data) for tool in tools}
    world.change()
    return [_rest(tool, data, first[tool.name]) for tool in tools]


def _tools(root: Path, data: Path) -> list[Tool]:
    copy = [data / "copy.sqlite3", data / "files"]
    out = root / "out"
    return [
        _daftar(root / "daftar", data),
        _restic(root / "restic", copy, out),
        _borg(root / "borg", copy, out),
        _tar(root / "tar", copy, out),
    ]


def _daftar(ours: Path, data: Path) -> Tool:
    ours.mkdir()
    python: list[str | Path] = [sys.executable, "-m", "benchmarks.backup_ours"]
    return Tool(
        "daftar",
        ours / "backups",
        ([*python, "prepare", ours, data],),
        [*python, "back_up", ours, data],
        [*python, "check", ours, data],
        [*python, "restore", ours, data],
        needs_copy=False,
    )


def _restic(store: Path, copy: list[Path], out: Path) -> Tool:
    restic: list[str | Path] = ["restic", "--repo", store, "--no-cache", "--quiet"]
    return Tool(
        "restic",
        store,
        ([*restic, "init"],),
        [*restic, "backup", *copy],
        [*restic, "check", "--read-data"],
        [*restic, "restore", "latest", "--target", out],
    )


def _borg(store: Path, copy: list[Path], out: Path) -> Tool:
    newest = f'$(borg list --last 1 --short "{store}")'
    return Tool(
        "borg",
        store,
        (["borg", "init", "--encryption=repokey-blake2", store],),
        ["borg", "create", f"{store}::{{now:%Y%m%d%H%M%S%f}}", *copy],
        ["borg", "check", "--verify-data", store],
        ["sh", "-c", f'cd "$1" && borg extract "{store}::{newest}"', "sh", out],
    )


def _tar(store: Path, copy: list[Path], out: Path) -> Tool:
    archive = store / "all.tar.gz"
    return Tool(
        "tar and gzip",
        store,
        (["mkdir", store],),
        ["tar", "--create", "--gzip", "--absolute-names", f"--file={archive}", *copy],
        ["gzip", "--test", archive],
        ["tar", "--extract", f"--file={archive}", f"--directory={out}"],
    )


def _first(tool: Tool, data: Path) -> tuple[Cost, float]:
    for line in tool.prepare:
        _cost(line)
    return _back_up(tool, data), _megabytes(tool.store)


def _back_up(tool: Tool, data: Path) -> Cost:
    if not tool.needs_copy:
        return _cost(tool.back_up)
    copy = data / "copy.sqlite3"
    copy.unlink(missing_ok=True)
    database = data / "db" / "daftar.sqlite3"
    copying = _cost(["sqlite3", database, f".backup {copy}"])
    return copying + _cost(tool.back_up)


def _rest(tool: Tool, data: Path, first: tuple[Cost, float]) -> Measured:
    costs = {"first": first[0], "second": _back_up(tool, data)}
    grown = _megabytes(tool.store)
    costs["check"] = _cost(tool.check)
    out = tool.store.parent / "out"
    out.mkdir(exist_ok=True)
    costs["restore"] = _cost(tool.restore)
    shutil.rmtree(out)
    if tool.name == "daftar":
        costs["drill"] = _cost([*tool.check[:3], "drill", *tool.check[4:]])
    return Measured(tool.name, costs, {"first": first[1], "second": grown})


def _cost(line: Line) -> Cost:
    words = [str(word) for word in line]
    begun = time.perf_counter()
    secret = {"RESTIC_PASSWORD": "bench", "BORG_PASSPHRASE": "bench"}
    process = subprocess.Popen(  # noqa: S603 - our own lines
        words, stdout=subprocess.DEVNULL, env={**os.environ, **secret}
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}")
    spent = time.perf_counter() - begun
    return Cost(spent, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _print(measured: list[Measured]) -> None:
    for each in measured:
        for step, cost in each.costs.items():
            size = each.sizes.get(step)
            weighs = "" if size is None else f"  {size:7.1f} MB stored"
            print(  # noqa: T201 - a table for whoever runs the benchmark
                f"{each.name:>12} {step:>8} {cost.wall:7.2f} s {cost.cpu:7.2f} s CPU"
                f" {cost.memory:6.0f} MB memory{weighs}"
            )


def _results(by_name: dict[str, Measured]) -> list[Result]:
    ours, restic = by_name["daftar"], by_name["restic"]
    smallest = min(by_name.values(), key=lambda each: each.sizes["first"])
    speeds = [
        _against(f"backup: {step} against restic", ours.costs[step], restic.costs[step])
        for step in ("first", "restore", "check")
    ]
    peak = max(cost.memory for cost in ours.costs.values())
    return [
        *speeds,
        at_most(
            "backup: size against the smallest",
            ours.sizes["first"] / smallest.sizes["first"],
            "times",
            goal=1.1,
            beside=Beside(smallest.name, round(smallest.sizes["first"], 1), "MB"),
        ),
        *_second_day(ours, restic),
        at_most(
            "backup: memory",
            peak,
            "MB",
            goal=MEMORY_MB,
            beside=Beside("restic", round(max(c.memory for c in restic.costs.values())), "MB"),
        ),
    ]


def _second_day(ours: Measured, restic: Measured) -> list[Result]:
    first, second = ours.costs["first"], ours.costs["second"]
    grown = ours.sizes["second"] - ours.sizes["first"]
    theirs = restic.sizes["second"] - restic.sizes["first"]
    return [
        at_most(
            "backup: second against the first, CPU",
            second.cpu / first.cpu,
            "times",
            goal=1 / 3,
            beside=Beside(
                "restic", round(restic.costs["second"].cpu / restic.costs["first"].cpu, 3), "times"
            ),
        ),
        at_most(
            "backup: second day's growth",
            grown / ours.sizes["first"],
            "of the first",
            goal=1 / 3,
            beside=Beside("restic", round(theirs / restic.sizes["first"], 3), "of its first"),
        ),
    ]


def _against(name: str, ours: Cost, theirs: Cost) -> Result:
    """Compare seconds on the clock; on a shared machine the processors' seconds stand beside."""
    beside = Beside("restic", round(theirs.wall, 2), "s")
    return at_most(name, ours.wall / theirs.wall, "times", goal=1.0, beside=beside)
