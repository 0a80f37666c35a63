"""A filled form as PDF (WeasyPrint), in fa, en and fr. Nothing is fetched from anywhere."""

import io
from collections.abc import Mapping
from email.message import Message
from functools import cache
from importlib.resources import files
from urllib.parse import urlencode

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import HTML  # type: ignore[import-untyped]  # ships no types
from weasyprint.urls import (  # type: ignore[import-untyped]  # ships no types
    FatalURLFetchingError,
    URLFetcher,
    URLFetcherResponse,
)

from installer.forms.calendar import show_number, text_direction
from installer.forms.form import Form
from installer.forms.page import PrintOptions, lay_out, picture_name
from installer.forms.wording import say

SCHEME = "form-asset:"
WEIGHTS = {"Vazirmatn-Regular": 400, "Vazirmatn-Medium": 500, "Vazirmatn-Bold": 700}


def render_pdf(form: Form, options: PrintOptions) -> bytes:
    """Return the form as an A4 PDF in the language of the options."""
    fetcher = _OnlyOurs(_assets(form, options))
    document = HTML(string=render_html(form, options), url_fetcher=fetcher)
    return bytes(document.write_pdf())


def render_html(form: Form, options: PrintOptions) -> str:
    """Return the page that `render_pdf` prints."""
    template = _environment().get_template("form.html")
    return template.render(
        page=lay_out(form, options),
        has_logo=bool(options.letterhead.logo),
        locale=options.locale,
        direction="rtl" if options.locale == "fa" else "ltr",
        fonts={name: WEIGHTS[name.split(".")[0]] for name in _fonts(options)},
        style=Markup(_style()),  # noqa: S704 - our own file, not a reader's text
        qr=Markup(_qr(form)),  # noqa: S704 - SVG made by segno from a URL-encoded text
        text_direction=lambda text: text_direction(text, options.locale),
        number=lambda number: show_number(number, options.locale),
        say=lambda key: say(f"print.{key}", options.locale),
    )


def qr_text(form: Form) -> str:
    """Return what the QR code says: form, version, reference and content hash."""
    facts = {"v": form.version, "ref": form.reference, "sha256": form.content_hash}
    return f"daftar-form:{form.code}?{urlencode(facts)}"


def _qr(form: Form) -> str:
    stream = io.BytesIO()
    code = segno.make(qr_text(form), error="m", micro=False)
    code.save(stream, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=0)
    return stream.getvalue().decode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("installer.forms"), autoescape=True, undefined=StrictUndefined
    )


@cache
def _style() -> str:
    return files("installer.forms").joinpath("templates/form.css").read_text(encoding="utf-8")


def _fonts(options: PrintOptions) -> Mapping[str, bytes]:
    if options.font_dir is None:
        return {}
    found = sorted(options.font_dir.rglob("Vazirmatn-*.*"))
    return {
        file.name: file.read_bytes()
        for file in found
        if file.stem in WEIGHTS and file.suffix in {".woff2", ".ttf"}
    }


def _assets(form: Form, options: PrintOptions) -> Mapping[str, bytes]:
    assets = dict(_fonts(options))
    if options.letterhead.logo:
        assets["logo"] = options.letterhead.logo
    visits = [visit.signature for visit in form.visits if visit.signature is not None]
    for signature in (*visits, *form.signatures):
        if signature.picture:
            assets[picture_name(signature.slot)] = signature.picture
    return assets


class _OnlyOurs(URLFetcher):  # type: ignore[misc]  # an untyped base
    """Gives the template the fonts and pictures it was handed, and refuses every other address."""

    def __init__(self, assets: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=())
        self._given = assets

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """Return an asset; anything else stops the rendering."""
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME) or name not in self._given:
            raise FatalURLFetchingError(f"A form may not fetch {url}.")
        return URLFetcherResponse(url, self._given[name], Message(), 200)
