"""`python -m installer.demo`: set up what is missing, serve vendor and customer, stop both at Ctrl-C."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from installer.demo.house import ADMIN, COLLEAGUES, PASSWORD, House
from installer.demo.programs import LOOK_S, Program, require_free, stop, wait_until_well
from installer.demo.vendor import STAFF, Vendor
from server.core.command_line import CommandLine
from server.core.errors import Invalid, Unreachable
from server.core.i18n import gettext as _

PORT, AUTHORITY_PORT = "DAFTAR_PORT", "DAFTAR_AUTHORITY_PORT"


def _port(variable: str, usual: int) -> int:
    text = os.environ.get(variable) or str(usual)
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise Invalid(
            _(
                "%(name)s is no port: %(value)s. A port lies between 1 and 65535.",
                name=variable,
                value=text,
            )
        )
    return int(text)


@click.group(cls=CommandLine, invoke_without_command=True)
@click.option(
    "--var",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="The folder in which both homes live.",
)
def main(var: Path) -> None:
    """Run the demo until Ctrl-C."""
    vendor = Vendor(var.absolute() / "demo-authority", _port(AUTHORITY_PORT, 8100))
    house = House(var.absolute() / "demo", _port(PORT, 8000))
    _listen_to_signals()
    require_free(vendor.port, AUTHORITY_PORT)
    require_free(house.port, PORT)
    servers: list[subprocess.Popen[bytes]] = []
    try:
        _run(vendor, house, servers)
    finally:
        stop(*reversed(servers))
        click.echo(_("The demo has stopped. Its data is kept in %(path)s.", path=house.home))


def _listen_to_signals() -> None:
    """End in good order whoever asks: also a shell that starts us in the background, or a closed terminal."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _run(vendor: Vendor, house: House, servers: list["subprocess.Popen[bytes]"]) -> None:
    if vendor.is_founded:
        vendor.prepare()
    else:
        _step(_("Founding the vendor's authority"), vendor.prepare)
    vendor.let_in(PASSWORD)
    authority = _start(vendor.program, vendor.port, servers)
    if house.is_ready:
        house.adjust(vendor)
        crm = _start(house.program, house.port, servers)
        authority()
    else:
        authority()
        _set_up(vendor, house)
        crm = _start(house.program, house.port, servers)
    crm()
    click.echo(_welcome(vendor, house))
    _watch(*servers)


def _set_up(vendor: Vendor, house: House) -> None:
    _step(_("Installing the CRM"), lambda: house.install(vendor))
    _step(_("Activating its licence"), lambda: house.activate(vendor.code()))
    _step(_("Loading people and records"), house.fill)
    _step(_("Making a first backup and proving it by a restore"), house.back_up)
    house.finish()


def _start(
    program: Program, port: int, servers: list["subprocess.Popen[bytes]"]
) -> Callable[[], None]:
    """Start a server and return what waits until it is well."""
    log = program.home / "serve.log"
    server = program.start("serve", "--port", str(port), log=log)
    servers.append(server)
    return lambda: wait_until_well(server, port, log)


def _step(title: str, work: Callable[[], None]) -> None:
    click.echo(f"{title} …")
    work()


def _watch(authority: "subprocess.Popen[bytes]", crm: "subprocess.Popen[bytes]") -> None:
    """Stay until Ctrl-C or the end of the CRM, which needs no vendor to go on."""
    with suppress(KeyboardInterrupt):
        while crm.poll() is None and authority.poll() is None:
            time.sleep(LOOK_S)
        if crm.poll() is None:
            click.echo(_("The licence authority has ended; Daftar goes on without it."))
        while crm.poll() is None:
            time.sleep(LOOK_S)
    if crm.poll() is not None:
        raise Unreachable(_("Daftar has ended; its serve.log says why."))


def _welcome(vendor: Vendor, house: House) -> str:
    people = "\n".join(f"  {email:<22} {name}" for email, name, _role in (ADMIN, *COLLEAGUES))
    return _(
        "\n"
        "Daftar:             http://127.0.0.1:%(port)s\n"
        "Licence authority:  %(authority)s\n"
        "\n"
        "Sign in as one of these, password %(password)s:\n"
        "%(people)s\n"
        "\n"
        "Vendor's console:   %(authority)s/console\n"
        "Sign in as %(staff)s, same password. Second factor, for an authenticator app:\n"
        "  %(secret)s\n"
        "  “make demo-code” prints the code of this half minute.\n"
        "\n"
        "Activation code:    in %(sold)s\n"
        "Commands: .venv/bin/daftar --home %(home)s --help\n"
        "Ctrl-C stops both; “make demo-reset” starts over.",
        port=house.port,
        authority=vendor.url,
        password=PASSWORD,
        people=people,
        staff=STAFF,
        secret=vendor.second_factor,
        home=house.home,
        sold=vendor.sold,
    )


if __name__ == "__main__":
    main()
