"""The chosen database, on a real server where one is needed."""

from dataclasses import replace

from installer.checks import Status
from installer.preflight.database import database, judge_postgresql
from installer.preflight.plan import PreflightPlan


def test_the_sqlite_of_this_python_can_search(plan: PreflightPlan) -> None:
    assert database(plan).status is Status.PASS


def test_a_running_postgresql_passes(plan: PreflightPlan, empty_postgres_url: str) -> None:
    finding = database(replace(plan, database_url=empty_postgres_url))

    assert finding.status is Status.PASS
    assert finding.detail.startswith("PostgreSQL")


def test_a_missing_database_fails_without_telling_the_password(
    plan: PreflightPlan, empty_postgres_url: str
) -> None:
    url = f"postgresql+psycopg://daftar:geheim@127.0.0.1:{plan.port}/daftar"

    finding = database(replace(plan, database_url=url))

    assert finding.status is Status.FAIL
    assert "geheim" not in finding.detail + finding.fix


def test_an_address_that_is_none_fails(plan: PreflightPlan) -> None:
    assert database(replace(plan, database_url="postgresql")).status is Status.FAIL


def test_version_encoding_rights_and_search_are_judged() -> None:
    def judged(
        version: int = 15, encoding: str = "UTF8", *, create: bool = True, trigrams: bool = True
    ) -> Status:
        return judge_postgresql(version, encoding, may_create=create, trigrams=trigrams).status

    assert judged() is Status.PASS
    assert judged(14) is Status.FAIL
    assert judged(encoding="SQL_ASCII") is Status.FAIL
    assert judged(create=False) is Status.FAIL
    assert judged(trigrams=False) is Status.FAIL
