"""Forms on disk: every change is a new file, chained by hash to the one before; none is rewritten."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from installer.forms.definition import latest
from installer.forms.form import Form, canonical, sha256
from installer.forms.json_form import Fields, Record, form_record, load_object, read_form
from installer.forms.succession import check_succession
from installer.forms.wording import FormError


@dataclass(frozen=True)
class Revision:
    """One file of the chain: its number from 1, its own hash, the one before it, and the form."""

    number: int
    digest: str
    previous: str
    form: Form


class FormStore:
    """The forms of one delivery below one directory, `<directory>/<CODE>/000001.json` and so on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def history(self, code: str) -> tuple[Revision, ...]:
        """Return all revisions of a form, oldest first, with the chain and every rule checked."""
        revisions: list[Revision] = []
        for file in sorted(self._folder(code).glob("[0-9]*.json")):
            revision = _read(code, file, len(revisions) + 1)
            self._check_link(code, file, revisions, revision)
            revisions.append(revision)
        return tuple(revisions)

    def latest(self, code: str) -> Revision | None:
        """Return the newest revision of a form, or None before it was opened."""
        revisions = self.history(code)
        return revisions[-1] if revisions else None

    def versions(self, code: str) -> tuple[Revision, ...]:
        """Return the last revision of each version of a form, oldest version first."""
        return tuple({each.form.version: each for each in self.history(code)}.values())

    def forms(self, *codes: str) -> tuple[Form, ...]:
        """Return the newest state of the forms that exist, as prerequisites for others."""
        found = [self.latest(code) for code in codes]
        return tuple(revision.form for revision in found if revision is not None)

    def publish(self, form: Form, *, after: int) -> Revision:
        """Add a revision after number `after` (0 for the first); FormError if someone was first."""
        revisions = self.history(form.code)
        if len(revisions) != after:
            raise FormError("changed_meanwhile", code=form.code)
        before = revisions[-1] if revisions else None
        check_succession(before.form if before else None, form)
        previous = before.digest if before else ""
        number = after + 1
        data = canonical({"number": number, "previous": previous, "form": form_record(form)})
        self._write(form.code, number, data)
        return Revision(number, sha256(data), previous, form)

    def _folder(self, code: str) -> Path:
        return self._directory / latest(code).code

    def _check_link(
        self, code: str, file: Path, earlier: list[Revision], revision: Revision
    ) -> None:
        before = earlier[-1] if earlier else None
        if revision.previous != (before.digest if before else ""):
            raise FormError(
                "chain_broken", code=code, file=file.name, reason="the file before it was changed"
            )
        try:
            check_succession(before.form if before else None, revision.form)
        except FormError as error:
            raise FormError("chain_broken", code=code, file=file.name, reason=error) from error

    def _write(self, code: str, number: int, data: bytes) -> None:
        folder = self._folder(code)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{number:06}.{secrets.token_hex(6)}"
        try:
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            # A link, unlike a rename, fails when the name is taken: two writers cannot both win.
            (folder / f"{number:06}.json").hardlink_to(temporary)
        except FileExistsError as error:
            raise FormError("changed_meanwhile", code=code) from error
        finally:
            temporary.unlink(missing_ok=True)
        _sync(folder)


def _read(code: str, file: Path, number: int) -> Revision:
    data = file.read_bytes()
    try:
        fields = Fields(load_object(data), "revision")
        written = fields.integer("number")
        previous = fields.text("previous")
        form = read_form(_record(fields))
        fields.end()
        again = canonical({"number": written, "previous": previous, "form": form_record(form)})
    except FormError as error:
        raise FormError("chain_broken", code=code, file=file.name, reason=error) from error
    if written != number or file.name != f"{number:06}.json" or form.code != code:
        raise FormError("chain_broken", code=code, file=file.name, reason="it is out of its place")
    if again != data:
        raise FormError("chain_broken", code=code, file=file.name, reason="it is not canonical")
    return Revision(number, sha256(data), previous, form)


def _record(fields: Fields) -> Record:
    value = fields.take("form")
    if not isinstance(value, dict):
        raise FormError("bad_json", reason="form is not an object")
    return value


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
