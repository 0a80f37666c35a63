"""QR codes as pictures: for pages, for files, for a terminal. What they say is the caller's."""

import io

import segno

_BORDER = 4  # the quiet zone that readers ask for


def svg(text: str) -> bytes:
    """Return the code as an SVG that takes the size of its place; it has a white ground."""
    stream = io.BytesIO()
    _code(text).save(
        stream, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=_BORDER, light="#fff"
    )
    return stream.getvalue()


def png(text: str, scale: int = 8) -> bytes:
    """Return the code as a PNG, `scale` pixels to a module."""
    stream = io.BytesIO()
    _code(text).save(stream, kind="png", scale=scale, border=_BORDER)
    return stream.getvalue()


def terminal(text: str) -> str:
    """Return the code in half blocks, dark on light, for a terminal of at least 80 columns."""
    stream = io.StringIO()
    segno.make_qr(text, error="l", boost_error=False).terminal(
        out=stream, border=_BORDER, compact=True
    )
    return stream.getvalue()


def _code(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m", boost_error=False)
