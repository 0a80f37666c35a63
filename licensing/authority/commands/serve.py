"""`daftar-authority serve`."""

import logging
import threading
from dataclasses import replace

import click

from licensing.authority.backups.restoring import serving
from licensing.authority.commands.home import bring_up_to_date, home_settings
from licensing.authority.config import Settings
from licensing.authority.db.opening import open_database
from licensing.authority.housekeeping import jobs
from licensing.authority.keys.store import Keys, open_keys
from licensing.authority.monitoring.sharing import share
from server.core import clock
from server.core.command_line import HomeCommand
from server.core.i18n import gettext as _
from server.core.schedule import Scheduler
from server.wsgi import App, Serving, serve

log = logging.getLogger(__name__)


@click.command("serve", cls=HomeCommand)
@click.option(
    "--host", metavar="H", help="The address to listen on; by default that of the settings."
)
@click.option("--port", type=click.IntRange(1, 65_535), metavar="N", help="The port to listen on.")
def command(*, host: str | None, port: int | None) -> None:
    """Answer customers' servers until SIGTERM or Ctrl-C."""
    settings = home_settings()
    web = replace(settings.web, host=host or settings.web.host, port=port or settings.web.port)
    settings = replace(settings, web=web)
    # Refused here, loudly and once, rather than by every process that is started.
    keys = open_keys(settings)
    keys.check(clock.timestamp())
    bring_up_to_date(settings)
    with serving(settings):
        serve(_serving(settings, keys))


def _serving(settings: Settings, keys: Keys) -> Serving:
    web = settings.web

    share(settings.home)  # before anything that counts is loaded
    # Loaded before the fork, and by no other command: the web framework takes its time.
    from licensing.authority.app import make_authority

    def make() -> App:
        return make_authority(settings, open_database(settings), keys)

    def work(stop: threading.Event) -> None:
        database = open_database(settings)
        Scheduler(database, jobs(settings, database, keys)).run(stop)

    def tell() -> None:
        address = f"[{web.host}]" if ":" in web.host else web.host
        click.echo(
            _(
                "The authority answers at http://%(address)s:%(port)s",
                address=address,
                port=web.port,
            )
        )

    return Serving(
        host=web.host,
        port=web.port,
        make_app=make,
        processes=web.processes,
        threads=web.threads,
        run_jobs=work,
        trusted_proxies=web.trusted_proxies,
        on_ready=tell,
    )
