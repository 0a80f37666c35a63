"""Reading what a list is asked: `?q=…&sort=-amount&filter[amount][gte]=1000&cursor=…&limit=50`."""

import re

from flask import request

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.listing import MAX_LIMIT, Filter, ListQuery
from server.core.text import small_number

_FILTER = re.compile(r"^filter\[(?P<name>[a-z_]+)\](?:\[(?P<operator>[a-z]+)\])?$")
DEFAULT_LIMIT = 50


def list_query(default_limit: int = DEFAULT_LIMIT) -> ListQuery:
    """Return what the running request asks of a list; an empty filter value asks nothing."""
    filters = []
    for key, value in request.args.items(multi=True):
        match = _FILTER.match(key)
        if match and value.strip():
            filters.append(Filter(match["name"], match["operator"] or "eq", value.strip()))
    return ListQuery(
        q=request.args.get("q", ""),
        filters=tuple(filters),
        sort=request.args.get("sort", ""),
        limit=_limit(request.args.get("limit", ""), default_limit),
        cursor=request.args.get("cursor") or None,
    )


def _limit(text: str, default: int) -> int:
    if not text:
        return default
    limit = small_number(text)
    if limit is None or not 1 <= limit <= MAX_LIMIT:
        raise Invalid(
            _("The limit of a page lies between 1 and %(most)s.", most=MAX_LIMIT), field="limit"
        )
    return limit
