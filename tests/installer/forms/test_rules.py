"""Filling, completeness, the order of the two forms, amendment."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from installer.forms.evidence import record_evidence
from installer.forms.form import Answer, CheckStatus, Form, HostCheck, VisitMode
from installer.forms.rules import (
    add_visit,
    amend,
    fill,
    is_complete,
    missing,
    missing_content,
    open_form,
)
from installer.forms.signing import sign, sign_visit
from installer.forms.wording import FormError
from tests.installer.forms.cast import Delivery

Lacks = Callable[[Form], dict[str, str]]


def test_a_new_checklist_names_everything_it_lacks(delivery: Delivery, why: Lacks) -> None:
    lacking = why(open_form("CL-OJ-05", "lic_01", delivery.now))

    assert lacking["product_version"] == "not_recorded"
    assert lacking["users_trained"] == "unanswered"
    assert lacking["representative_signature"] == "unsigned"
    assert "remarks" not in lacking


def test_what_is_missing_is_said_in_the_readers_language(delivery: Delivery) -> None:
    first = missing(open_form("CL-OJ-05", "lic_01", delivery.now))[0]

    assert first.sentence("en") == "Buyer: not yet recorded by the system"
    assert first.sentence("fa") == "خریدار: هنوز توسط سامانه ثبت نشده"
    assert first.sentence("fr").startswith("Acheteur : ")


def test_a_checklist_is_complete_when_all_is_done_and_both_have_signed(delivery: Delivery) -> None:
    assert is_complete(delivery.checklist())


def test_an_item_that_is_not_done_stays_missing(delivery: Delivery, why: Lacks) -> None:
    form = delivery.filled("CL-OJ-05")

    form = fill(form, [Answer("users_trained", "not_done", "Amir Kazemi", delivery.now)])

    assert why(form)["users_trained"] == "not_done"


def test_a_failed_check_of_the_host_keeps_the_checklist_open(
    delivery: Delivery, why: Lacks
) -> None:
    failed = (HostCheck("memory", "Memory", CheckStatus.FAIL, "1 GiB"),)
    form = delivery.filled("CL-OJ-05")

    form = record_evidence(form, replace(delivery.evidence(), host_checks=failed), delivery.now)

    assert why(form)["host_checks"] == "failed_checks"


def test_people_cannot_write_what_the_system_records(delivery: Delivery) -> None:
    form = open_form("CL-OJ-05", "lic_01", delivery.now)

    with pytest.raises(FormError) as refusal:
        fill(form, [Answer("product_version", "9.9", "Amir Kazemi", delivery.now)])

    assert refusal.value.code == "system_item"


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("users_trained", "yes"),
        ("users_trained", "not_applicable"),
        ("mail_set", "not_applicable"),  # allowed, but only with a note
        ("started_on", "1404/09/01"),
        ("started_on", "20261120"),
        ("expert", "   "),
        ("expert", "x" * 4001),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(delivery: Delivery, item: str, value: str) -> None:
    form = open_form("CL-OJ-05", "lic_01", delivery.now)

    with pytest.raises(FormError) as refusal:
        fill(form, [Answer(item, value, "Amir Kazemi", delivery.now)])

    assert refusal.value.code == "bad_value"


def test_an_item_may_be_skipped_with_a_note_where_the_form_allows_it(
    delivery: Delivery, why: Lacks
) -> None:
    skipped = Answer("mail_set", "not_applicable", "Amir Kazemi", delivery.now, note="No relay")

    form = fill(delivery.filled("CL-OJ-05"), [skipped])

    assert "mail_set" not in why(form)


def test_new_evidence_keeps_what_is_not_known_this_time(delivery: Delivery) -> None:
    form = delivery.filled("CL-OJ-05")

    form = record_evidence(form, replace(delivery.evidence(), host_name="", seats=50), delivery.now)

    assert form.answer("host_name") == delivery.filled("CL-OJ-05").answer("host_name")
    seats = form.answer("seats")
    assert seats is not None
    assert seats.value == "50"


def test_reservations_are_required_only_when_the_buyer_has_some(
    delivery: Delivery, why: Lacks
) -> None:
    form = delivery.acceptance()
    reserved = Answer("decision", "with_reservations", "مریم رضایی", delivery.now)

    assert "reservations" not in why(form)
    assert why(fill(form, [reserved]))["reservations"] == "unanswered"


def test_a_visit_on_site_waits_for_the_representative(delivery: Delivery, why: Lacks) -> None:
    form = add_visit(delivery.filled("CL-OJ-05"), delivery.visit())

    assert why(form)["visit:1"] == "unsigned"
    signed = sign_visit(form, 1, signer=delivery.maryam, key=delivery.key, at=delivery.now)
    assert "visit:1" not in why(signed)


def test_remote_work_may_be_recorded_and_need_not_be_signed(delivery: Delivery) -> None:
    form = add_visit(delivery.filled("CL-OJ-05"), delivery.visit(mode=VisitMode.REMOTE))

    assert missing_content(form) == ()


def test_a_signed_visit_report_stays_as_it_is(delivery: Delivery) -> None:
    form = add_visit(delivery.filled("CL-OJ-05"), delivery.visit())
    form = sign_visit(form, 1, signer=delivery.maryam, key=delivery.key, at=delivery.now)

    with pytest.raises(FormError) as refusal:
        add_visit(form, replace(delivery.visit(), report="Something else"))

    assert refusal.value.code == "visit_signed"


def test_the_acceptance_does_not_open_without_a_checklist(delivery: Delivery) -> None:
    with pytest.raises(FormError) as refusal:
        open_form("FO-OJ-21", "lic_01", delivery.now)

    assert refusal.value.code == "not_open"


def test_the_acceptance_names_what_the_checklist_still_lacks(delivery: Delivery) -> None:
    unsigned = delivery.filled("CL-OJ-05")

    with pytest.raises(FormError) as refusal:
        open_form("FO-OJ-21", "lic_01", delivery.now, prerequisites=[unsigned])

    assert refusal.value.code == "not_open"
    assert "For the buyer: not signed" in refusal.value.sentence("en")


def test_a_checklist_of_another_delivery_opens_nothing(delivery: Delivery) -> None:
    with pytest.raises(FormError) as refusal:
        open_form("FO-OJ-21", "lic_02", delivery.now, prerequisites=[delivery.checklist()])

    assert refusal.value.code == "not_open"


def test_the_acceptance_records_which_checklist_it_rests_on(delivery: Delivery) -> None:
    checklist = delivery.checklist()

    form = open_form("FO-OJ-21", "lic_01", delivery.now, prerequisites=[checklist])

    recorded = form.answer("checklist_hash")
    assert recorded is not None
    assert recorded.value == checklist.content_hash


def test_a_signed_form_is_never_edited(delivery: Delivery) -> None:
    form = delivery.checklist()

    with pytest.raises(FormError) as refusal:
        fill(form, [Answer("expert", "Someone", "Amir Kazemi", delivery.now)])

    assert refusal.value.code == "already_signed"


def test_an_amendment_is_a_new_version_that_names_the_old_one(delivery: Delivery) -> None:
    form = delivery.checklist()

    amended = amend(form, "Wrong training date", delivery.now)

    assert (amended.version, amended.amends) == (2, form.content_hash)
    assert amended.answers == form.answers
    assert amended.signatures == ()


def test_an_amendment_needs_a_reason_and_a_signed_form(delivery: Delivery) -> None:
    with pytest.raises(FormError, match="reason"):
        amend(delivery.checklist(), " ", delivery.now)
    with pytest.raises(FormError, match="not signed yet"):
        amend(delivery.filled("CL-OJ-05"), "Why not", delivery.now)


def test_an_acceptance_cannot_be_signed_on_a_checklist_that_changed(delivery: Delivery) -> None:
    checklist = delivery.checklist()
    form = delivery.filled("FO-OJ-21", checklist)
    amended = amend(checklist, "Wrong training date", delivery.now)
    for slot, signer in (
        ("expert_signature", delivery.amir),
        ("representative_signature", delivery.maryam),
    ):
        amended = sign(amended, slot, signer=signer, key=delivery.key, at=delivery.now)

    with pytest.raises(FormError) as refusal:
        sign(
            form,
            "manager_signature",
            signer=delivery.amir,
            key=delivery.key,
            at=delivery.now,
            prerequisites=[amended],
        )

    assert refusal.value.code == "checklist_changed"
