"""`daftar form`: the delivery forms CL-OJ-05 and FO-OJ-21. Rules and print live in installer.forms."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from client_web.kit.assets import STATIC
from installer.commands.home import Opened, open_home
from installer.commands.screen import table
from installer.facts import evidence, licensed
from installer.forms.answers import read_answers
from installer.forms.definition import codes, latest
from installer.forms.evidence import record_evidence
from installer.forms.form import Answer, Form, Visit, VisitMode
from installer.forms.json_form import form_record
from installer.forms.page import Letterhead, PrintOptions
from installer.forms.rules import add_visit, amend, blockers, missing, next_visit, open_form
from installer.forms.rules import fill as put_in
from installer.forms.seal import Signer
from installer.forms.signing import sign as put_signature
from installer.forms.signing import sign_visit
from installer.forms.store import FormStore
from installer.forms.wording import FormError
from installer.preflight.run import preflight_titles
from installer.steps.places import read_forms_key
from server.core import clock
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import Broken, DaftarError, Invalid, Missing, NotFound
from server.core.i18n import LOCALES, current_locale, use_locale
from server.core.i18n import gettext as _

FOLDER = "forms"
ERRORS: dict[str, type[DaftarError]] = {
    "chain_broken": Broken,
    "signature_broken": Broken,
    "bad_json": Broken,
    "not_open": Missing,
    "incomplete": Missing,
    "unknown_form": NotFound,
}


@dataclass(frozen=True)
class Desk:
    """The forms of this installation, and whoever fills them in."""

    opened: Opened
    store: FormStore

    def prerequisites(self, code: str) -> tuple[Form, ...]:
        """Return the forms that this one rests on, as they stand."""
        required = latest(code).requires
        return self.store.forms(required) if required else ()

    def change(self, code: str, change: Callable[[Form], Form]) -> Form:
        """Open the form if need be, record the system's evidence, change it and keep it."""
        newest = self.store.latest(code)
        now, earlier = clock.now(), self.prerequisites(code)
        form = (
            newest.form
            if newest
            else open_form(code, self._reference(), now, prerequisites=earlier)
        )
        if not form.signatures:
            form = record_evidence(form, evidence(self.opened), now, prerequisites=earlier)
        changed = change(form)
        if newest is None or changed != newest.form:
            self.store.publish(changed, after=newest.number if newest else 0)
        return changed

    def existing(self, code: str) -> Form:
        """Return the newest state of a form, or raise NotFound."""
        newest = self.store.latest(code)
        required = latest(code).requires
        if newest is None and required:
            raise NotFound(
                _(
                    "%(code)s was not begun. %(required)s has to be complete first; then "
                    "“daftar form fill %(code)s” begins it.",
                    code=code,
                    required=required,
                )
            )
        if newest is None:
            raise NotFound(
                _("%(code)s was not begun. “daftar form fill %(code)s” begins it.", code=code)
            )
        return newest.form

    def _reference(self) -> str:
        found = licensed(self.opened).license_id
        if found is None:
            raise Missing(
                _("The form carries the licence's number: activate the licence first."),
                code="not_activated",
            )
        return found


@contextmanager
def _desk() -> Iterator[Desk]:
    """Open the forms; what they refuse becomes a refusal of the command line."""
    opened = open_home()
    try:
        yield Desk(opened, FormStore(opened.settings.files / FOLDER))
    except FormError as error:
        kind = ERRORS.get(error.code, Invalid)
        raise kind(error.sentence(current_locale()), code=error.code) from error


@click.group(name="form", cls=HomeGroup)
def group() -> None:
    """Fill in, sign and print the delivery forms CL-OJ-05 and FO-OJ-21."""


