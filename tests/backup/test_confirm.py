"""The check by a person: kept in a chain that nobody can change, and only for what was proved."""

import json

import pytest

from backup import confirm, journal, report
from backup.confirm import Choice, Person
from backup.plan import Level, State
from server.core.errors import Broken, Conflict, Invalid
from tests.backup.house import House, in_a_process, start

ANNA = Person("1", "Anna")


def confirmed(house: House, choice: Choice = Choice.IN_ORDER) -> str:
    made = house.back_up()
    house.verify(made.id)
    confirm.confirm(house.store, made.id, ANNA, choice, note="", keys=house.keys)
    return made.id


def test_only_a_real_restore_can_be_called_in_order(house: House) -> None:
    made = house.back_up()
    house.verify(made.id, Level.STORE)

    with pytest.raises(Conflict) as refused:
        confirm.confirm(house.store, made.id, ANNA, Choice.IN_ORDER, note="", keys=house.keys)
    confirm.confirm(house.store, made.id, ANNA, Choice.PROBLEM_FOUND, note="odd", keys=house.keys)

    assert refused.value.code == "not_verified"
    assert report.items(house.store, house.keys.trust)[0].state is State.FAILED


def test_who_and_when_stand_in_the_list(house: House) -> None:
    set_id = confirmed(house)

    item = report.items(house.store, house.keys.trust)[0]
    assert (item.id, item.state) == (set_id, State.CONFIRMED)
    assert item.as_json()["confirmed_by"] == "Anna"
    assert str(item.as_json()["confirmed_at"]).endswith("Z")


def test_a_long_note_is_refused(house: House) -> None:
    made = house.back_up()

    with pytest.raises(Invalid):
        confirm.confirm(
            house.store, made.id, ANNA, Choice.PROBLEM_FOUND, note="x" * 2001, keys=house.keys
        )


@pytest.mark.parametrize("field", ["user_name", "at", "set", "choice", "previous", "seq"])
def test_a_changed_line_is_found_and_named(house: House, field: str) -> None:
    for _ in range(3):
        confirmed(house)
    lines = house.store.confirmations.read_text().splitlines()
    entry = json.loads(lines[1])
    entry[field] = 9 if field == "seq" else "somebody else"
    lines[1] = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    house.store.confirmations.write_text("\n".join(lines) + "\n")

    found = confirm.check(house.store, house.keys.trust)

    assert (found.ok, found.broken_line) == (False, 2)
    with pytest.raises(Broken):
        confirmed(house)


def test_a_line_with_a_right_hash_but_no_signature_of_ours_is_found(house: House) -> None:
    confirmed(house)
    journal.append(
        house.store.confirmations,
        {"set": "x", "user_name": "Ben"},
        lambda _content: b"\0" * 64,
    )

    assert confirm.check(house.store, house.keys.trust).broken_line == 2


def test_a_cut_end_is_found_because_later_backups_saw_it(house: House) -> None:
    confirmed(house)
    confirmed(house)
    house.back_up()
    lines = house.store.confirmations.read_text().splitlines()
    house.store.confirmations.write_text(lines[0] + "\n")

    assert not confirm.check(house.store, house.keys.trust).ok


def test_a_line_cut_off_by_a_power_cut_is_laid_aside_and_the_chain_goes_on(house: House) -> None:
    confirmed(house)
    with house.store.confirmations.open("a") as file:
        file.write('{"half": ')

    confirmed(house)

    assert confirm.check(house.store, house.keys.trust).ok
    assert len(confirm.confirmations(house.store)) == 2
    assert list(house.store.folder.glob("verification.jsonl.cut-*"))


def test_many_at_once_each_have_their_line(house: House) -> None:
    made = house.back_up()
    house.verify(made.id)

    def many() -> None:
        for _ in range(10):
            while True:
                try:
                    confirm.confirm(
                        house.store, made.id, ANNA, Choice.IN_ORDER, note="", keys=house.keys
                    )
                    break
                except Conflict:
                    continue

    racing = [start(many) for _ in range(3)]
    assert in_a_process(many) == 0
    for each in racing:
        each.join()

    assert confirm.check(house.store, house.keys.trust).ok
    assert len(confirm.confirmations(house.store)) == 40
