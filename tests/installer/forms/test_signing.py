"""Who may sign, what a signature covers, and what happens when something is altered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer.forms.form import Signature
from installer.forms.rules import is_complete
from installer.forms.seal import Signer, broken_signatures, verify
from installer.forms.signing import sign
from installer.forms.wording import FormError
from tests.installer.forms.cast import Delivery


def test_an_incomplete_form_cannot_be_signed_and_says_what_is_missing(delivery: Delivery) -> None:
    form = delivery.filled("CL-OJ-05")
    form = replace(form, answers=tuple(a for a in form.answers if a.item != "trained_on"))

    with pytest.raises(FormError) as refusal:
        sign(form, "expert_signature", signer=delivery.amir, key=delivery.key, at=delivery.now)

    assert refusal.value.code == "incomplete"
    assert "Last training session on: not filled in" in refusal.value.sentence("en")


def test_only_the_named_representative_signs_for_the_buyer(delivery: Delivery) -> None:
    form = delivery.filled("CL-OJ-05")

    with pytest.raises(FormError) as refusal:
        sign(
            form,
            "representative_signature",
            signer=Signer("Sara Ahmadi", "Accountant"),
            key=delivery.key,
            at=delivery.now,
        )

    assert refusal.value.code == "wrong_signer"


def test_the_representatives_name_may_be_typed_with_arabic_letters(delivery: Delivery) -> None:
    form = delivery.filled("CL-OJ-05")
    maryam = Signer("مريم  رضايي", "مدیر")

    signed = sign(
        form, "representative_signature", signer=maryam, key=delivery.key, at=delivery.now
    )

    assert signed.signature("representative_signature") is not None


def test_a_slot_is_signed_once(delivery: Delivery) -> None:
    with pytest.raises(FormError) as refusal:
        sign(
            delivery.checklist(),
            "expert_signature",
            signer=delivery.amir,
            key=delivery.key,
            at=delivery.now,
        )

    assert refusal.value.code == "slot_taken"


def test_signatures_hold_on_an_untouched_form(delivery: Delivery) -> None:
    verify(delivery.checklist())


def test_altering_an_answer_breaks_the_signatures(delivery: Delivery) -> None:
    form = delivery.checklist()
    altered = replace(form, answers=(replace(form.answers[0], value="Another"), *form.answers[1:]))

    assert set(broken_signatures(altered)) == {"expert_signature", "representative_signature"}
    assert not is_complete(altered)
    with pytest.raises(FormError, match="altered"):
        verify(altered)


@pytest.mark.parametrize(
    "alter",
    [
        lambda mark: replace(mark, name="other"),
        lambda mark: replace(mark, role="other"),
        lambda mark: replace(mark, slot="manager_signature"),
        lambda mark: replace(mark, picture=b"other"),
        lambda mark: replace(mark, at=mark.at + timedelta(days=1)),
    ],
)
def test_altering_the_signer_breaks_the_signature(
    delivery: Delivery, alter: Callable[[Signature], Signature]
) -> None:
    form = delivery.checklist()
    first, second = form.signatures

    assert len(broken_signatures(replace(form, signatures=(alter(first), second)))) == 1


def test_altering_a_visit_report_breaks_its_approval(delivery: Delivery) -> None:
    form = delivery.checklist()
    altered = replace(form, visits=(replace(form.visits[0], report="Nothing was done"),))

    assert "visit:1" in broken_signatures(altered)


def test_a_signature_cannot_be_moved_to_another_delivery(delivery: Delivery) -> None:
    moved = replace(delivery.checklist(), reference="lic_02")

    assert len(broken_signatures(moved)) == 3


def test_a_foreign_key_is_found_when_the_keys_are_known(delivery: Delivery) -> None:
    form = delivery.checklist()
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    verify(form, {"expert_signature": delivery.key.public_key().public_bytes_raw()})
    with pytest.raises(FormError) as refusal:
        verify(form, {"expert_signature": other})
    assert refusal.value.code == "key_not_trusted"


def test_a_drawn_signature_must_be_a_small_png(delivery: Delivery) -> None:
    form = delivery.filled("CL-OJ-05")

    with pytest.raises(FormError) as refusal:
        sign(
            form,
            "expert_signature",
            signer=replace(delivery.amir, picture=b"<svg/>"),
            key=delivery.key,
            at=delivery.now,
        )

    assert refusal.value.code == "bad_picture"
