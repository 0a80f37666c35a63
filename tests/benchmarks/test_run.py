"""Running benchmarks and keeping what they say."""

import json
from pathlib import Path

import pytest

from benchmarks.result import Beside, at_least, at_most
from benchmarks.run import keep, load, names


@pytest.mark.parametrize("name", names())
def test_every_benchmark_runs_on_a_tiny_size(name: str) -> None:
    results = load(name).run(0.005)

    assert any(result.value > 0 for result in results)
    assert all(result.value >= 0 for result in results)  # nobody held by mistake is a nought


def test_a_goal_is_met_from_the_right_side() -> None:
    assert at_most("import", 19.9, "s", goal=20).ok
    assert not at_most("import", 20.1, "s", goal=20).ok
    assert not at_least("pages", 99, "pages/s", goal=100).ok


def test_results_of_benchmarks_that_did_not_run_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    keep([at_most("import", 12, "s", goal=20), at_least("pages", 90, "pages/s", goal=100)], path)

    keep([at_most("import", 10, "s", goal=20, beside=Beside("bare insert", 2, "s"))], path)

    first, second = json.loads(path.read_text(encoding="utf8"))
    assert first == {
        "name": "import",
        "value": 10,
        "unit": "s",
        "goal": 20,
        "ok": True,
        "beside": {"name": "bare insert", "value": 2, "unit": "s"},
    }
    assert (second["name"], second["ok"]) == ("pages", False)
