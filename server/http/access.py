"""Who may come in: every route names the permission it needs, or says that it needs none.

Deny by default: a view without one of these decorators answers nobody, and a test walks all routes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from flask import current_app, g, request

from server.core.actor import Actor
from server.core.errors import NotAllowed, NotSignedIn
from server.core.i18n import gettext as _

P = ParamSpec("P")
R = TypeVar("R")

_MARK = "__daftar_access__"


@dataclass(frozen=True)
class Access:
    """What a route asks of its visitor.

    `permission` is None for everybody who is signed in. `always` routes stay open whatever the licence
    says (licensing.md §1 principle 4); `reads` marks a POST that changes no record; `anywhere` routes
    answer signed-in visitors outside the networks of the licence as well.
    """

    public: bool = False
    permission: str | None = None
    always: bool = False
    reads: bool = False
    anywhere: bool = False


_STATIC = Access(public=True, always=True)


def _marked(access: Access) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def mark(view: Callable[P, R]) -> Callable[P, R]:
        setattr(view, _MARK, access)
        return view

    return mark


def needs(
    permission: str, *, always: bool = False, reads: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in whoever holds the permission."""
    return _marked(Access(permission=permission, always=always, reads=reads))


def signed_in(
    *, always: bool = False, reads: bool = False, anywhere: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in everybody who is signed in."""
    return _marked(Access(always=always, reads=reads, anywhere=anywhere))


def public(*, always: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let in everybody, signed in or not."""
    return _marked(Access(public=True, always=always))


def access_of(view: Callable[..., object] | None) -> Access | None:
    """Return what the view asks, or None when it says nothing and must stay shut."""
    return getattr(view, _MARK, None)


def wanted_access() -> Access | None:
    """Return what the route of the running request asks; None when there is no such route."""
    # The objects behind the proxies: this is asked several times for every request.
    endpoint = request._get_current_object().endpoint  # type: ignore[attr-defined]
    if endpoint is None:
        return None
    if endpoint == "static":
        return _STATIC
    views = current_app._get_current_object().view_functions  # type: ignore[attr-defined]
    return access_of(views.get(endpoint))


def current_actor() -> Actor:
    """Return who is asking, or raise NotSignedIn."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise NotSignedIn(_("Please sign in first."))
    return actor


def visitor() -> Actor | None:
    """Return who is asking, or None for a stranger."""
    actor: Actor | None = g._get_current_object().get("actor")
    return actor


def check_access() -> None:
    """Refuse the running request unless its route lets this visitor in."""
    access = wanted_access()
    if request.endpoint is None:
        return
    if access is None:
        raise NotAllowed(_("This page is closed: it does not say who may see it."))
    if access.public:
        return
    actor = current_actor()
    if access.permission is not None:
        actor.must(access.permission)
