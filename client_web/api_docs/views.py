"""The page of the API: an introduction, every operation, and what comes back."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.api_docs.operations import Manual, read_manual
from server.http.access import signed_in

blueprint = Blueprint("api_docs", __name__)

LONGEST = 100
TONES = {"get": "blue", "post": "green", "put": "amber", "patch": "amber", "delete": "red"}


def _manual() -> Manual:
    """Return the manual, made once per application from what the API's own door says."""
    known: Manual | None = current_app.extensions.get("daftar.api_manual")
    if known is None:
        describe: Callable[[], dict[str, Any]] = current_app.extensions["daftar.describe_api"]
        known = current_app.extensions["daftar.api_manual"] = read_manual(describe())
    return known


def _spans(text: str) -> list[tuple[str, bool]]:
    """Return the text in pieces, and of each whether it stood between backticks."""
    pieces = re.split(r"`([^`]*)`", text)
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]


@blueprint.get("/api/docs")
@signed_in(always=True)
def page() -> ResponseReturnValue:
    """Show how programs speak to Daftar."""
    whole = _manual()
    words = request.args.get("q", "")[:LONGEST].strip()
    part = request.args.get("part", "")
    return render_template(
        "api_docs/page.html",
        whole=whole,
        found=whole.about(words, part),
        q=words,
        part=part,
        path=url_for("api_docs.page"),
        root=request.url_root.rstrip("/"),
        tones=TONES,
        spans=_spans,
        phrase=lambda status: HTTPStatus(int(status)).phrase,
    )
