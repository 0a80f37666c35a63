"""What is particular to one application: the CRM, or the vendor's authority."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Request

from server.core.actor import Actor
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard


def _nobody(_request: Request) -> Actor | None:
    return None


@dataclass
class Door:
    """What one application brings along: its database, how it knows visitors, how it shows errors.

    `authenticate` returns the actor behind a request or None. `page_of_error` renders an error for a
    browser. `api_prefixes` answer with problem documents instead of pages. `check_network` may refuse
    a request by its address.
    """

    database: Database
    secret_key: bytes
    authenticate: Callable[[Request], Actor | None] = _nobody
    page_of_error: Callable[[int, str, str], str] | None = None
    board: EntitlementsBoard | None = None
    check_request: Callable[[Request], None] | None = None
    api_prefixes: tuple[str, ...] = ("/api/",)
    default_locale: str = "en"
    https: bool = False
    config: dict[str, Any] = field(default_factory=dict)


def door_of(app: Flask) -> Door:
    """Return what this application brought along."""
    door: Door = app.extensions["daftar.door"]
    return door
