"""What makes a company, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.companies.rules import CompanyDraft, check_parent, checked, name_key
from server.core.errors import Invalid


def test_a_draft_is_kept_in_one_form() -> None:
    kept = checked(
        CompanyDraft(
            name="  Pars \t Steel ",
            phones=("۰۲۱۸۸۸۸۷۷۷۷", "+98 21 8888 7777", ""),
            emails=("a@pars.example", "A@pars.example"),
            website="pars.example",
            annual_revenue=None,
            revenue_currency="usd",
        ),
        2026,
    )

    assert kept.name == "Pars Steel"
    assert kept.phones == ("+982188887777",)
    assert kept.emails == ("a@pars.example",)
    assert kept.website == "https://pars.example"
    assert kept.revenue_currency is None


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        checked(CompanyDraft(name="", phones=("12",), founded_year=2027, annual_revenue=-1), 2026)

    assert {error.field for error in refusal.value.errors} == {
        "name",
        "phones",
        "founded_year",
        "annual_revenue",
        "revenue_currency",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [("شركت پارس", "شرکت‌پارس"), ("CANCITY", "cancity"), ("Café 12", "cafe ۱۲")],
)
def test_names_that_read_the_same_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@given(st.text(min_size=1).filter(str.strip))
def test_no_name_has_an_empty_key(name: str) -> None:
    assert name_key(name)


def test_a_company_is_not_its_own_ancestor() -> None:
    above = {2: 3, 3: None, 5: 6, 6: 5}

    check_parent(1, 2, above)
    check_parent(1, None, above)
    check_parent(1, 5, above)  # a circle elsewhere does not hang the check
    for parent in (1, 4):
        with pytest.raises(Invalid):
            check_parent(1, parent, {4: 1})
