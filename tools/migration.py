"""Write the next migration of a chain: what its tables in code have that its newest database lacks.

`python -m tools.migration server "Deals know their campaign"`; the other chain is `authority`. What comes out
is a draft: read it, add what moves data, and run the tests, which hold both databases against the code.
"""

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, Table, inspect

from licensing.authority.db.tables import metadata as authority_tables
from licensing.authority.migrations.run import CHAIN as AUTHORITY
from server.core.db import UtcDateTime, make_engine
from server.core.migration import Chain
from server.migrations.run import CHAIN as SERVER
from server.tables import metadata as server_tables


@dataclass(frozen=True)
class House:
    """A database of ours: its chain of migrations and its tables in code."""

    chain: Chain
    tables: MetaData


HOUSES = {"server": House(SERVER, server_tables), "authority": House(AUTHORITY, authority_tables)}
IMPORTS = {
    "JsonColumn": "from server.core.db import JsonColumn",
    "UtcDateTime": "from server.core.db import UtcDateTime",
    "create_search_index": "from server.core.search_index import create_search_index",
}


def is_ours(thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Leave out what searching keeps beside the tables."""
    of_search = re.compile(r"_search(_\w+)?$|_search_trgm$")
    return kind not in {"table", "index"} or not of_search.search(name or "")


def render(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types by their names."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "UtcDateTime()"
    if kind == "type" and "postgresql" in getattr(thing, "_variant_mapping", {}):
        return "JsonColumn"
    return False


OPTIONS: dict[str, Any] = {
    "compare_type": True,
    "include_object": is_ours,
    "render_item": render,
    "sqlalchemy_module_prefix": "sa.",
    "alembic_module_prefix": "op.",
    "user_module_prefix": None,
    "render_as_batch": True,
}


def body(house: House) -> str:
    """Return the steps from the newest migration to the tables in code."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.sqlite3"
        if house.chain.has_steps():
            house.chain.upgrade(url)
        engine = make_engine(url)
        try:
            with engine.connect() as connection:
                options = {**OPTIONS, "target_metadata": house.tables}
                context = MigrationContext.configure(connection, opts=options)
                found = produce_migrations(context, house.tables)
                known = set(inspect(connection).get_table_names())
        finally:
            engine.dispose()
    if found.upgrade_ops is None:
        return ""
    steps = render_python_code(found.upgrade_ops, migration_context=context, render_item=render)
    return "\n".join([strip(steps), *searching(house.tables, known)])


def strip(steps: str) -> str:
    """Take out the remarks that tell who wrote the draft."""
    return "\n".join(line for line in steps.splitlines() if not line.strip().startswith("#"))


def searching(tables: MetaData, known: set[str]) -> list[str]:
    """Return the steps that index the search text of new tables."""
    fresh: list[Table] = [
        table
        for table in tables.sorted_tables
        if "search_text" in table.columns and table.name not in known
    ]
    return [f'    create_search_index(op.get_bind(), "{table.name}")' for table in fresh]


def write(house: House, message: str) -> Path:
    """Write the draft beside the other migrations and return its path."""
    steps = body(house)
    before = house.chain.head() if house.chain.has_steps() else None
    number = f"{int(before or 0) + 1:04}"
    needed = [line for word, line in IMPORTS.items() if word in steps]
    name = re.sub(r"\W+", "_", message.lower()).strip("_")
    path = house.chain.folder / "versions" / f"{number}_{name}.py"
    path.write_text(
        "\n".join(
            [
                f'"""{message}."""',
                "",
                "import sqlalchemy as sa",
                "from alembic import op",
                "",
                *needed,
                "",
                f'revision = "{number}"',
                f"down_revision = {before!r}",
                "branch_labels = None",
                "depends_on = None",
                "",
                "",
                "def upgrade() -> None:",
                '    """Apply this step."""',
                steps,
                "",
            ]
        ),
        encoding="utf8",
    )
    return path


def main(arguments: list[str]) -> int:
    """Write the draft that the arguments ask for."""
    match arguments:
        case [name, message] if name in HOUSES and message.strip():
            sys.stdout.write(f"{write(HOUSES[name], message.strip())}\n")
            return 0
        case _:
            sys.stderr.write(f'Say: python -m tools.migration {"|".join(HOUSES)} "What changes"\n')
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
