"""What is no web address is refused, whatever it does to a browser."""

import pytest

from server.core.contact import clean_phone, clean_website
from server.core.errors import Invalid


def test_an_address_gets_its_scheme_and_keeps_its_port() -> None:
    assert clean_website("pars.example:8443/a") == "https://pars.example:8443/a"


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "mailto:a@b.example", "ftp://pars.example"]
)
def test_what_is_no_address_of_a_site_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        clean_website(text)


def test_numbers_in_a_refusal_keep_their_direction() -> None:
    with pytest.raises(Invalid) as refused:
        clean_phone("12")

    for number in ("12", "021 8888 7777", "+49 30 901820"):
        assert f"\u2066{number}\u2069" in refused.value.message
