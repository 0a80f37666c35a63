"""What a benchmark says: a number, its goal, and what stands beside it."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Beside:
    """The ceiling or the peer measured in the same run, so that a slow machine accuses nobody."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Result:
    """One measured number. Make it with `at_most` or `at_least`, which know when it is good."""

    name: str
    value: float
    unit: str
    goal: float
    ok: bool
    beside: Beside | None

    def as_json(self) -> dict[str, object]:
        """Return the object that stands in results.json."""
        return asdict(self)

    def __str__(self) -> str:
        """Return one line for people."""
        beside = self.beside
        other = f", beside {beside.name}: {beside.value:g} {beside.unit}" if beside else ""
        mark = "ok  " if self.ok else "SLOW"
        return f"{mark} {self.name}: {self.value:g} {self.unit} (goal {self.goal:g}{other})"


def at_most(
    name: str, value: float, unit: str, *, goal: float, beside: Beside | None = None
) -> Result:
    """Return a result that is good when the value is the goal or less."""
    return Result(name, round(value, 3), unit, goal, value <= goal, beside)


def at_least(
    name: str, value: float, unit: str, *, goal: float, beside: Beside | None = None
) -> Result:
    """Return a result that is good when the value is the goal or more."""
    return Result(name, round(value, 3), unit, goal, value >= goal, beside)
