"""Which column becomes which field: recognised, written as TOML, or refused with the reason."""

import pytest

from server.core.errors import Invalid
from server.exchange.mapping import Mapping, checked, from_json, from_toml, recognised
from server.exchange.rules import ImportKind, Mode


@pytest.mark.parametrize(
    ("kind", "headers", "fields"),
    [
        (
            "companies",
            "account sector year_established revenue employees office_location subsidiary_of",
            "name industry founded_year annual_revenue employees country parent_company",
        ),
        (
            "deals",
            "opportunity_id sales_agent product account deal_stage engage_date close_date close_value",
            "external_id owner product company stage engaged_on closed_on amount",
        ),
        (
            "people",
            "First_Name Surname E-mail Mobile Company",
            "first_name last_name emails phones company",
        ),
        (
            "people",
            "نام نام‌خانوادگی ایمیل موبایل شرکت سمت",
            "first_name last_name emails phones company job_title",
        ),
        ("deals", "عنوان مبلغ مرحله مشتری کارشناس", "title amount stage company owner"),
        ("companies", "Entreprise Ville Pays Téléphone", "name city country phones"),
    ],
)
def test_headers_are_recognised_in_three_languages(kind: str, headers: str, fields: str) -> None:
    found = recognised(ImportKind(kind), tuple(headers.split()))

    assert list(found.columns.values()) == fields.split()


def test_two_columns_can_bring_one_list_but_not_one_line() -> None:
    found = recognised(ImportKind.PEOPLE, ("Name", "Phone", "Mobile", "Full name"))

    assert found.columns == {"Name": "display_name", "Phone": "phones", "Mobile": "phones"}


def test_what_stands_in_brackets_does_not_hide_a_header() -> None:
    found = recognised(ImportKind.DEALS, ("Title", "مبلغ (ریال)"))

    assert found.columns["مبلغ (ریال)"] == "amount"


def test_a_mapping_file_says_it_all() -> None:
    text = """
        key = "external_id"
        mode = "update"
        currency = "EUR"
        [columns]
        "Ref." = "external_id"
        who = "owner_id"
        what = "title"
        [values.stage]
        "in talks" = "Proposal"
        [times]
        amount = 1000
    """
    found = from_toml(text, ImportKind.DEALS, ("Ref.", "who", "what", "amount"))
    found = checked(found, ImportKind.DEALS, ("Ref.", "who", "what", "amount"))

    assert found.columns == {"Ref.": "external_id", "who": "owner", "what": "title"}
    assert (found.key, found.mode, found.currency) == ("external_id", Mode.UPDATE, "EUR")
    assert found.values == {"stage": {"in talks": "Proposal"}}
    assert found.times == {"amount": 1000}
    assert from_json(found.as_json()) == found


def test_without_columns_the_headers_are_recognised_all_the_same() -> None:
    found = from_toml('currency = "USD"', ImportKind.DEALS, ("title", "close_value"))

    assert found.columns == {"title": "title", "close_value": "amount"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[columns", "mapping"),
        ("columns = 3", "mapping"),
        ('[columns]\nnobody = "title"', "columns"),
        ('[columns]\ntitle = "nothing"', "columns"),
        ('[columns]\ntitle = "title"\namount = "title"', "columns"),
        ('[columns]\namount = "amount"', "columns"),
        ('currency = "XYZ"', "currency"),
        ('mode = "all"', "mode"),
        ('key = "name"', "key"),
        ('key = "external_id"', "key"),
        ('dates = "ymd"', "dates"),
        ("create_companies = 1", "mapping"),
        ("[times]\namount = 0", "times"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_at_its_field(text: str, field: str) -> None:
    headers = ("title", "amount")

    with pytest.raises(Invalid) as refusal:
        checked(from_toml(text, ImportKind.DEALS, headers), ImportKind.DEALS, headers)

    assert refusal.value.field == field or refusal.value.errors[0].field == field


@pytest.mark.parametrize(
    ("kind", "fields", "key"),
    [
        ("companies", ["name"], "name"),
        ("companies", ["name", "external_id"], "external_id"),
        ("people", ["last_name", "phones", "emails"], "emails"),
        ("people", ["last_name"], "row"),
        ("deals", ["title"], "row"),
    ],
)
def test_a_record_is_known_by_the_best_key_there_is(kind: str, fields: list[str], key: str) -> None:
    mapping = Mapping({name: name for name in fields})

    assert mapping.key_for(ImportKind(kind)) == key
