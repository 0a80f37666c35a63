"""Who is asking, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.core.errors import NotAllowed
from server.core.i18n import gettext as _

_words: dict[str, str] = {}


def name_permissions(words: Mapping[str, str]) -> None:
    """Let refusals name permissions by these marked words; the floor of users knows them."""
    _words.update(words)


@dataclass(frozen=True)
class Actor:
    """The person, service account or job behind a change. `user_id` is None for the system itself."""

    user_id: int | None
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    locale: str = "en"
    email: str = ""
    all_powerful: bool = False

    def may(self, permission: str) -> bool:
        """Tell whether this actor holds the permission."""
        return self.all_powerful or permission in self.permissions

    def must(self, permission: str) -> None:
        """Raise NotAllowed unless this actor holds the permission."""
        if not self.may(permission):
            words = _words.get(permission, permission)
            raise NotAllowed(
                _(
                    "You may not do this: it needs the permission “%(permission)s”. "
                    "Ask an administrator for a role that has it.",
                    permission=_(words),
                ),
                permission=permission,
            )


SYSTEM = Actor(user_id=None, name="Daftar", all_powerful=True)