@group.command(name="list")
@json_option
def list_them(as_json: bool) -> None:
    """List the forms and what each still lacks."""
    with _desk() as desk:
        found = [(code, desk.store.latest(code)) for code in codes()]
        rows, records = [], []
        for code, newest in found:
            state, lacking = _state(desk, code, newest.form if newest else None)
            title = latest(code).title.read(current_locale())
            rows.append((code, title, state, str(lacking)))
            records.append({"code": code, "title": title, "state": state, "missing": lacking})
        lines = table((_("Code"), _("Form"), _("State"), _("Missing")), rows)
        report({"items": records}, lines, as_json=as_json)


def _state(desk: Desk, code: str, form: Form | None) -> tuple[str, int]:
    if form is not None:
        lacking = len(missing(form))
        return ("complete" if not lacking else "signed" if form.signatures else "open"), lacking
    required = latest(code).requires
    if not required:
        return "new", len(missing(open_form(code, "", clock.now())))
    known = desk.store.latest(required)
    reference = known.form.reference if known else ""
    lacking = len(blockers(latest(code), reference, desk.prerequisites(code)))
    if lacking:
        return "closed", lacking
    begun = open_form(code, reference, clock.now(), prerequisites=desk.prerequisites(code))
    return "new", len(missing(begun))


@group.command()
@click.argument("code")
@json_option
def show(code: str, as_json: bool) -> None:
    """Show the items of a form, their answers, and what is missing."""
    with _desk() as desk:
        newest = desk.store.latest(code)
        form, locale = newest.form if newest else None, current_locale()
        definition = form.definition if form else latest(code)
        rows = []
        for item in definition.items():
            answer = form.answer(item.id) if form else None
            kind = "|".join(option.id for option in item.options) or item.kind.value
            value = answer.value if answer else ""
            rows.append((item.id, item.by.value, kind, item.label.read(locale), value))
        lacking = [each.sentence(locale) for each in missing(form)] if form else []
        headings = (_("Item"), _("By"), _("Kind"), _("Question"), _("Answer"))
        lines = "\n".join([table(headings, rows), "", *(f"✗ {line}" for line in lacking)])
        document: dict[str, object] = {
            "code": code,
            "form": form_record(form) if form else None,
            "missing": lacking,
        }
        report(document, lines.rstrip(), as_json=as_json)


