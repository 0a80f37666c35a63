"""The forms as they are asked."""

import pytest

from installer.forms.definition import (
    ItemKind,
    Party,
    codes,
    definition_of,
    latest,
    parse_definition,
)
from installer.forms.wording import FormError, Text


def every_text(code: str) -> list[Text]:
    definition = latest(code)
    texts = [definition.title, definition.purpose, definition.declaration]
    texts += [section.title for section in definition.sections]
    texts += [item.label for item in definition.items()]
    texts += [option.label for item in definition.items() for option in item.options]
    return texts


def test_the_two_forms_of_the_contract_exist() -> None:
    assert codes() == ("CL-OJ-05", "FO-OJ-21")


@pytest.mark.parametrize("code", codes())
def test_every_text_of_a_form_is_written_in_three_languages(code: str) -> None:
    for text in every_text(code):
        assert all(text.read(locale).strip() for locale in ("fa", "en", "fr"))
        assert text.fa != text.en


@pytest.mark.parametrize("code", codes())
def test_both_parties_sign_and_the_representative_is_one_of_them(code: str) -> None:
    signers = {item.by: item.signer for item in latest(code).signatures()}

    assert set(signers) == {"vendor", "buyer"}
    assert signers[Party.BUYER] == "representative"


def test_the_acceptance_rests_on_the_checklist() -> None:
    assert latest("FO-OJ-21").requires == "CL-OJ-05"


def test_the_version_and_the_licence_are_evidence_of_the_system() -> None:
    checklist = latest("CL-OJ-05")

    assert checklist.item("product_version").kind is ItemKind.EVIDENCE
    assert checklist.item("license_id").by == "system"


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FormError) as refusal:
        latest("CL-99")

    assert refusal.value.code == "unknown_form"
    assert "CL-OJ-05" in refusal.value.sentence("fa")


def test_a_definition_from_the_future_asks_for_an_upgrade() -> None:
    with pytest.raises(FormError, match="Upgrade"):
        definition_of("CL-OJ-05", 99)


@pytest.mark.parametrize(
    "fault", ['kind = "guess"', 'kind = "check"\nstray = 1', 'kind = "evidence"', 'kind = "choice"']
)
def test_a_wrong_definition_is_refused(fault: str) -> None:
    texts = 'fa = "ا", en = "a", fr = "à"'
    source = (
        f'code = "X"\nversion = 1\ntitle = {{{texts}}}\npurpose = {{{texts}}}\n'
        f'declaration = {{{texts}}}\n[[sections]]\nid = "s"\ntitle = {{{texts}}}\n'
        f'[[sections.items]]\nid = "i"\nby = "buyer"\nlabel = {{{texts}}}\n{fault}\n'
    )

    with pytest.raises(FormError) as refusal:
        parse_definition(source)

    assert refusal.value.code == "bad_definition"
