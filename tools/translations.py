"""The catalogues of fa and fr: bring them up to date, compile them, say what is missing.

English sentences are the message ids, so English has no catalogue. Line numbers are left out:
a catalogue changes when a sentence does, not when a line moves.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from babel import Locale
from babel.messages import Catalog
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
SOURCES = ("server", "licensing", "client_web", "backup", "installer")
CATALOGUES = ROOT / "client_web" / "translations"
LOCALES = ("fa", "fr")
DOMAIN = "daftar"
SHOWN = 20  # of hundreds, after a day of writing
KEYWORDS = {**DEFAULT_KEYWORDS, "mark": None, "lazy_gettext": None}

METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
# A template that cannot be read must not lose its sentences in silence.
TEMPLATE = {"extensions": "jinja2.ext.do", "silent": "false"}
OPTIONS = {"**/templates/**.html": TEMPLATE, "**/templates/**.txt": TEMPLATE}


def path_of(locale: str) -> Path:
    """Return where the catalogue of the language is kept."""
    return CATALOGUES / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def extract() -> Catalog:
    """Gather every sentence marked for translation from the sources."""
    template = Catalog(project="Daftar", charset="utf-8", fuzzy=False)
    for box in SOURCES:
        found = extract_from_dir(
            str(ROOT / box),
            METHODS,
            OPTIONS,
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            directory_filter=has_sources,
        )
        for name, _line, message, comments, context in sorted(found, key=lambda hit: hit[:2]):
            place = f"{box}/{name}"
            template.add(message, locations=[(place, 0)], auto_comments=comments, context=context)
    return template


def has_sources(folder: str | os.PathLike[str]) -> bool:
    """Tell whether the folder holds our own sources, nothing built and nothing fetched."""
    name = Path(folder).name
    return not name.startswith((".", "__")) and name not in {"assets", "static", "build"}


def begin(locale: str) -> Catalog:
    """Return an empty catalogue of the language."""
    return Catalog(
        locale=locale,
        domain=DOMAIN,
        project="Daftar",
        header_comment=f"# The words of Daftar in {Locale.parse(locale).english_name}.\n#",
        last_translator="Daftar",
        language_team="Daftar",
        msgid_bugs_address="Daftar",
        fuzzy=False,
    )


def load(locale: str) -> Catalog:
    """Read the catalogue of the language, or begin an empty one."""
    path = path_of(locale)
    if not path.exists():
        return begin(locale)
    with path.open("rb") as source:
        return read_po(source, locale=locale, domain=DOMAIN)


def sentences(catalog: Catalog) -> Iterator[Message]:
    """Yield the messages of a catalogue without its header."""
    return (message for message in catalog if message.id)


def update() -> None:
    """Take new sentences into both catalogues and drop those that nobody says any more."""
    template = extract()
    for locale in LOCALES:
        catalog = load(locale)
        begun = catalog.creation_date
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.creation_date = begun
        path = path_of(locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            write_po(target, catalog, width=100, sort_by_file=True, include_lineno=False)
        waiting = sum(1 for message in sentences(catalog) if not is_translated(message))
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(catalog)} sentences, {waiting} wait\n")


def compile_all() -> None:
    """Write the .mo files that the running house reads."""
    for locale in LOCALES:
        path = path_of(locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".mo").open("wb") as target:
            write_mo(target, load(locale))


def is_translated(message: Message) -> bool:
    """Tell whether every form of the sentence has its translation."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(forms) and not message.fuzzy


def faults_of(locale: str, template: Catalog) -> list[str]:
    """Say what the catalogue of the language lacks."""
    catalog = load(locale)
    wanted = {(message.id, message.context) for message in sentences(template)}
    kept = {(message.id, message.context): message for message in sentences(catalog)}
    faults = [f"{locale}: not in the catalogue: {key[0]!r}" for key in wanted - kept.keys()]
    faults += [f"{locale}: nobody says it any more: {key[0]!r}" for key in kept.keys() - wanted]
    for key in wanted & kept.keys():
        message = kept[key]
        if not is_translated(message):
            faults.append(f"{locale}: not translated: {message.id!r}")
        faults += [f"{locale}: {message.id!r}: {error}" for error in message.check(catalog)]
    return sorted(faults)


def check() -> int:
    """Print the faults of both catalogues and return 1 when there is one."""
    template = extract()
    faults = [fault for locale in LOCALES for fault in faults_of(locale, template)]
    for fault in faults[:SHOWN]:
        sys.stdout.write(f"{fault}\n")
    if faults:
        sys.stdout.write(f"{len(faults)} faults, the first {min(len(faults), SHOWN)} above. ")
        sys.stdout.write("Run 'make translations', then translate what waits.\n")
    return 1 if faults else 0


def main(arguments: list[str]) -> int:
    """Do what the first argument says: update, compile or check."""
    match arguments:
        case ["update"]:
            update()
        case ["compile"]:
            compile_all()
        case ["check"]:
            return check()
        case _:
            sys.stderr.write("Say one of: update, compile, check\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
