"""What rows name and records refer to: colleagues, companies, stages. Finding them reads, making them writes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from server.companies import service as companies
from server.companies.queries import companies_by_name
from server.core.actor import Actor
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import fold
from server.exchange.models import ImportExtra
from server.exchange.stages import Stages
from server.users import service as users
from server.users.queries import visible_to as visible_users

# Whom a name means first when two have it: somebody who works here, then who did.
_RANK = {"active": 0, "invited": 1, "deactivated": 2, "former": 3}


@dataclass(frozen=True)
class New:
    """Something that a row names and that is not there yet."""

    name: str


Reference = int | New | None


class Owners:
    """Finds colleagues by address or name."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._found: dict[str, int] = {}
        self._doubtful: set[str] = set()
        self._answers: dict[str, Reference] = {}
        ranks: dict[str, int] = {}
        for user in session.scalars(visible_users(actor)):
            if user.email_key:
                self._found[user.email_key] = user.id
            key, rank = _name_key(user.display_name), _RANK.get(user.status.value, 9)
            if key not in ranks or rank < ranks[key]:
                self._doubtful.discard(key)
                self._found[key], ranks[key] = user.id, rank
            elif rank == ranks[key]:
                self._doubtful.add(key)

    def find(self, text: str) -> Reference:
        """Return the colleague, New for a name nobody has; raise Invalid when two have it."""
        if text not in self._answers:
            self._answers[text] = self._look_up(text)
        return self._answers[text]

    def _look_up(self, text: str) -> Reference:
        key = _name_key(text)
        if key in self._doubtful:
            raise Invalid(
                _("Two users are called “%(name)s”. Write the email address instead.", name=text)
            )
        return self._found.get(text.strip().casefold()) or self._found.get(key) or New(text)


def _name_key(name: str) -> str:
    return fold(name).replace(" ", "") or name.strip().casefold()


@dataclass
class References:
    """What the rows of one batch refer to."""

    owners: Owners
    companies: Mapping[str, int]
    stages: Stages | None
    made: dict[tuple[str, str], int] = field(default_factory=dict)

    def owner(self, text: str) -> Reference:
        """Return whom the text means."""
        return self.owners.find(text) if text else None

    def company(self, text: str) -> Reference:
        """Return which company the text means."""
        return self.companies.get(text) or New(text) if text else None

    def id_of(self, kind: str, reference: Reference) -> int | None:
        """Return the id of what was found or has been made."""
        if isinstance(reference, New):
            return self.made[kind, reference.name]
        return reference


def find_references(
    session: Session, actor: Actor, company_names: Collection[str], stages: Stages | None
) -> References:
    """Return what rows refer to, as far as it is there; a fixed number of queries."""
    known = companies_by_name(session, actor, company_names) if company_names else {}
    return References(Owners(session, actor), known, stages)


def make_missing(
    session: Session, actor: Actor, found: References, missing: Iterable[tuple[str, New]]
) -> list[ImportExtra]:
    """Write down what is not there yet; return each thing that was made, without its import."""
    wanted = list(dict.fromkeys((kind, new.name) for kind, new in missing))
    names = [name for kind, name in wanted if kind == "company"]
    made = companies.find_or_create_companies(session, actor, names)
    extras = {("company", made[name]): name for name in names}
    found.made |= {("company", name): made[name] for name in names}
    for kind, name in wanted:
        if kind == "user":
            user = users.former_user(session, actor, name[:200])
            found.made[kind, name] = user.id
            extras[kind, user.id] = name
        elif kind == "stage" and found.stages is not None:
            stage_id, is_new = found.stages.make(session, actor, name)
            found.made[kind, name] = stage_id
            if is_new:
                extras[kind, stage_id] = name
    return [
        ImportExtra(kind=kind, record_id=key, name=name) for (kind, key), name in extras.items()
    ]