@group.command()
@click.argument("code")
@click.option("--answers", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--set", "given", multiple=True, metavar="ITEM=VALUE", help="One answer.")
@click.option("--by", default="", help="Whose answers these are.")
@json_option
def fill(code: str, answers: Path | None, given: tuple[str, ...], by: str, as_json: bool) -> None:
    """Put answers into a form; what the system knows itself is recorded anew each time."""
    with _desk() as desk:
        who = by or desk.opened.actor.name
        found = (*_from_file(answers, who), *(_from_words(words, who) for words in given))
        form = desk.change(code, lambda form: put_in(form, found) if found else form)
        _say(form, as_json=as_json)


def _from_file(path: Path | None, by: str) -> tuple[Answer, ...]:
    if path is None:
        return ()
    try:
        source = path.read_text(encoding="utf8")
    except UnicodeDecodeError as error:
        raise Invalid(_("%(path)s is no text in UTF-8.", path=path)) from error
    return read_answers(source, by=by, at=clock.now())


def _from_words(words: str, by: str) -> Answer:
    item, equals, value = words.partition("=")
    if not equals:
        raise Invalid(_("“%(words)s” is no answer: write item=value.", words=words))
    return Answer(item.strip(), value.strip(), by, clock.now())


@group.command()
@click.argument("code")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day.")
@click.option(
    "--mode", type=click.Choice([each.value for each in VisitMode]), default=VisitMode.ON_SITE.value
)
@click.option("--experts", required=True, help="Who worked.")
@click.option("--report", "said", required=True, help="What was done.")
@click.option("--number", type=int, help="Correct this visit instead of adding one.")
@json_option
def visit(  # noqa: PLR0913 - one parameter an option
    code: str, day: object, mode: str, experts: str, said: str, number: int | None, as_json: bool
) -> None:
    """Record the work report of a visit, which the buyer's representative then signs."""
    visited_on = date.fromisoformat(str(day)[:10])

    def record(form: Form) -> Form:
        place = next_visit(form) if number is None else number
        made = Visit(place, VisitMode(mode), visited_on, experts, said, clock.now())
        return add_visit(form, made)

    with _desk() as desk:
        _say(desk.change(code, record), as_json=as_json)


@group.command()
@click.argument("code")
@click.option("--slot", default="", help="The signature, such as representative_signature.")
@click.option("--visit", "number", type=int, help="Sign the report of this visit instead.")
@click.option("--name", required=True, help="Who signs: the very name in the form.")
@click.option("--role", required=True, help="In which role.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), metavar="PNG")
@json_option
def sign(  # noqa: PLR0913 - one parameter an option
    code: str,
    slot: str,
    number: int | None,
    name: str,
    role: str,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Sign a complete form, or a visit's report. What is signed can only be amended."""
    if bool(slot) == (number is not None):
        raise click.UsageError(_("Name either --slot or --visit."))
    signer = Signer(name, role, picture.read_bytes() if picture else b"")
    with _desk() as desk:
        key, now = read_forms_key(desk.opened.settings), clock.now()

        def put(form: Form) -> Form:
            if number is not None:
                return sign_visit(form, number, signer=signer, key=key, at=now)
            earlier = desk.prerequisites(code)
            return put_signature(form, slot, signer=signer, key=key, at=now, prerequisites=earlier)

        desk.existing(code)
        _say(desk.change(code, put), as_json=as_json)


@group.command(name="amend")
@click.argument("code")
@click.option("--reason", required=True, help="Why the signed form has to change.")
@json_option
def open_next_version(code: str, reason: str, as_json: bool) -> None:
    """Open the next version of a signed form; the signed one stays as it is."""
    with _desk() as desk:
        desk.existing(code)
        form = desk.change(code, lambda form: amend(form, reason, clock.now()))
        _say(form, as_json=as_json)


def _say(form: Form, *, as_json: bool) -> None:
    locale = current_locale()
    lacking = [each.sentence(locale) for each in missing(form)]
    head = _("%(code)s, version %(version)s", code=form.code, version=form.version)
    lines = [f"✗ {line}" for line in lacking] or [_("The form is complete and signed.")]
    document: dict[str, object] = {
        "code": form.code,
        "version": form.version,
        "content_sha256": form.content_hash,
        "missing": lacking,
    }
    report(document, "\n".join([head, *lines]), as_json=as_json)


@group.command()
@click.argument("code")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE"
)
@click.option("--lang", type=click.Choice(LOCALES), help="By default the organisation's.")
@click.option("--version", "number", type=int, help="An earlier version of the form.")
def pdf(code: str, out: Path, lang: str | None, number: int | None) -> None:
    """Print a form into a PDF file, as it stands."""
    from installer.forms.pdf import render_pdf  # loads the typesetter, which nothing else needs

    with _desk() as desk:
        form, settings = desk.existing(code), desk.opened.settings
        if number is not None:
            form = _version(desk, code, number)
        locale = lang or settings.organization.locale
        with use_locale(locale):
            titles = preflight_titles()
        options = PrintOptions(
            locale=locale,
            letterhead=Letterhead(settings.organization.name),
            font_dir=STATIC / "fonts",
            zone=ZoneInfo(settings.organization.timezone),
            check_titles=titles,
        )
        out.write_bytes(render_pdf(form, options))
        click.echo(_("%(code)s was printed into %(path)s.", code=code, path=out))


def _version(desk: Desk, code: str, number: int) -> Form:
    for revision in desk.store.versions(code):
        if revision.form.version == number:
            return revision.form
    raise NotFound(_("%(code)s has no version %(number)s.", code=code, number=number))
