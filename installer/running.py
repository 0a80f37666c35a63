"""Whether Daftar runs on this server: a lock that the service holds and dies with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from backup import lock
from server.core.config import Settings
from server.core.i18n import gettext as _

LOCK = "serve.lock"


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Hold the place of the service; raise Conflict when another has it, or its data is being exchanged.

    Its processes inherit the lock, so that it is free only when the last of them has gone.
    """
    refusal = _("Daftar runs here already, or a backup is being restored at this moment.")
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with lock.held(settings.run_dir / LOCK, refusal=refusal):
        yield


@contextmanager
def stopped(settings: Settings) -> Iterator[None]:
    """Hold off the service during the block; raise Conflict, with the way out, while it runs."""
    refusal = _(
        "Daftar is running on this server, and its data cannot be exchanged under it. Stop it first:"
        " “systemctl stop daftar”, or Ctrl-C where “daftar serve” runs. Then repeat the command."
    )
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with lock.held(settings.run_dir / LOCK, refusal=refusal):
        yield
