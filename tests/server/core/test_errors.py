"""One family of errors, and one table of codes for each door: none is forgotten."""

import pytest

from server.core import errors
from server.core.command_line import EXIT_CODES, exit_code
from server.http.errors import STATUS, status_of


def family(kind: type[errors.DaftarError] = errors.DaftarError) -> list[type[errors.DaftarError]]:
    own = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [*own, *(grandchild for child in own for grandchild in family(child))]


def made(kind: type[errors.DaftarError]) -> errors.DaftarError:
    if issubclass(kind, errors.TooMany):
        return kind("Slowly.", retry_after=60)
    return kind("A sentence.")


@pytest.mark.parametrize("kind", family(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_code_at_each_door(kind: type[errors.DaftarError]) -> None:
    error = made(kind)

    assert kind in STATUS
    assert kind in EXIT_CODES
    assert status_of(error) in range(400, 600)
    assert exit_code(error) in range(1, 8)
    assert error.code.replace("_", "").isalpha()


def test_the_codes_others_rely_on() -> None:
    assert {kind.__name__: STATUS[kind] for kind in family()} == {
        "NotSignedIn": 401,
        "NotAllowed": 403,
        "NotFound": 404,
        "Invalid": 422,
        "Conflict": 409,
        "Stale": 412,
        "NotLicensed": 402,
        "TooMany": 429,
        "Missing": 503,
        "Unreachable": 503,
        "Broken": 500,
        "Interrupted": 503,
    }
    assert EXIT_CODES[errors.Broken] == 6
    assert EXIT_CODES[errors.NotLicensed] == 4
    assert EXIT_CODES[errors.Invalid] == 2


def test_a_more_special_error_has_the_code_of_its_family() -> None:
    class OfAFeature(errors.NotFound):
        """Something of a feature."""

    assert status_of(OfAFeature("It is not here.")) == 404
    assert exit_code(OfAFeature("It is not here.")) == 2
