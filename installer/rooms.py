"""`daftar`, the command of the installation. What each subcommand does lives in `commands/`."""

from collections.abc import Mapping
from importlib import import_module

import click

from server.core.command_line import CommandLine
from server.core.version import VERSION

# A room is imported when it is entered, so that a short command does not wait for all the others.
ROOMS: Mapping[str, str] = {
    "audit": "audit:group",
    "backup": "backup:group",
    "db": "db:group",
    "doctor": "checks:doctor",
    "export": "exporting:group",
    "form": "form:group",
    "import": "importing:group",
    "install": "install:install",
    "license": "license:group",
    "logs": "logs:logs",
    "notify": "notify:group",
    "preflight": "checks:preflight",
    "seats": "seats:group",
    "serve": "serve:serve",
    "status": "status:status",
    "token": "token:group",
    "user": "user:group",
}


class Rooms(CommandLine):
    """The outermost group: it knows where each command lives."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(ROOMS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command of that name, None when there is none."""
        if name not in ROOMS:
            return None
        module, _colon, attribute = ROOMS[name].partition(":")
        command: click.Command = getattr(import_module(f"installer.commands.{module}"), attribute)
        return command


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="daftar")
def main() -> None:
    """Install, serve and look after Daftar on this server."""
