"""Names of things that travel: a prefix and random symbols that are easy to read out."""

import secrets

from licensing.document.activation_code import ALPHABET


def new_name(prefix: str, length: int = 10) -> str:
    """Return a new random name such as `lic_7Q2M9K4T0B`."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _place in range(length))}"
