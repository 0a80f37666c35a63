"""How a letter looks: plain text, and the same as simple HTML in the direction of its language."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from server.core.i18n import current_locale, direction


@dataclass(frozen=True)
class Written:
    """A letter's two forms, in the language that was spoken when it was written."""

    subject: str
    body: str
    html: str
    locale: str


def write_letter(
    subject: str,
    paragraphs: Sequence[str],
    *,
    link: tuple[str, str] | None = None,
    footer: Sequence[str] = (),
) -> Written:
    """Return subject, text and HTML. `link` is a label with an address; the footer says why it came."""
    plain = [*paragraphs]
    if link:
        plain.append(f"{link[0]}\n{link[1]}")
    body = "\n\n".join(plain)
    if footer:
        body += "\n\n-- \n" + "\n".join(footer)
    parts = [f"<h1>{escape(subject)}</h1>"]
    parts += [f"<p>{_lines(paragraph)}</p>" for paragraph in paragraphs]
    if link:
        address = escape(link[1], quote=True)
        parts.append(f'<p><a href="{address}">{escape(link[0])}</a><br>{_isolated(link[1])}</p>')
    if footer:
        parts.append("<hr>")
        parts += [f"<p><small>{_lines(line)}</small></p>" for line in footer]
    locale = current_locale()
    head = f'<!doctype html>\n<html lang="{locale}" dir="{direction()}">'
    title = f'<head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
    inner = "\n".join(parts)
    html = f'{head}\n{title}\n<body dir="{direction()}">\n{inner}\n</body>\n</html>\n'
    return Written(subject, body, html, locale)


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _isolated(address: str) -> str:
    return f'<bdi dir="ltr">{escape(address)}</bdi>'
