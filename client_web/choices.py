"""What the choices of forms and filters offer: colleagues, and words that are already in use."""

from collections.abc import Iterable

from server.core.text import small_number
from server.http.access import current_actor
from server.http.unit_of_work import current_session
from server.users.queries import names_of, owners


def colleagues(present: object = None) -> list[tuple[int, str]]:
    """Return who can own a record, and who owns it now even without an account any more."""
    session, actor = current_session(), current_actor()
    people = {owner.id: owner.display_name for owner in owners(session, actor)}
    people |= names_of(session, [small_number(present)])
    return list(people.items())


def words(known: Iterable[str], present: str | None = None) -> list[tuple[str, str]]:
    """Return the known words as choices, and the present one even if it is new."""
    return [(word, word) for word in dict.fromkeys([*known, *([present] if present else [])])]
