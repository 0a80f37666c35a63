"""Pages on paper: a template of ours as an A4 PDF (WeasyPrint). Nothing is fetched from anywhere."""

from collections.abc import Mapping
from email.message import Message
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from server.core import qr
from server.core.format import date, datetime, filesize, zoned
from server.core.i18n import current_locale, direction, gettext, ngettext

if TYPE_CHECKING:  # the typesetter is loaded by whoever prints
    from weasyprint.urls import URLFetcher  # type: ignore[import-untyped] # ships no types

SCHEME = "paper:"
WEIGHTS = {"Vazirmatn-Regular": 400, "Vazirmatn-Medium": 500, "Vazirmatn-Bold": 700}


def print_pdf(package: str, template: str, fonts: Path | None, **values: object) -> bytes:
    """Return the template of the package as PDF, in the language that is spoken."""
    from weasyprint import HTML  # type: ignore[import-untyped] # ships no types

    given = _fonts(fonts)
    html = _environment(package).get_template(template)
    text = html.render(
        locale=current_locale(),
        direction=direction(),
        fonts={name: WEIGHTS[name.split(".")[0]] for name in given},
        **values,
    )
    return bytes(HTML(string=text, url_fetcher=_fetcher(given)).write_pdf())


@cache
def _environment(package: str) -> Environment:
    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(_=gettext, ngettext=ngettext, qr=_qr)
    made.filters.update(date=date, datetime=datetime, zoned=zoned, filesize=filesize)
    return made


def _qr(text: str) -> Markup:
    return Markup(qr.svg(text).decode())  # noqa: S704 - an SVG of ours, the text is in its dots


def _fonts(folder: Path | None) -> Mapping[str, bytes]:
    found = sorted(folder.glob("Vazirmatn-*.ttf")) if folder else []
    return {file.name: file.read_bytes() for file in found if file.stem in WEIGHTS}


def _fetcher(given: Mapping[str, bytes]) -> "URLFetcher":
    """Return what gives the template its fonts, and refuses every other address."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):  # type: ignore[misc] # an untyped base
        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            name = url.removeprefix(SCHEME)
            if not url.startswith(SCHEME) or name not in given:
                raise FatalURLFetchingError(f"A page on paper may not fetch {url}.")
            return URLFetcherResponse(url, given[name], Message(), 200)

    return OnlyOurs(allowed_protocols=())
