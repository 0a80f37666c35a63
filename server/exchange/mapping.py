"""How the columns of a file become fields: chosen in the browser, written as TOML, or recognised. Pure."""

import tomllib
from collections.abc import Mapping as Map
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from babel.numbers import is_currency

from server.core.checklist import Checklist
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import fold
from server.exchange.fields import FIELDS, MANY, Field, field_of, guess
from server.exchange.rules import DEFAULT_SOURCE, ImportKind, Mode
from server.exchange.values import TOMAN

ORDERS = ("dmy", "mdy")
MARKS = ("", ".", ",")
NEEDED: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.COMPANIES: ("name",),
    ImportKind.PEOPLE: ("display_name", "first_name", "last_name"),
    ImportKind.DEALS: ("title", "product", "company", "external_id"),
}
# By what a row is the same record as before; `row` means that the whole row has to be the same.
KEYS: dict[ImportKind, tuple[str, ...]] = {
    ImportKind.COMPANIES: ("external_id", "name"),
    ImportKind.PEOPLE: ("external_id", "emails", "phones", "row"),
    ImportKind.DEALS: ("external_id", "row"),
}
_WORDS = ("key", "currency", "source", "dates", "decimals", "pipeline")


@dataclass(frozen=True)
class Mapping:
    """What becomes of the columns. An empty `currency` is the organisation's, an empty `key` the best there is.

    `columns` maps headers to fields, `values` maps words of a field to other words, `times` multiplies
    amounts that a table writes in thousands.
    """

    columns: Map[str, str] = field(default_factory=dict)
    values: Map[str, Map[str, str]] = field(default_factory=dict)
    key: str = ""
    mode: Mode = Mode.BOTH
    currency: str = ""
    source: str = DEFAULT_SOURCE
    create_companies: bool = True
    dates: str = "dmy"
    decimals: str = ""
    pipeline: str = ""
    times: Map[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the mapping as JSON keeps it."""
        return asdict(self)

    def headers_of(self, name: str) -> tuple[str, ...]:
        """Return the headers that bring this field, in the order of the file."""
        return tuple(header for header, known in self.columns.items() if known == name)

    def brings(self, name: str) -> bool:
        """Tell whether a column brings this field."""
        return name in self.columns.values()

    def key_for(self, kind: ImportKind) -> str:
        """Return by what a row is the same record as before: what was chosen, else the best there is."""
        wanted = (name for name in KEYS[kind] if name == "row" or self.brings(name))
        return self.key or next(wanted, KEYS[kind][-1])


def from_json(raw: Map[str, Any]) -> Mapping:
    """Return the mapping that `as_json` wrote."""
    return Mapping(**{**raw, "mode": Mode(raw["mode"])})


def recognised(kind: ImportKind, headers: tuple[str, ...], dates: str = "dmy") -> Mapping:
    """Return the mapping that the headers suggest."""
    found = guess(kind, headers)
    return Mapping({header: found[header] for header in headers if header in found}, dates=dates)


def checked(mapping: Mapping, kind: ImportKind, headers: tuple[str, ...]) -> Mapping:
    """Return the mapping in the form it is kept in, or raise Invalid with everything that does not fit."""
    checks = Checklist()
    columns = _columns(checks, mapping, kind, headers)
    mapping = replace(mapping, columns=columns, currency=mapping.currency.strip().upper())
    if mapping.currency and mapping.currency != TOMAN and not is_currency(mapping.currency):
        sentence = _(
            "“%(code)s” is no currency. Use a code of ISO 4217, such as IRR or USD.",
            code=mapping.currency,
        )
        checks.refuse("currency", sentence)
    _check_key(checks, mapping, kind)
    if mapping.dates not in ORDERS:
        checks.refuse("dates", _("Dates are written day first (dmy) or month first (mdy)."))
    if mapping.decimals not in MARKS:
        checks.refuse("decimals", _("The decimal sign is a dot or a comma."))
    if not mapping.source.strip() or len(mapping.source) > 100:
        checks.refuse("source", _("Name the source of the ids in 1 to 100 characters."))
    if any(number < 1 or number > 10**9 for number in mapping.times.values()):
        checks.refuse("times", _("Amounts can be multiplied by 1 to 1,000,000,000."))
    checks.finish()
    return mapping


def _columns(
    checks: Checklist, mapping: Mapping, kind: ImportKind, headers: tuple[str, ...]
) -> dict[str, str]:
    known = {fold(header): header for header in headers} | {header: header for header in headers}
    chosen: dict[str, Field] = {}
    for header, name in mapping.columns.items():
        if not name.strip():
            continue
        column, wanted = known.get(header) or known.get(fold(header)), field_of(kind, name)
        if column is None:
            sentence = _(
                "The file has no column “%(header)s”. It has: %(headers)s.",
                header=header,
                headers=", ".join(headers),
            )
            checks.refuse("columns", sentence)
        elif wanted is None:
            sentence = _(
                "“%(name)s” is no field. Known fields: %(fields)s.",
                name=name,
                fields=", ".join(each.name for each in FIELDS[kind]),
            )
            checks.refuse("columns", sentence)
        elif wanted.shape not in MANY and wanted in chosen.values():
            sentence = _(
                "Two columns bring the field “%(field)s”. Choose one.", field=_(wanted.label)
            )
            checks.refuse("columns", sentence)
        else:
            chosen[column] = wanted
    found = {header: chosen[header].name for header in headers if header in chosen}
    if not checks.errors and not set(NEEDED[kind]) & set(found.values()):
        checks.refuse("columns", _nothing_to_call(kind), "missing")
    return found


def _nothing_to_call(kind: ImportKind) -> str:
    names = ", ".join(_(each.label) for each in FIELDS[kind] if each.name in NEEDED[kind])
    return _("No column says what a row is called. Choose one for one of: %(names)s.", names=names)


def _check_key(checks: Checklist, mapping: Mapping, kind: ImportKind) -> None:
    if mapping.key and mapping.key not in KEYS[kind]:
        sentence = _(
            "Rows cannot be recognised by “%(key)s”. Use one of: %(keys)s.",
            key=mapping.key,
            keys=", ".join(KEYS[kind]),
        )
        checks.refuse("key", sentence)
    elif mapping.key not in {"", "row"} and not mapping.brings(mapping.key):
        checks.refuse(
            "key", _("No column brings “%(key)s”, by which rows are recognised.", key=mapping.key)
        )


def from_toml(text: str, kind: ImportKind, headers: tuple[str, ...], dates: str = "dmy") -> Mapping:
    """Return the mapping of a TOML file; without `[columns]` the headers are recognised."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(
            _("The mapping is no valid TOML: %(why)s", why=error), field="mapping"
        ) from error
    base = recognised(kind, headers, dates)
    words = {name: _word(raw, name) for name in _WORDS if name in raw}
    columns = _table(raw, "columns")
    return replace(
        base,
        columns=columns if "columns" in raw else base.columns,
        values={
            (known.name if (known := field_of(kind, name)) else name): _texts(inner, name)
            for name, inner in _table(raw, "values").items()
        },
        mode=_mode(raw),
        create_companies=_flag(raw),
        times={name: _number(value) for name, value in _table(raw, "times").items()},
        **words,
    )


def _unreadable(name: str) -> Invalid:
    return Invalid(
        _("“%(name)s” in the mapping cannot be read. See docs/import.md.", name=name),
        field="mapping",
    )


def _table(raw: Map[str, Any], name: str) -> dict[str, Any]:
    inner = raw.get(name, {})
    if not isinstance(inner, dict):
        raise _unreadable(name)
    return inner if name != "columns" else _texts(inner, name)


def _texts(inner: object, name: str) -> dict[str, str]:
    if not isinstance(inner, dict) or not all(isinstance(word, str) for word in inner.values()):
        raise _unreadable(name)
    return dict(inner)


def _word(raw: Map[str, Any], name: str) -> str:
    if not isinstance(raw[name], str):
        raise _unreadable(name)
    return str(raw[name])


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise _unreadable("times")
    return value


def _mode(raw: Map[str, Any]) -> Mode:
    try:
        return Mode(raw.get("mode", Mode.BOTH))
    except ValueError as error:
        raise Invalid(
            _("The mode of an import is create, update or both."), field="mode"
        ) from error


def _flag(raw: Map[str, Any]) -> bool:
    value = raw.get("create_companies", True)
    if not isinstance(value, bool):
        raise _unreadable("create_companies")
    return value
