"""The second factor: the app's codes, recovery codes, the secret at rest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from licensing.authority.staff import second_factor
from licensing.authority.staff.models import RecoveryCode, StaffMember
from licensing.authority.staff.queries import get_member
from licensing.authority.staff.sealing import Sealing, open_sealing
from licensing.authority.staff.second_factor import (
    clean_secret,
    keep_secret,
    renew_recovery_codes,
    set_up,
    step_of,
    use_code,
)
from licensing.authority.staff.service import reset_second_factor
from server.core.db import Database
from server.core.errors import Broken, Invalid
from tests.licensing.authority.staff.conftest import add
from tests.support.racing import race

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOON = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
def root(house: Database, sealing: Sealing) -> int:
    """Give an owner whose app knows the secret."""
    root = add(house, "Root")
    with house.write() as session:
        keep_secret(sealing, get_member(session, root), SECRET)
    return root


def code_at(moment: datetime) -> str:
    return pyotp.TOTP(SECRET).at(moment)


def shown(house: Database, sealing: Sealing, root: int, code: str) -> bool:
    with house.write() as session:
        return use_code(session, sealing, get_member(session, root), code)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_clock_that_is_half_a_minute_off_is_forgiven(seconds: int) -> None:
    code = code_at(NOON + timedelta(seconds=seconds))

    assert step_of(SECRET, code, NOON.timestamp()) is not None


@pytest.mark.parametrize("seconds", [-90, 90, 3600])
def test_a_code_of_another_time_is_wrong(seconds: int) -> None:
    code = code_at(NOON + timedelta(seconds=seconds))

    assert step_of(SECRET, code, NOON.timestamp()) is None


def test_persian_digits_and_blanks_are_read(house: Database, sealing: Sealing, root: int) -> None:
    with time_machine.travel(NOON, tick=False):
        typed = code_at(NOON).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))

        assert shown(house, sealing, root, f"{typed[:3]} {typed[3:]}")


def test_a_code_works_once_and_so_do_those_before_it(
    house: Database, sealing: Sealing, root: int
) -> None:
    with time_machine.travel(NOON, tick=False):
        assert shown(house, sealing, root, code_at(NOON)) is True
        assert shown(house, sealing, root, code_at(NOON)) is False
        assert shown(house, sealing, root, code_at(NOON - timedelta(seconds=30))) is False
    with time_machine.travel(NOON + timedelta(seconds=30), tick=False):
        assert shown(house, sealing, root, code_at(NOON + timedelta(seconds=30))) is True


def _show(url: str, key: bytes, root: int, code: str) -> bool:
    database = Database(url)
    try:
        with database.write() as session:
            return use_code(session, Sealing(key), get_member(session, root), code)
    finally:
        database.dispose()


def test_of_those_who_show_one_code_at_once_one_comes_in(
    house: Database, sealing: Sealing, root: int
) -> None:
    code = pyotp.TOTP(SECRET).now()

    let_in = race(house, _show, [(house.url, sealing.key, root, code)] * 4)

    assert sum(map(bool, let_in)) == 1


def test_a_recovery_code_works_once_however_it_is_typed(
    house: Database, sealing: Sealing, root: int
) -> None:
    with house.write() as session:
        codes = renew_recovery_codes(session, sealing, get_member(session, root))

    typed = codes[0].lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert shown(house, sealing, root, typed) is True
    assert shown(house, sealing, root, codes[0]) is False
    with house.read() as session:
        assert second_factor.left(session, get_member(session, root)) == 9


def test_of_those_who_show_one_recovery_code_at_once_one_comes_in(
    house: Database, sealing: Sealing, root: int
) -> None:
    with house.write() as session:
        codes = renew_recovery_codes(session, sealing, get_member(session, root))

    let_in = race(house, _show, [(house.url, sealing.key, root, codes[3])] * 4)

    assert sum(map(bool, let_in)) == 1


def test_new_recovery_codes_kill_the_old_ones(house: Database, sealing: Sealing, root: int) -> None:
    with house.write() as session:
        old = renew_recovery_codes(session, sealing, get_member(session, root))
        renew_recovery_codes(session, sealing, get_member(session, root))

    assert not shown(house, sealing, root, old[0])


def test_neither_secret_nor_codes_can_be_read_from_the_database(
    house: Database, sealing: Sealing, root: int
) -> None:
    with house.write() as session:
        codes = renew_recovery_codes(session, sealing, get_member(session, root))

    with house.read() as session:
        kept = session.scalars(select(StaffMember.totp_sealed)).one() or b""
        hashes = list(session.scalars(select(RecoveryCode.code_hash)))
    assert SECRET.encode() not in kept
    assert not any(code.replace("-", "") in one for code in codes for one in hashes)
    assert Sealing(b"x" * 32).hash(codes[0].replace("-", "")) not in hashes


def test_the_secret_of_one_member_opens_for_no_other(sealing: Sealing) -> None:
    sealed = sealing.seal(SECRET, 1)

    assert sealing.opened(sealed, 1) == SECRET
    with pytest.raises(Broken, match=r"staff\.key"):
        sealing.opened(sealed, 2)
    with pytest.raises(Broken):
        Sealing(b"x" * 32).opened(sealed, 1)


def test_setting_up_needs_a_code_of_the_new_secret(house: Database, sealing: Sealing) -> None:
    root = add(house, "Root")
    fresh = second_factor.new_secret()

    with house.write() as session, pytest.raises(Invalid, match="does not fit"):
        set_up(session, sealing, get_member(session, root), fresh, "000000x")
    with house.write() as session:
        codes = set_up(session, sealing, get_member(session, root), fresh, pyotp.TOTP(fresh).now())
    assert len(set(codes)) == 10
    assert not shown(house, sealing, root, pyotp.TOTP(fresh).now())


def test_a_reset_forgets_secret_and_codes(house: Database, sealing: Sealing, root: int) -> None:
    with house.write() as session:
        codes = renew_recovery_codes(session, sealing, get_member(session, root))
        reset_second_factor(session, "Root", root)

    assert not shown(house, sealing, root, codes[0])


@pytest.mark.parametrize("text", ["", "short", "not base32!!", "JBSWY3DPEHPK3PXP"])
def test_a_weak_secret_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        clean_secret(text)


def test_a_secret_is_read_in_groups() -> None:
    assert clean_secret(" jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp\n") == SECRET


def test_the_home_keeps_the_secret_it_made(tmp_path: Path) -> None:
    first = open_sealing(tmp_path)

    assert open_sealing(tmp_path) == first
    assert (tmp_path / "staff.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["staff.key"]
