"""A refusal names what is missing in words, and for programs by its code."""

import pytest

from server.core.actor import Actor
from server.core.errors import NotAllowed
from server.users.rules import ALL_PERMISSIONS, PERMISSION_LABELS


def test_every_permission_has_words() -> None:
    assert set(PERMISSION_LABELS) == ALL_PERMISSIONS


def test_a_refusal_names_the_permission_in_words_and_keeps_its_code() -> None:
    with pytest.raises(NotAllowed) as refused:
        Actor(user_id=1, name="Guest").must("imports.run")

    assert "“import files”" in refused.value.message
    assert "imports.run" not in refused.value.message
    assert refused.value.members == {"permission": "imports.run"}
