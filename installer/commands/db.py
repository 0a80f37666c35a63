"""`daftar db`: the shape of the database."""

import click
from alembic.util import CommandError

from installer.commands.home import open_settings, require_database_file
from server.core.command_line import HomeGroup
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.migrations.run import current, head
from server.migrations.run import upgrade as migrate


@click.group(name="db", cls=HomeGroup)
def group() -> None:
    """Look after the database."""


@group.command()
def upgrade() -> None:
    """Bring the database to the shape that this release needs."""
    settings = open_settings()
    require_database_file(settings)
    before = current(settings.database_url)
    if before == head():
        click.echo(_("The database has the right shape already: %(revision)s.", revision=before))
        return
    try:
        migrate(settings.database_url)
    except CommandError as error:
        raise Missing(
            _(
                "The database is at revision %(before)s, which this release does not know. "
                "Install the release that made it, or a newer one.",
                before=before,
            ),
            code="unknown_revision",
        ) from error
    click.echo(
        _(
            "The database was brought from %(before)s to %(after)s.",
            before=before or _("nothing"),
            after=head(),
        )
    )
