"""The room of backups: every module that adds pages to it."""

from client_web.backups import keys, months, views

__all__ = ["blueprint", "keys", "months"]

blueprint = views.blueprint
