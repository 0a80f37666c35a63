"""The sources of the house, for rules that read them."""

import ast
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOXES = ("server", "licensing", "client_web", "backup", "installer")
NOT_OURS = {"node_modules", "static", "build", "__pycache__"}


@dataclass(frozen=True)
class Module:
    """One Python file: its path below the root, its lines and its tree."""

    path: str
    lines: int
    tree: ast.Module

    @property
    def room(self) -> list[str]:
        """Return the folders and the name of the file, without its ending."""
        return self.path.removesuffix(".py").split("/")


def modules(*folders: str) -> tuple[Module, ...]:
    """Return every Python file of the folders, by default of the five boxes."""
    return tuple(read(path) for folder in folders or BOXES for path in python_files(folder))


def python_files(folder: str) -> Iterator[Path]:
    """Yield the Python files below a folder of the root, in order of their names."""
    for place, folders, files in os.walk(ROOT / folder):
        # Not even looked into: the front end's packages alone are ten thousand files.
        folders[:] = sorted(name for name in folders if name not in NOT_OURS)
        yield from (Path(place) / name for name in sorted(files) if name.endswith(".py"))


@cache
def read(path: Path) -> Module:
    """Read one Python file, once for all rules."""
    source = path.read_text(encoding="utf8")
    return Module(path.relative_to(ROOT).as_posix(), source.count("\n"), ast.parse(source))


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Yield what the code imports when it runs; imports for the type checker do not count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imported_names(node)


@cache
def committed_files() -> tuple[str, ...]:
    """Return the paths of every file that is kept in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return tuple(path for path in listed.stdout.split("\0") if (ROOT / path).is_file())
