"""JSON schemas in words: what a field holds, how long it may be, and which fields a shape has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

DEEPEST = 3  # levels of a shape within a shape that one table shows
FORMATS = {"date-time": "date and time", "binary": "file"}


@dataclass(frozen=True)
class Field:
    """One row of a table: a field of a body or of an answer, or a parameter; `place` is a parameter's."""

    name: str
    kind: str
    required: bool = False
    limits: str = ""
    words: str = ""
    place: str = ""


class Shapes:
    """The named schemas of one description."""

    def __init__(self, named: Mapping[str, Schema]) -> None:
        self._named = named

    def found(self, schema: Schema) -> Schema:
        """Return the schema itself, also when only its name is given."""
        reference = schema.get("$ref")
        return self._named[_key(reference)] if reference else schema

    def fields(self, schema: Schema) -> tuple[Field, ...]:
        """Return the fields of an object, those of objects within it named `outer.inner`."""
        return tuple(self._fields(schema, "", DEEPEST))

    def kind(self, schema: Schema) -> str:
        """Return in words what values fit."""
        here, optional = self._without_null(schema)
        return f"{self._kind(here)} or null" if optional else self._kind(here)

    def field(self, name: str, schema: Schema, *, required: bool, **more: str) -> Field:
        """Return the row of one field."""
        here, _optional = self._without_null(schema)
        return Field(name, self.kind(schema), required, limits(schema, here), **more)

    def _fields(self, schema: Schema, prefix: str, depth: int) -> Iterator[Field]:
        here = self.found(schema)
        needed = here.get("required", ())
        for name, inner in here.get("properties", {}).items():
            place = f"{prefix}{name}"
            words = inner.get("description", "")
            yield self.field(place, inner, required=name in needed, words=words)
            if depth > 1:
                yield from self._within(inner, place, depth - 1)

    def _within(self, schema: Schema, place: str, depth: int) -> Iterator[Field]:
        here, _optional = self._without_null(schema)
        if here.get("type") == "array":
            yield from self._fields(here.get("items", {}), f"{place}[].", depth)
        else:
            yield from self._fields(here, f"{place}.", depth)

    def _without_null(self, schema: Schema) -> tuple[Schema, bool]:
        """Return what a value is when it is there, and whether it may be null."""
        choices = schema.get("anyOf")
        if not choices:
            return self.found(schema), False
        real = [one for one in choices if one.get("type") != "null"]
        null = len(real) < len(choices)
        return (self.found(real[0]) if len(real) == 1 else {"oneOf": real}), null

    def _kind(self, here: Schema) -> str:
        if "oneOf" in here:
            return " or ".join(self.kind(one) for one in here["oneOf"])
        if "enum" in here:
            return "one of " + ", ".join(_shown(word) for word in here["enum"])
        kind = str(here.get("type", "any"))
        if kind == "array":
            return f"list of {self.kind(here.get('items', {}))}"
        inner = here.get("additionalProperties")
        if kind == "object" and isinstance(inner, Mapping):
            return f"object of {self.kind(inner)}"
        return FORMATS.get(str(here.get("format")), kind)


def shape_name(schema: Schema) -> str:
    """Return the name under which a schema is listed; empty for one without a name."""
    reference = schema.get("$ref")
    return _key(reference).rsplit(".", 1)[-1] if reference else ""


def limits(schema: Schema, here: Schema) -> str:
    """Return what else must hold for a value: its size, its pattern, and what stands for none."""
    found = [
        _range("", here.get("minimum"), here.get("maximum")),
        _range(" characters", here.get("minLength"), here.get("maxLength")),
        _range(" items", here.get("minItems"), here.get("maxItems")),
        f"matches {here['pattern']}" if "pattern" in here else "",
        f"default {_shown(schema['default'])}" if schema.get("default") else "",
    ]
    return "; ".join(one for one in found if one)


def _key(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _shown(word: object) -> str:
    return (
        f"“{word}”" if word in ("", ".", ",") else str(word).lower() if word is True else str(word)
    )


def _range(unit: str, low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low:,} to {high:,}{unit}"
    if high is not None:
        return f"at most {high:,}{unit}"
    return f"at least {low:,}{unit}" if low is not None else ""
