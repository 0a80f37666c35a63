"""The room of the licence: every page of it, on one blueprint."""

from client_web.license import diagnosis, offline, views
from client_web.license.frame import blueprint

__all__ = ["blueprint", "diagnosis", "offline", "views"]
