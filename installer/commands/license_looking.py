"""`daftar license preview | messages | confirm-machine | diagnose`: looking at the way to the vendor."""

import json

import click

from installer.checks import Status
from installer.commands.home import open_home
from installer.commands.license_status import show
from installer.commands.screen import COLOURS, MARKS, table
from server.activation.diagnosis import Check
from server.activation.rules import PART_CHANGES, PARTS, MachinePart, Message
from server.core.clock import rfc3339
from server.core.command_line import FOUND, HomeCommand, json_option, report
from server.core.format import zoned
from server.core.i18n import gettext as _


@click.command(cls=HomeCommand)
@json_option
def preview(as_json: bool) -> None:
    """Show in full what the next check-in will send, and nothing else is sent."""
    opened = open_home()
    text = opened.office.preview(opened.actor)
    lines = _readable(text) if text else _("This server is not activated, so nothing is sent.")
    report({"next": json.loads(text) if text else None}, lines, as_json=as_json)


@click.command(cls=HomeCommand)
@json_option
def messages(as_json: bool) -> None:
    """Show the last 50 messages to and from the vendor in full, the newest first."""
    opened = open_home()
    found = opened.office.messages(opened.actor)
    items = [
        {"at": rfc3339(one.at), "direction": one.direction, "kind": one.kind, "text": one.text}
        for one in found
    ]
    lines = "\n\n".join(map(_message, found)) or _("Nothing was sent or received yet.")
    report({"items": items}, lines, as_json=as_json)


@click.command(name="confirm-machine", cls=HomeCommand)
@json_option
def confirm_machine(as_json: bool) -> None:
    """Say that this is still the machine that was activated, after parts of it were changed."""
    opened = open_home()
    parts = opened.office.machine(opened.actor)
    opened.office.confirm_machine(opened.actor)
    if not as_json and parts:
        rows = [_row(part) for part in parts]
        click.echo(table([_("Part"), _("Since the activation")], rows) + "\n")
    show(opened, as_json=as_json)


def _row(part: MachinePart) -> list[str]:
    name = PARTS.get(part.name, part.name)
    return [_(name), _(PART_CHANGES[part.change])]


@click.command(cls=HomeCommand)
@json_option
@click.pass_context
def diagnose(context: click.Context, as_json: bool) -> None:
    """Find out which of name, connection, proxy, encryption or clock stands before the vendor."""
    opened = open_home()
    found = opened.office.doctor.look_now(opened.actor, _ignore if as_json else _show_check)
    report(found.document(), f"\n{found.cause}", as_json=as_json)
    context.exit(0 if found.ok else FOUND)


def _ignore(_check: Check) -> None:
    """Say nothing while a program waits for the document."""


def _show_check(check: Check) -> None:
    status = Status(check.status)
    sign = click.style(MARKS[status], fg=COLOURS[status])
    click.echo(f"{sign} {check.url}  {check.title}: {check.detail}")
    if check.fix:
        click.echo(f"    → {check.fix}")


def _message(one: Message) -> str:
    direction = _("sent") if one.direction == "sent" else _("received")
    return f"{zoned(one.at)}  {direction}  {one.kind}\n{_readable(one.text)}"


def _readable(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
