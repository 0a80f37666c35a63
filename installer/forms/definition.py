"""What a form asks: sections and items read from `definitions/*.toml`. No answers, no rules.

A published definition file is never edited; a change is a new file with the next version, so that
a form filled years ago can still be read and printed as it was asked.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from installer.forms.wording import FormError, Text


class ItemKind(StrEnum):
    """How an item is answered."""

    CHECK = "check"
    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"
    EVIDENCE = "evidence"
    SIGNATURE = "signature"


class Party(StrEnum):
    """Who answers an item."""

    SYSTEM = "system"
    VENDOR = "vendor"
    BUYER = "buyer"


class Format(StrEnum):
    """How a piece of evidence is shown."""

    TEXT = "text"
    CODE = "code"
    MOMENT = "moment"
    NUMBER = "number"
    CHECKS = "checks"


@dataclass(frozen=True)
class Option:
    """One answer of a choice."""

    id: str
    label: Text


@dataclass(frozen=True)
class Condition:
    """An item that becomes required when another has this answer."""

    item: str
    value: str


@dataclass(frozen=True)
class Item:
    """One line of a form. `signer` names the text item that says who may sign a signature."""

    id: str
    kind: ItemKind
    by: Party
    label: Text
    help: Text | None
    format: Format
    required: bool
    may_be_skipped: bool
    required_if: Condition | None
    signer: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Section:
    """Items under one heading."""

    id: str
    title: Text
    items: tuple[Item, ...]


@dataclass(frozen=True)
class FormDefinition:
    """A form as it is asked: `requires` names the form that must be complete and signed first."""

    code: str
    version: int
    title: Text
    purpose: Text
    declaration: Text
    requires: str
    visits: bool
    sections: tuple[Section, ...]

    def items(self) -> tuple[Item, ...]:
        """Return all items in their order."""
        return tuple(item for section in self.sections for item in section.items)

    def signatures(self) -> tuple[Item, ...]:
        """Return the signature items in their order."""
        return tuple(item for item in self.items() if item.kind is ItemKind.SIGNATURE)

    def item(self, item_id: str) -> Item:
        """Return one item, or raise FormError `unknown_item`."""
        for item in self.items():
            if item.id == item_id:
                return item
        raise FormError("unknown_item", code=self.code, item=item_id)


def codes() -> tuple[str, ...]:
    """Return the codes of all forms, CL-OJ-05 first."""
    return tuple(sorted({code for code, _ in _all()}))


def latest(code: str) -> FormDefinition:
    """Return the newest definition of a form, which new forms are opened with."""
    versions = [definition for (name, _), definition in _all().items() if name == code]
    if not versions:
        raise FormError("unknown_form", code=code, known=", ".join(codes()))
    return max(versions, key=lambda definition: definition.version)


def definition_of(code: str, version: int) -> FormDefinition:
    """Return the definition a form was filled with."""
    latest(code)
    try:
        return _all()[code, version]
    except KeyError as error:
        raise FormError("unknown_version", code=code, version=version) from error


@cache
def _all() -> Mapping[tuple[str, int], FormDefinition]:
    found = {}
    for file in files("installer.forms").joinpath("definitions").iterdir():
        if file.name.endswith(".toml"):
            definition = parse_definition(file.read_text(encoding="utf-8"))
            found[definition.code, definition.version] = definition
    return found


def parse_definition(source: str) -> FormDefinition:
    """Read a definition from TOML; a wrong key, kind or reference raises FormError."""
    try:
        definition = _form(tomllib.loads(source))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise FormError("bad_definition", reason=error) from error
    _check_references(definition)
    return definition


def _form(table: dict[str, Any]) -> FormDefinition:
    known = {"code", "version", "title", "purpose", "declaration", "requires", "visits", "sections"}
    _only(table, known)
    return FormDefinition(
        code=table["code"],
        version=table["version"],
        title=Text(**table["title"]),
        purpose=Text(**table["purpose"]),
        declaration=Text(**table["declaration"]),
        requires=table.get("requires", ""),
        visits=table.get("visits", False),
        sections=tuple(
            Section(
                section["id"],
                Text(**section["title"]),
                tuple(_item(item) for item in section["items"]),
            )
            for section in table["sections"]
        ),
    )


def _item(table: dict[str, Any]) -> Item:
    _only(table, set(Item.__dataclass_fields__))
    return Item(
        id=table["id"],
        kind=ItemKind(table["kind"]),
        by=Party(table["by"]),
        label=Text(**table["label"]),
        help=Text(**table["help"]) if "help" in table else None,
        format=Format(table.get("format", "text")),
        required=table.get("required", "required_if" not in table),
        may_be_skipped=table.get("may_be_skipped", False),
        required_if=Condition(**table["required_if"]) if "required_if" in table else None,
        signer=table.get("signer", ""),
        options=tuple(
            Option(option["id"], Text(**option["label"])) for option in table.get("options", ())
        ),
    )


def _only(table: dict[str, Any], known: set[str]) -> None:
    unknown = set(table) - known
    if unknown:
        raise FormError("bad_definition", reason=f"unknown key {', '.join(sorted(unknown))}")


def _check_references(definition: FormDefinition) -> None:
    names = [item.id for item in definition.items()]
    if len(set(names)) != len(names):
        raise FormError("bad_definition", reason="two items have the same id")
    for item in definition.items():
        if item.signer:
            definition.item(item.signer)
        if item.required_if is not None:
            definition.item(item.required_if.item)
        if (item.kind is ItemKind.EVIDENCE) != (item.by is Party.SYSTEM):
            raise FormError("bad_definition", reason=f"{item.id}: only the system gives evidence")
        if (item.kind is ItemKind.CHOICE) != bool(item.options):
            raise FormError("bad_definition", reason=f"{item.id}: options belong to a choice")
