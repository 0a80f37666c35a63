"""The house rules that no linter knows."""

import ast
import configparser
import importlib
import re
from pathlib import Path

from tests.support.sources import BOXES, ROOT, imported_names, modules

FOUNDATIONS = {"core", "http", "api", "migrations"}
DOORS = {"service", "queries"}
# Reports, search and metrics read across slices, and the list of tables names them all.
READS_TABLES = {
    "server/tables.py",
    "server/reports/queries.py",
    "server/search/queries.py",
    "server/metrics/queries.py",
}
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
BUSINESS = {"service", "queries", "models", "rules"}
TRANSLATING = {"_": 1, "gettext": 1, "lazy_gettext": 1, "mark": 1, "ngettext": 2}


def test_a_slice_enters_another_slice_only_by_its_doors() -> None:
    trespassers = [
        f"{module.path} imports {name}"
        for module in modules("server")
        if len(module.room) > 2 and module.path not in READS_TABLES
        if module.room[1] not in FOUNDATIONS
        for name in imported_names(module.tree)
        if is_foreign_slice(name.split("."), home=module.room[1])
        if name.split(".")[2] not in DOORS
    ]
    assert trespassers == []


def is_foreign_slice(target: list[str], *, home: str) -> bool:
    return len(target) > 2 and target[0] == "server" and target[1] not in FOUNDATIONS | {home}


def test_every_slice_has_its_floor_in_the_import_contract() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf8")
    contract = config["importlinter:contract:house"]["layers"]
    floors = set(re.findall(r"server\.(\w+)", contract))
    slices = {path.parent.name for path in (ROOT / "server").glob("*/__init__.py")}

    assert slices - floors == set()


def test_no_file_grows_too_long() -> None:
    everything = modules(*BOXES, "tests", "tools", "benchmarks")
    too_long = [
        f"{m.path}: {m.lines} lines"
        for m in everything
        if m.lines > LONGEST_FILE and "/migrations/versions/" not in m.path
    ]

    assert too_long == []


def test_no_function_grows_too_long() -> None:
    too_long = [
        f"{module.path}:{node.lineno} {node.name}: {length} lines"
        for module in modules(*BOXES, "tools", "benchmarks")
        # A migration tells one story from top to bottom.
        if "/migrations/versions/" not in module.path
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]

    assert too_long == []


def test_every_module_says_what_it_is_for() -> None:
    everything = modules(*BOXES, "tests", "tools", "benchmarks")

    assert [m.path for m in everything if m.tree.body and not ast.get_docstring(m.tree)] == []


def test_no_business_code_commits() -> None:
    commits = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        if module.room[-1] in BUSINESS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]

    assert commits == []


def test_sentences_for_the_catalogue_are_written_out() -> None:
    """A sentence put together at run time is in no catalogue."""
    hidden = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        if module.path != "server/core/i18n.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        for sentence in node.args[: TRANSLATING.get(node.func.id, 0)]
        if isinstance(sentence, ast.JoinedStr | ast.BinOp | ast.Call)
    ]

    assert hidden == []


def test_the_packages_of_the_house_are_ours() -> None:
    """Three of them share their name with somebody else's distribution."""
    for box in BOXES:
        imported = importlib.import_module(box)
        assert Path(str(imported.__file__)).is_relative_to(ROOT), imported
