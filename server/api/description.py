"""What OpenAPI must say about every operation, so that no slice repeats it: headers, refusals, paging."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.http.access import Access

Operation = dict[str, Any]

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence in the caller's language."},
        "code": {"type": "string", "description": "A stable word for programs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "current": {"type": "object", "description": "With 412: the record as it is now."},
    },
}

_ALWAYS = {
    "401": "No token, or one that is no longer valid.",
    "402": "The licence does not cover this at the moment.",
    "403": "The token's owner may not do this.",
    "422": "The input does not fit; `errors` names the fields.",
    "429": "Too many requests; `Retry-After` says how long to wait.",
    "503": "The database is busy or away; try again.",
}
_BODY = {
    "400": "The body is not JSON.",
    "409": "This contradicts another record.",
    "413": "The body is too large.",
    "415": "The body is of another kind than JSON.",
}
_CHANGE = {"412": "Somebody else changed the record first.", "428": "If-Match is missing."}

_LIST_PARAMETERS: tuple[Operation, ...] = (
    {
        "name": "limit",
        "in": "query",
        "description": "Records on a page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "`next_cursor` of the page before.",
        "schema": {"type": "string"},
    },
    {
        "name": "sort",
        "in": "query",
        "description": "The field to sort by, `-` before it for descending.",
        "schema": {"type": "string"},
    },
    {
        "name": "q",
        "in": "query",
        "description": "Words to search for; Persian letters and digits are folded.",
        "schema": {"type": "string"},
    },
)
_IF_MATCH: Operation = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": 'The version that was read, in quotes: `"7"`.',
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
}
_IDEMPOTENCY_KEY: Operation = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body within 24 hours do the work once and repeat the answer.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """Yield path, method and operation of everything the API can do."""
    for path, methods in description.get("paths", {}).items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield path, method, operation


def complete(
    description: dict[str, Any], asked: Mapping[tuple[str, str], Access | None]
) -> dict[str, Any]:
    """Add to APIFlask's description what every operation has in common, and what each asks for.

    `asked` holds by path and method what the routes ask of their visitors.
    """
    components = description.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    description["security"] = [{"token": []}]
    for path, method, operation in operations(description):
        _tell_refusals(path, method, operation)
        _tell_headers(method, operation)
        if _is_list(operation):
            operation.setdefault("parameters", []).extend(dict(one) for one in _LIST_PARAMETERS)
        _bound_ids(operation)
        _tell_access(operation, asked.get((path, method)))
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
    _speak_json_schema(components)
    return description


def _tell_access(operation: Operation, access: Access | None) -> None:
    if access is not None and access.permission is not None:
        operation["x-permission"] = access.permission
    if access is not None and access.always:
        operation["x-always"] = True  # open in every mode of the licence


def _speak_json_schema(part: Any) -> None:
    """Rename the bounds that pydantic leaves under its own names where a check came before them."""
    if isinstance(part, list):
        for item in part:
            _speak_json_schema(item)
    elif isinstance(part, dict):
        for ours, theirs in (("ge", "minimum"), ("le", "maximum")):
            if isinstance(part.get(ours), int):
                part[theirs] = part.pop(ours)
        for item in part.values():
            _speak_json_schema(item)


def _tell_refusals(path: str, method: str, operation: Operation) -> None:
    told = dict(_ALWAYS)
    if "{" in path:
        told["404"] = "There is no such record, or not for this token."
    if method in {"post", "put", "patch", "delete"}:
        told |= _BODY
    if method == "patch":
        told |= _CHANGE
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, words in told.items():
        operation["responses"][status] = {"description": words, "content": content}


def _tell_headers(method: str, operation: Operation) -> None:
    if method == "patch":
        operation.setdefault("parameters", []).append(dict(_IF_MATCH))
    if method == "post":
        operation.setdefault("parameters", []).append(dict(_IDEMPOTENCY_KEY))


def _bound_ids(operation: Operation) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["schema"].get("type") == "integer":
            parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}


def _is_list(operation: Operation) -> bool:
    shape = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return str(shape.get("schema", {}).get("$ref", "")).endswith("List")
