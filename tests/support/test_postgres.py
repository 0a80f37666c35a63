"""The PostgreSQL of the tests itself."""

import os
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import Cluster, NoPostgres, server_programs


def connect(cluster: Cluster, name: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=str(cluster.folder), user="daftar", dbname=name, autocommit=True)


def test_the_server_never_runs_as_root(postgres_cluster: Cluster) -> None:
    owner = Path(f"/proc/{postgres_cluster.process.pid}").stat().st_uid

    assert owner != 0
    assert os.geteuid() in {0, owner}


def test_a_copy_has_what_its_template_has_and_a_life_of_its_own(postgres_cluster: Cluster) -> None:
    template = postgres_cluster.create_database()
    with connect(postgres_cluster, template) as session:
        session.execute("CREATE TABLE cast_list (name text)")

    copy = postgres_cluster.create_database(template)
    with connect(postgres_cluster, copy) as session:
        session.execute("INSERT INTO cast_list VALUES ('Anna')")

    with connect(postgres_cluster, template) as session:
        assert session.execute("SELECT count(*) FROM cast_list").fetchone() == (0,)


def test_a_machine_without_postgresql_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.support.postgres.DEBIAN_VERSIONS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoPostgres, match="package 'postgresql'"):
        server_programs()
