"""The room of deals: every page of it, on one blueprint."""

from client_web.deals import board, editing, views
from client_web.deals.frame import blueprint

__all__ = ["blueprint", "board", "editing", "views"]
