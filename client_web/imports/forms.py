"""The mapping of an import as a form: one choice for each column, one for each word of a stage."""

from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.text import fold, small_number
from server.exchange.encoding import ENCODINGS
from server.exchange.fields import FIELDS
from server.exchange.mapping import KEYS
from server.exchange.service import ImportKind, Layout, Mapping, Mode
from server.exchange.stages import StageGuess

TIMES = (
    (1, mark("as they are written")),
    (1_000, mark("thousands")),
    (1_000_000, mark("millions")),
)
DELIMITERS = (
    (",", mark("Comma")),
    (";", mark("Semicolon")),
    ("\t", mark("Tab")),
    ("|", mark("Bar")),
)
KEY_LABELS = {
    "": mark("The best there is"),
    "external_id": mark("External id"),
    "name": mark("Name"),
    "emails": mark("Email address"),
    "phones": mark("Telephone number"),
    "row": mark("Nothing: only the very same row is known again"),
}
ENCODING_LABELS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "windows-1256": mark("Windows, Persian and Arabic (1256)"),
    "windows-1252": mark("Windows, Western European (1252)"),
}


@dataclass(frozen=True)
class Choice:
    """A select of the form."""

    name: str
    label: str
    choices: list[tuple[str, str]]
    value: str


def field_choices(kind: ImportKind) -> list[tuple[str, str]]:
    """Return the fields that a column can bring."""
    return [(each.name, _(each.label)) for each in FIELDS[kind]]


def key_choices(kind: ImportKind) -> list[tuple[str, str]]:
    """Return by what rows can be recognised."""
    return [(key, _(KEY_LABELS[key])) for key in ("", *KEYS[kind])]


def reading_choices(layout: Layout) -> tuple[Choice, Choice]:
    """Return the choices of encoding and delimiter, the present ones chosen."""
    encodings = {name: _(ENCODING_LABELS[name]) for name in ENCODINGS}
    encodings.setdefault(layout.encoding, layout.encoding.upper())
    signs = {sign: _(words) for sign, words in DELIMITERS}
    signs.setdefault(layout.delimiter, layout.delimiter)
    return (
        Choice("encoding", _("Encoding"), list(encodings.items()), layout.encoding),
        Choice("delimiter", _("Between the columns"), list(signs.items()), layout.delimiter),
    )


def read_layout(form: "MultiDict[str, str]") -> Layout:
    """Return how the file is to be read, or raise Invalid."""
    encoding, delimiter = form.get("encoding", ""), form.get("delimiter", "")
    if encoding not in {*ENCODINGS, "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32"}:
        raise Invalid(_("Choose an encoding of the list."), field="encoding")
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise Invalid(_("The sign between the columns is a single one."), field="delimiter")
    return Layout(encoding, delimiter)


def read_mapping(
    form: "MultiDict[str, str]",
    before: Mapping,
    headers: tuple[str, ...],
    guesses: tuple[StageGuess, ...],
) -> Mapping:
    """Return the mapping as it was chosen; what the form does not show stays."""
    columns = {
        header: form.get(f"column-{place}", "")
        for place, header in enumerate(headers)
        if form.get(f"column-{place}")
    }
    return replace(
        before,
        columns=columns,
        values=_values(form, before, guesses),
        key=form.get("key", ""),
        mode=_mode(form),
        currency=form.get("currency", before.currency),
        create_companies="create_companies" in form or "companies_shown" not in form,
        dates=form.get("dates", before.dates),
        decimals=form.get("decimals", before.decimals),
        pipeline=form.get("pipeline", before.pipeline),
        times=_times(form, before),
    )


def _values(
    form: "MultiDict[str, str]", before: Mapping, guesses: tuple[StageGuess, ...]
) -> dict[str, dict[str, str]]:
    values = {name: dict(words) for name, words in before.values.items()}
    stages = values.pop("stage", {})
    for place, guess in enumerate(guesses):
        chosen = form.get(f"stage-{place}")
        if chosen is None:
            continue
        stages = {word: other for word, other in stages.items() if fold(word) != fold(guess.word)}
        if chosen and chosen != guess.stage:
            stages[guess.word] = chosen
    return values | ({"stage": stages} if stages else {})


def _mode(form: "MultiDict[str, str]") -> Mode:
    try:
        return Mode(form.get("mode", Mode.BOTH.value))
    except ValueError as error:
        raise Invalid(_("Choose what the import may do."), field="mode") from error


def _times(form: "MultiDict[str, str]", before: Mapping) -> dict[str, int]:
    text = form.get("times", "")
    if not text:
        return dict(before.times)
    number = small_number(text)
    if number is None or number not in {each for each, _words in TIMES}:
        raise Invalid(_("Choose how the amounts are written."), field="times")
    return {} if number == 1 else {"amount": number, "annual_revenue": number}
