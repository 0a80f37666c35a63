"""All checks of the preflight in their order, and running them."""

from collections.abc import Callable, Mapping

from installer.checks import Check, CheckReport, CheckResult, run_checks, titles
from installer.preflight import authority, database, host, maintenance, network, storage
from installer.preflight.plan import PreflightPlan
from server.core.i18n import mark

PreflightReport = CheckReport

CHECKS: tuple[Check[PreflightPlan], ...] = (
    Check(
        "operating-system",
        mark("Operating system"),
        mark("The product is tested on Debian and Ubuntu."),
        host.operating_system,
    ),
    Check(
        "processors",
        mark("Processors"),
        mark("Backups and reports must not slow down your colleagues."),
        host.processors,
    ),
    Check(
        "memory",
        mark("Memory"),
        mark("Without enough memory the service is stopped by the system."),
        host.memory,
    ),
    Check(
        "python",
        mark("Python"),
        mark("The product is written for Python 3.11 and newer."),
        host.python,
    ),
    Check(
        "libraries",
        mark("System libraries"),
        mark("Quotes and delivery forms are printed as PDF with them."),
        host.libraries,
    ),
    Check(
        "rights",
        mark("Rights of this user"),
        mark("A service for everybody is registered by root."),
        host.rights,
    ),
    Check(
        "service-manager",
        mark("Service manager"),
        mark("The service starts by itself after a restart of the server."),
        host.service_manager,
    ),
    Check(
        "time",
        mark("Time synchronisation"),
        mark("Licences, codes for signing in and reminders need the right time."),
        host.time_synchronisation,
    ),
    Check(
        "permissions",
        mark("Permissions of folders"),
        mark("Configuration, data and backups must be written."),
        storage.permissions,
    ),
    Check(
        "leftovers",
        mark("Earlier installation"),
        mark("Nothing of yours must be overwritten."),
        storage.leftovers,
    ),
    Check(
        "maintenance",
        mark("Maintenance of the licence"),
        mark("A perpetual licence covers what was built within its maintenance."),
        maintenance.covers_this_release,
    ),
    Check(
        "disk-space",
        mark("Free disk space"),
        mark("A full disk stops saving and backups."),
        storage.free_space,
    ),
    Check(
        "devices",
        mark("Separate disk for backups"),
        mark("A broken disk must not take data and backups together."),
        storage.separate_devices,
    ),
    Check(
        "file-system",
        mark("File system"),
        mark("The locks of SQLite do not hold on network file systems."),
        storage.file_system,
    ),
    Check(
        "disk-latency",
        mark("Speed of the disk"),
        mark("Every change is kept on disk before it is confirmed."),
        storage.sync_latency,
    ),
    Check(
        "port",
        mark("Port of the web service"),
        mark("Two programs cannot listen on one port."),
        network.port_free,
    ),
    Check(
        "host-name",
        mark("Name of the server on the LAN"),
        mark("Colleagues open the product by this name."),
        network.lan_name,
    ),
    Check(
        "authority-name",
        mark("Licence authority: name"),
        mark("The licence is activated and renewed online."),
        authority.name_resolves,
    ),
    Check(
        "authority-connection",
        mark("Licence authority: connection"),
        mark("A firewall must let the server out to the authority."),
        authority.port_answers,
    ),
    Check(
        "authority-service",
        mark("Licence authority: answer"),
        mark("The connection must be trusted and the service well."),
        authority.service_answers,
    ),
    Check(
        "database",
        mark("Database"),
        mark("All records live in it."),
        database.database,
    ),
    Check(
        "mail-relay",
        mark("Mail relay"),
        mark("Reminders and campaigns are sent through it."),
        network.mail_relay,
    ),
)


def run_preflight(
    plan: PreflightPlan, progress: Callable[[CheckResult], None] | None = None
) -> PreflightReport:
    """Look at everything an installation needs and change nothing (R-DEP-10)."""
    return run_checks(CHECKS, plan, progress)


def preflight_titles() -> Mapping[str, str]:
    """Return the titles by id in the reader's language, as `PrintOptions.check_titles` wants them."""
    return titles(CHECKS)
