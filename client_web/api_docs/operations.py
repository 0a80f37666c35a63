"""An OpenAPI description as the page shows it: one operation after the other, by their parts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from client_web.api_docs.shapes import Field, Schema, Shapes, shape_name

METHODS = ("get", "post", "put", "patch", "delete")
REFUSAL = "4"  # and what is above
JSON = "application/json"


@dataclass(frozen=True)
class Body:
    """What is sent along: its kind of content, what it is, its fields."""

    content: str
    words: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Answer:
    """One way an operation can end. `shape` names what comes back; `page` says that it is a page of them."""

    status: str
    words: str
    content: str = ""
    shape: str = ""
    page: bool = False

    @property
    def refuses(self) -> bool:
        """Tell whether nothing was done."""
        return self.status >= REFUSAL


@dataclass(frozen=True)
class Operation:
    """One thing the API can do. `permission` is empty when every token will do."""

    part: str
    method: str
    path: str
    anchor: str
    summary: str
    words: str
    permission: str
    always: bool
    parameters: tuple[Field, ...]
    body: Body | None
    answers: tuple[Answer, ...]

    @property
    def text(self) -> str:
        """Return everything that a search may look for."""
        fields = (*self.parameters, *(self.body.fields if self.body else ()))
        names = (one.name for one in fields)
        said = (self.method, self.path, self.summary, self.words, self.permission, self.part)
        return " ".join((*said, *names)).casefold()


@dataclass(frozen=True)
class Shape:
    """What comes back, under its name."""

    name: str
    words: str
    fields: tuple[Field, ...]

    @property
    def anchor(self) -> str:
        """Return its place on the page."""
        return f"shape-{self.name}"


@dataclass(frozen=True)
class Part:
    """The operations of one kind of record."""

    name: str
    operations: tuple[Operation, ...]

    @property
    def anchor(self) -> str:
        """Return its place on the page."""
        return f"part-{self.name}"


@dataclass(frozen=True)
class Manual:
    """The whole description in reading order."""

    version: str
    parts: tuple[Part, ...]
    shapes: tuple[Shape, ...]
    problem: tuple[Field, ...] = field(default=())

    def about(self, words: str, part: str = "") -> "Manual":
        """Return what of it speaks of all these words, and of that part."""
        wanted = words.casefold().split()
        kept = []
        for one in self.parts:
            fitting = tuple(
                each for each in one.operations if all(word in each.text for word in wanted)
            )
            if fitting and part in ("", one.name):
                kept.append(Part(one.name, fitting))
        named = {a.shape for one in kept for each in one.operations for a in each.answers}
        shapes = tuple(shape for shape in self.shapes if shape.name in named)
        return Manual(self.version, tuple(kept), shapes, self.problem)

    @property
    def count(self) -> int:
        """Return how many operations there are."""
        return sum(len(part.operations) for part in self.parts)


def read_manual(description: Mapping[str, Any]) -> Manual:
    """Return the OpenAPI description as one reads it."""
    named = description.get("components", {}).get("schemas", {})
    shapes = Shapes(named)
    found = sorted(_operations(description, shapes), key=_order)
    tags = dict.fromkeys([*(tag["name"] for tag in description.get("tags", ())), ""])
    parts = [Part(tag, tuple(one for one in found if one.part == tag)) for tag in tags]
    wanted = {answer.shape for one in found for answer in one.answers if not answer.refuses}
    return Manual(
        version=description.get("info", {}).get("version", ""),
        parts=tuple(part for part in parts if part.operations),
        shapes=_shapes(named, shapes, wanted),
        problem=shapes.fields(named.get("Problem", {})),
    )


def _order(operation: Operation) -> tuple[str, int]:
    return operation.path, METHODS.index(operation.method)


def _shapes(named: Mapping[str, Schema], shapes: Shapes, wanted: set[str]) -> tuple[Shape, ...]:
    found = {}
    for key, schema in named.items():
        name = key.rsplit(".", 1)[-1]
        if name in wanted:
            found[name] = Shape(name, schema.get("description", ""), shapes.fields(schema))
    return tuple(found[name] for name in sorted(found))


def _operations(description: Mapping[str, Any], shapes: Shapes) -> Iterator[Operation]:
    for path, methods in description.get("paths", {}).items():
        for method in METHODS:
            if method in methods:
                yield _operation(path, method, methods[method], shapes)


def _operation(path: str, method: str, said: Mapping[str, Any], shapes: Shapes) -> Operation:
    return Operation(
        part=next(iter(said.get("tags", ())), ""),
        method=method,
        path=path,
        anchor=f"{method}-{_slug(path)}",
        summary=said.get("summary", ""),
        words=said.get("description", ""),
        permission=said.get("x-permission", ""),
        always=said.get("x-always", False),
        parameters=tuple(_parameter(one, shapes) for one in said.get("parameters", ())),
        body=_body(said.get("requestBody", {}), shapes),
        answers=tuple(
            _answer(status, one, shapes) for status, one in sorted(said["responses"].items())
        ),
    )


def _slug(path: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", path.removeprefix("/api/v1").lower()).strip("-")


def _parameter(said: Mapping[str, Any], shapes: Shapes) -> Field:
    return shapes.field(
        said["name"],
        said.get("schema", {}),
        required=said.get("required", False),
        words=said.get("description", ""),
        place=said["in"],
    )


def _body(said: Mapping[str, Any], shapes: Shapes) -> Body | None:
    for content, shown in said.get("content", {}).items():
        schema = shown.get("schema", {})
        words = shapes.found(schema).get("description", "")
        return Body(content, words, shapes.fields(schema))
    return None


def _answer(status: str, said: Mapping[str, Any], shapes: Shapes) -> Answer:
    words = said.get("description", "")
    for content, shown in said.get("content", {}).items():
        schema = shown.get("schema", {})
        inner = shapes.found(schema).get("properties", {})
        if "next_cursor" in inner:
            return Answer(status, words, content, shape_name(inner["items"]["items"]), page=True)
        return Answer(status, words, content, shape_name(schema))
    return Answer(status, words)
