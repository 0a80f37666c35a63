"""The stage of the attacks: the real programs, and strangers between them."""

from tests.licensing.authority.conftest import (  # noqa: F401 - fixtures are found by their names
    found_here,
    postgres_vendor,
    sqlite_vendor,
    vendor_here,
)
from tests.licensing.client.conftest import (  # noqa: F401
    client,
    config,
    hands,
    server,
    start,
    vendor,
)
