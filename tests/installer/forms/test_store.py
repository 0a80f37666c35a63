"""Forms on disk: a chain of files, each written whole, none rewritten."""

from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from installer.forms.form import Form
from installer.forms.rules import amend, open_form
from installer.forms.store import FormStore
from installer.forms.wording import FormError
from tests.installer.forms.cast import NOW, Delivery


@pytest.fixture
def store(tmp_path: Path) -> FormStore:
    return FormStore(tmp_path / "forms")


def published(store: FormStore, *forms: Form) -> None:
    for number, form in enumerate(forms):
        store.publish(form, after=number)


def test_what_was_published_is_read_back(store: FormStore, delivery: Delivery) -> None:
    published(store, delivery.filled("CL-OJ-05"), delivery.checklist())

    latest = store.latest("CL-OJ-05")

    assert latest is not None
    assert latest.number == 2
    assert len(latest.form.signatures) == 2


def test_a_form_that_was_never_opened_has_no_history(store: FormStore) -> None:
    assert store.latest("FO-OJ-21") is None
    assert store.forms("CL-OJ-05") == ()


def test_each_revision_names_the_hash_of_the_one_before(
    store: FormStore, delivery: Delivery
) -> None:
    published(store, delivery.filled("CL-OJ-05"), delivery.checklist())

    first, second = store.history("CL-OJ-05")

    assert first.previous == ""
    assert second.previous == first.digest


def test_all_versions_stay_readable_after_an_amendment(
    store: FormStore, delivery: Delivery
) -> None:
    signed = delivery.checklist()

    published(store, delivery.filled("CL-OJ-05"), signed, amend(signed, "Wrong date", NOW))

    assert [each.form.version for each in store.versions("CL-OJ-05")] == [1, 2]
    assert store.versions("CL-OJ-05")[0].form == signed


def test_a_signed_version_cannot_be_replaced(store: FormStore, delivery: Delivery) -> None:
    signed = delivery.checklist()
    published(store, signed)

    with pytest.raises(FormError) as refusal:
        store.publish(replace(signed, signatures=()), after=1)

    assert refusal.value.code == "bad_succession"


def test_a_signed_visit_cannot_be_dropped_from_a_draft(
    store: FormStore, delivery: Delivery
) -> None:
    with_visit = replace(delivery.checklist(), signatures=())
    published(store, with_visit)

    with pytest.raises(FormError, match="visit 1"):
        store.publish(replace(with_visit, visits=()), after=1)


def test_a_stale_writer_is_refused(store: FormStore, delivery: Delivery) -> None:
    published(store, delivery.filled("CL-OJ-05"))

    with pytest.raises(FormError) as refusal:
        store.publish(delivery.filled("CL-OJ-05"), after=0)

    assert refusal.value.code == "changed_meanwhile"


def test_a_changed_file_breaks_the_chain(
    store: FormStore, delivery: Delivery, tmp_path: Path
) -> None:
    published(store, delivery.filled("CL-OJ-05"), delivery.checklist())
    file = tmp_path / "forms" / "CL-OJ-05" / "000001.json"
    file.write_bytes(file.read_bytes().replace(b"crm.lan", b"crm.wan"))

    with pytest.raises(FormError) as refusal:
        store.history("CL-OJ-05")

    assert refusal.value.code == "chain_broken"


def test_a_removed_file_breaks_the_chain(
    store: FormStore, delivery: Delivery, tmp_path: Path
) -> None:
    published(store, delivery.filled("CL-OJ-05"), delivery.checklist())
    (tmp_path / "forms" / "CL-OJ-05" / "000001.json").unlink()

    with pytest.raises(FormError, match="chain"):
        store.history("CL-OJ-05")


def test_leftovers_of_an_interrupted_writer_are_ignored(
    store: FormStore, delivery: Delivery, tmp_path: Path
) -> None:
    published(store, delivery.filled("CL-OJ-05"))
    (tmp_path / "forms" / "CL-OJ-05" / ".000002.cut").write_bytes(b'{"form"')

    assert len(store.history("CL-OJ-05")) == 1


def _open(directory: str, reference: str) -> str:
    try:
        FormStore(Path(directory)).publish(open_form("CL-OJ-05", reference, NOW), after=0)
    except FormError as error:
        return error.code
    return "won"


def test_of_many_writers_at_once_exactly_one_wins(store: FormStore, tmp_path: Path) -> None:
    with get_context("spawn").Pool(4) as pool:
        tasks = [(str(tmp_path / "forms"), f"lic_{number}") for number in range(8)]
        answers = pool.starmap(_open, tasks)

    assert sorted(answers) == ["changed_meanwhile"] * 7 + ["won"]
    assert len(store.history("CL-OJ-05")) == 1
