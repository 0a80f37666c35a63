"""What a check-in costs the authority with a thousand licences and with a million (licensing.md §12).

A few hundred licences check in; the others are there, filled in by COPY, and must not be felt. Measured
is the CPU of the authority and of its database, which other work on the machine disturbs least.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.bench_check_ins import (
    activate,
    at_once,
    check_in,
    durable_postgres,
    fleet,
    serving,
)
from benchmarks.result import Beside, Result, at_most
from tests.licensing.authority.stage import Program, Vendor
from tests.licensing.authority.stranger import Stranger
from tests.support.postgres import Cluster

FEW, MANY = 1_000, 1_000_000
CALLING = 200
ROUNDS = 4
TURNS = 2  # of everybody, a round
GOAL_GROWTH = 1.2
GOAL_BYTES = 2_048
TICK_MS = 1_000 / os.sysconf("SC_CLK_TCK")

# What a check-in asks, as the log of slow statements would show it; each must find its rows by an index.
STATEMENTS = (
    "SELECT id FROM activations WHERE activation_id = 'act_{name}'",
    "SELECT licenses.id FROM licenses JOIN activations ON activations.license_row_id = licenses.id"
    " WHERE licenses.id = {row} AND activations.id = {row} FOR UPDATE",
    "SELECT is_abandoned FROM heads WHERE activation_row_id = {row} AND nonce = '{name}'",
    "UPDATE activations SET head_seq = 7 WHERE id = {row}",
    "SELECT answer FROM kept_answers WHERE request_hash = '{name}'",
    "SELECT id FROM licenses WHERE code_id = '{name}' FOR UPDATE",
    "SELECT id FROM flags WHERE license_row_id = {row} AND kind = 'behind' AND resolved_at IS NULL",
    "SELECT activation_row_id FROM activation_components WHERE name = 'a' AND value = '{name}'",
)


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds of one check-in: of the authority's processes, and of the database's."""

    authority: float
    database: float

    @property
    def whole(self) -> float:
        """Return both together."""
        return self.authority + self.database


def run(size: float) -> list[Result]:
    """Measure at both sizes in one database, and hold every plan against its index."""
    many = max(FEW * 2, round(MANY * size))
    calling = max(10, min(CALLING, round(CALLING * size * 10)))
    with (
        TemporaryDirectory() as folder,
        durable_postgres() as cluster,
        serving(Path(folder), cluster.url(cluster.create_database())) as (vendor, program),
    ):
        customers = fleet(vendor, calling)
        at_once(customers, activate)
        servers = [server for server, _code in customers]
        fill(vendor, FEW - calling)
        at_once(servers, check_in)  # warm
        small = costs(program, cluster, servers)
        fill(vendor, many - FEW)
        check_plans(vendor)
        at_once(servers, check_in)
        large = costs(program, cluster, servers)
    growth = median(one.whole for one in large) / median(one.whole for one in small)
    cpu = median(one.authority for one in large)
    beside = Beside(
        f"CPU of a check-in with {FEW} licences", round(median(one.whole for one in small), 2), "ms"
    )
    return [
        at_most(
            f"check-in, growth from {FEW} to {many} licences",
            growth,
            "times",
            goal=GOAL_GROWTH,
            beside=beside,
        ),
        at_most(f"check-in, CPU of the authority with {many} licences", cpu, "ms", goal=4.0),
        at_most("check-in, bytes of a message", message_bytes(servers), "bytes", goal=GOAL_BYTES),
    ]


def message_bytes(servers: Sequence[Stranger]) -> int:
    """Return the size of the longest request or answer of an ordinary day."""
    return max(len(part) for server in servers for part in (server.last_request, server.lease_raw))


def costs(program: Program, cluster: Cluster, servers: Sequence[Stranger]) -> list[Cost]:
    """Return what a check-in costs, once for each round."""
    found = []
    for _round in range(ROUNDS):
        before = spent(program, cluster)
        at_once([*servers] * TURNS, check_in)
        after = spent(program, cluster)
        count = TURNS * len(servers)
        found.append(
            Cost(
                (after[0] - before[0]) / count,
                (after[1] - before[1]) / count,
            )
        )
    return found


def spent(program: Program, cluster: Cluster) -> tuple[float, float]:
    """Return the CPU milliseconds that the authority and the database server have taken so far."""
    own = sum(cpu_of(pid) for pid in program.children())
    server = cluster.process.pid
    return own, cpu_of(server) + sum(cpu_of(pid) for pid in children_of(server))


def cpu_of(pid: int) -> float:
    """Return the CPU milliseconds of a process and of its children that have ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    fields = told.rpartition(")")[2].split()
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) * TICK_MS


def children_of(pid: int) -> list[int]:
    """Return the processes that this one has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def connected(vendor: Vendor) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """Give a plain connection to the authority's database."""
    url = vendor.settings.database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def fill(vendor: Vendor, count: int) -> None:
    """Add so many licences with an activation each, as copies of one that checks in."""
    with connected(vendor) as connection:
        for table, changed in COPIES.items():
            connection.execute(copying(connection, table, changed), {"count": count})
        for table in COPIES:
            if table in ("licenses", "activations"):
                connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608 - our own names
                )
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")


# How each copy differs from what it is a copy of; `n` counts above every row there is.
COPIES = {
    "licenses": {
        "id": "n",
        "license_id": "'lic_copy_' || n",
        "code_id": "'c' || n",
        "serial_floor": "0",
    },
    "activations": {
        "id": "n",
        "activation_id": "'act_copy_' || n",
        "license_row_id": "n",
        "head_nonce": "md5(n::text)",
    },
    "activation_components": {"activation_row_id": "n", "value": "md5(n::text || name)"},
    "kept_answers": {"request_hash": "md5(n::text)"},
}
_OF_ONE = {
    "licenses": "WHERE id = (SELECT min(id) FROM licenses)",
    "activations": "WHERE id = (SELECT min(id) FROM activations)",
    "activation_components": "WHERE activation_row_id = (SELECT min(id) FROM activations)",
    "kept_answers": "WHERE request_hash = (SELECT min(request_hash) FROM kept_answers)",
}


def copying(
    connection: "psycopg.Connection[tuple[object, ...]]", table: str, changed: dict[str, str]
) -> str:
    """Return the statement that copies one row of a table many times over."""
    names = [
        str(row[0])
        for row in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
    ]
    values = ", ".join(changed.get(name, f"one.{name}") for name in names)
    start = {
        "licenses": "(SELECT max(id) FROM licenses)",
        "activations": "(SELECT max(license_row_id) FROM activations)",
        "activation_components": "(SELECT max(activation_row_id) FROM activation_components)",
        "kept_answers": "(SELECT count(*) FROM kept_answers) + 1000000000",
    }[table]
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values}"  # noqa: S608 - our own names
        f" FROM (SELECT * FROM {table} {_OF_ONE[table]}) one,"
        f" (SELECT {start} + k AS n FROM generate_series(1, %(count)s) k) numbers"
    )


def check_plans(vendor: Vendor) -> None:
    """Raise AssertionError when a statement of the protocol reads a table from end to end."""
    with connected(vendor) as connection:
        found = connection.execute("SELECT max(id) FROM activations").fetchone()
        row = found[0] if found else 0
        for statement in STATEMENTS:
            asked = "EXPLAIN " + statement.format(row=row, name=f"copy_{row}")
            plan = "\n".join(str(line[0]) for line in connection.execute(asked.encode()))
            scans = re.findall(r"Seq Scan on (\w+)", plan)
            if [table for table in scans if table in COPIES]:
                raise AssertionError(f"No index serves: {statement}\n{plan}")
