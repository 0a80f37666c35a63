"""Signing a form or a visit report: may they, is it complete, then seal it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,  # noqa: TID251 - the caller's key; this room keeps none
)

from installer.forms.definition import FormDefinition, Item
from installer.forms.form import Form
from installer.forms.rules import missing_content, named, refuse_signed, require_prerequisites
from installer.forms.seal import Signer, broken_signatures, seal, visit_digest
from installer.forms.wording import FormError

REPRESENTATIVE = "representative"


def sign(
    form: Form,
    slot: str,
    *,
    signer: Signer,
    key: Ed25519PrivateKey,
    at: datetime,
    prerequisites: Iterable[Form] = (),
) -> Form:
    """Sign the form in a slot, such as `representative_signature`.

    Refused while anything is missing (named in the error), when the slot is taken, when somebody
    else than the named person signs, and when the form it rests on is not signed or has changed.
    """
    item = _slot(form.definition, slot)
    if form.signature(slot) is not None:
        raise FormError("slot_taken", label=item.label)
    _check_basis(form, tuple(prerequisites))
    lacking = missing_content(form)
    if lacking:
        raise FormError("incomplete", code=form.code, missing=named(lacking))
    for broken in broken_signatures(form):
        raise FormError("signature_broken", slot=broken, code=form.code)
    _check_signer(form, item.signer, item, signer)
    signature = seal(form, slot, form.content_hash, signer=signer, key=key, at=at)
    return replace(form, signatures=(*form.signatures, signature))


def sign_visit(
    form: Form, number: int, *, signer: Signer, key: Ed25519PrivateKey, at: datetime
) -> Form:
    """Approve the work report of a visit as the buyer's representative (R-DEP-1)."""
    refuse_signed(form)
    visit = form.visit(number)
    if visit is None:
        raise FormError("unknown_visit", number=number)
    if visit.signature is not None:
        raise FormError("visit_signed", number=number)
    _check_signer(form, REPRESENTATIVE, form.definition.item(REPRESENTATIVE), signer)
    signature = seal(form, visit.slot, visit_digest(visit), signer=signer, key=key, at=at)
    signed = replace(visit, signature=signature)
    return replace(
        form,
        visits=tuple(signed if other.number == number else other for other in form.visits),
    )


def _slot(definition: FormDefinition, slot: str) -> Item:
    for item in definition.signatures():
        if item.id == slot:
            return item
    known = ", ".join(item.id for item in definition.signatures())
    raise FormError("unknown_slot", code=definition.code, slot=slot, known=known)


def _check_basis(form: Form, prerequisites: tuple[Form, ...]) -> None:
    definition = form.definition
    require_prerequisites(definition, form.reference, prerequisites)
    for other in prerequisites:
        recorded = form.answer("checklist_hash")
        if other.code == definition.requires and (
            recorded is None or recorded.value != other.content_hash
        ):
            raise FormError("checklist_changed", code=form.code, required=definition.requires)


def _check_signer(form: Form, named_in: str, place: Item, signer: Signer) -> None:
    if not named_in:
        return
    answer = form.answer(named_in)
    if answer is None:
        raise FormError("no_representative", label=form.definition.item(named_in).label)
    if _plain(answer.value) != _plain(signer.name):
        raise FormError("wrong_signer", label=place.label, expected=answer.value, name=signer.name)


def _plain(name: str) -> str:
    # The same Persian name may be typed with Arabic letters, half-spaces or double spaces.
    text = unicodedata.normalize("NFKC", name).casefold()
    text = text.replace("ي", "ی").replace("ك", "ک").replace("\u200c", " ")
    return " ".join(text.split())
