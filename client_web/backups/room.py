"""The room of backups: every module that adds pages to it."""

from client_web.backups import keys, views

__all__ = ["blueprint", "keys"]

blueprint = views.blueprint
