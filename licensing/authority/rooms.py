"""`daftar-authority`, the vendor's command. What each subcommand does lives in `commands/`."""

import click

from licensing.authority.commands import (
    audit,
    backup,
    customer,
    init,
    keys,
    license,  # noqa: A004 - the trade's word
    notify,
    serve,
    staff,
)
from server.core.command_line import CommandLine
from server.core.version import VERSION


@click.group(cls=CommandLine)
@click.version_option(VERSION, prog_name="daftar-authority")
def main() -> None:
    """Sell and look after licences of Daftar."""


for command in (
    init.command,
    serve.command,
    customer.group,
    license.group,
    keys.group,
    staff.group,
    audit.group,
    backup.group,
    notify.group,
):
    main.add_command(command)
