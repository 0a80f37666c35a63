"""`daftar serve`: the web processes, and one process for what runs by the clock."""

import threading
from dataclasses import replace

import click

from installer.commands.home import open_database, open_settings
from installer.running import serving
from server.activation.outside import OutsideTally
from server.activation.service import LicenseOffice
from server.app import create_app
from server.audit.service import watch
from server.core.command_line import HomeCommand
from server.core.config import Settings, check_settings
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from server.core.i18n import gettext as _
from server.core.log import start_log
from server.core.schedule import Scheduler
from server.http.app import DaftarFlask
from server.http.network import TALLY
from server.jobs import jobs
from server.users.presence import Presence
from server.wsgi import Serving
from server.wsgi import serve as serve_until_stopped


@click.command(cls=HomeCommand)
@click.option("--host", help="The address to listen on, instead of the configured one.")
@click.option("--port", type=int, help="The port to listen on, instead of the configured one.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the pages and the API, and do what runs by the clock, until Ctrl-C or SIGTERM."""
    settings = _settings(host, port)
    _look_before(settings)
    start_log(settings.log.level, settings.log_dir)
    web = settings.web
    with serving(settings):
        serve_until_stopped(
            Serving(
                host=web.host,
                port=web.port,
                make_app=lambda: _make_app(settings),
                processes=web.processes,
                threads=web.threads,
                run_jobs=lambda stop: _run_jobs(settings, stop),
                trusted_proxies=web.proxies,
                on_ready=lambda: _say_ready(settings),
            )
        )
    click.echo(_("Stopped."))


def _settings(host: str | None, port: int | None) -> Settings:
    settings = open_settings()
    web = settings.web
    asked = replace(web, host=host or web.host, port=web.port if port is None else port)
    settings = replace(settings, web=asked)
    check_settings(settings)
    return settings


def _look_before(settings: Settings) -> None:
    """Refuse here, where somebody reads it, what would stop every process that is started."""
    database = open_database(settings)
    try:
        create_app(settings, database, *_licensed(settings, database))
    finally:
        database.dispose()


def _licensed(settings: Settings, database: Database) -> tuple[EntitlementsBoard, LicenseOffice]:
    board = EntitlementsBoard()
    return board, LicenseOffice(settings, database, board)


def _make_app(settings: Settings) -> DaftarFlask:
    database = Database(settings.database_url)
    board, office = _licensed(settings, database)
    watching = threading.Thread(
        target=office.watch, args=(threading.Event(),), name="license", daemon=True
    )
    watching.start()
    app = create_app(settings, database, board, office)
    presence: Presence = app.extensions["daftar.presence"]
    beating = threading.Thread(
        target=presence.keep, args=(threading.Event(),), name="presence", daemon=True
    )
    beating.start()
    tally = OutsideTally(database)
    app.extensions[TALLY] = tally
    counting = threading.Thread(
        target=tally.watch, args=(threading.Event(),), name="outside", daemon=True
    )
    counting.start()
    return app


def _run_jobs(settings: Settings, stop: threading.Event) -> None:
    database = Database(settings.database_url)
    watch(database)
    _board, office = _licensed(settings, database)
    Scheduler(database, jobs(settings, database, office)).run(stop)
    database.dispose()


def _say_ready(settings: Settings) -> None:
    host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
    click.echo(
        _(
            "Daftar serves http://%(host)s:%(port)s. Ctrl-C stops it.",
            host=host,
            port=settings.web.port,
        )
    )
