"""The delivery every test of this room begins with."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer.forms.form import Form
from installer.forms.rules import missing
from tests.installer.forms.cast import Delivery


@pytest.fixture
def delivery() -> Delivery:
    return Delivery(Ed25519PrivateKey.generate())


@pytest.fixture
def why() -> Callable[[Form], dict[str, str]]:
    """Return what a form lacks as {id: why}."""
    return lambda form: {lack.id: lack.why.value for lack in missing(form)}
