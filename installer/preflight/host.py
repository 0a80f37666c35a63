"""Checks of the machine itself: system, processor, memory, Python, clock, rights, libraries."""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from installer.checks import Finding, failed, passed, skipped, warned
from installer.preflight.plan import Mode, PreflightPlan
from server.core.i18n import gettext as _

TRIED = {"debian": "12", "ubuntu": "22.04"}
LEAST_PYTHON = (3, 11)
LIBRARIES = (
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
)
LIBRARY_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
LEAST_MEMORY_MIB = 900
GOOD_MEMORY_MIB = 1900


def operating_system(_plan: PreflightPlan) -> Finding:
    """Pass on Debian and Ubuntu releases that were tried."""
    try:
        facts = platform.freedesktop_os_release()
    except OSError:
        return judge_system({"NAME": platform.system()})
    return judge_system(facts)


def judge_system(facts: dict[str, str]) -> Finding:
    """Judge the content of os-release."""
    name = facts.get("PRETTY_NAME") or facts.get("NAME", "?")
    least = TRIED.get(facts.get("ID", ""))
    fix = _("Use Debian 12 or Ubuntu 22.04 or newer; others may work and were not tried.")
    if least is None:
        return warned(_("%(name)s is not among the systems tried.", name=name), fix)
    version = facts.get("VERSION_ID", "")
    if not version:
        return warned(_("%(name)s does not name its version.", name=name), fix)
    if _numbers(version) < _numbers(least):
        return warned(_("%(name)s is older than the systems tried.", name=name), fix)
    return passed(name)


def processors(_plan: PreflightPlan) -> Finding:
    """Warn below two processors."""
    return judge_processors(len(os.sched_getaffinity(0)))


def judge_processors(count: int) -> Finding:
    """Judge how many processors we may use."""
    if count < 2:
        return warned(
            _("%(n)s processor", n=count),
            _("Give the server two or more: one serves, one makes backups and reports."),
        )
    return passed(_("%(n)s processors", n=count))


def memory(_plan: PreflightPlan) -> Finding:
    """Fail without enough memory to start, warn without enough to be quick."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal:"):
            return judge_memory(int(line.split()[1]) // 1024)
    return warned(_("The amount of memory is not known."), "free -m")


def judge_memory(mebibytes: int) -> Finding:
    """Judge the size of the main memory."""
    detail = _("%(n)s MiB", n=mebibytes)
    if mebibytes < LEAST_MEMORY_MIB:
        return failed(detail, _("Give the server at least 1 GiB of memory, better 2 GiB."))
    if mebibytes < GOOD_MEMORY_MIB:
        return warned(detail, _("Give the server 2 GiB of memory or more."))
    return passed(detail)


def python(_plan: PreflightPlan) -> Finding:
    """Fail on a Python older than the product was written for."""
    return judge_python((sys.version_info.major, sys.version_info.minor))


def judge_python(version: tuple[int, int]) -> Finding:
    """Judge the version of Python."""
    name = ".".join(str(part) for part in version)
    if version < LEAST_PYTHON:
        return failed(
            _("Python %(version)s is too old.", version=name), "apt-get install python3.11"
        )
    return passed(f"Python {name}")


def libraries(_plan: PreflightPlan) -> Finding:
    """Fail when a library that prints PDF is missing."""
    return judge_libraries([name for name in LIBRARIES if not _loads(name)])


def judge_libraries(missing: list[str]) -> Finding:
    """Judge which libraries could not be loaded."""
    if missing:
        return failed(
            _("These libraries are missing: %(names)s.", names=", ".join(missing)),
            f"apt-get install {LIBRARY_PACKAGES}",
        )
    return passed(_("All are there."))


def rights(plan: PreflightPlan) -> Finding:
    """Fail when a system-wide installation is asked for without root."""
    if plan.mode is Mode.USER:
        return skipped(_("An installation for one user needs no special rights."))
    if os.geteuid() != 0:
        return failed(
            _(
                "An installation for everybody is made by root; you are user number %(n)s.",
                n=os.geteuid(),
            ),
            "sudo daftar install …",
        )
    return passed("root")


def service_manager(plan: PreflightPlan) -> Finding:
    """Fail when services are to be registered and systemd does not run."""
    if plan.mode is Mode.USER:
        return skipped(_("An installation for one user registers no service."))
    if not Path("/run/systemd/system").is_dir():
        return failed(
            _("systemd does not run on this machine."),
            _('Install on a system started by systemd, or answer mode = "user".'),
        )
    return passed("systemd")


def time_synchronisation(_plan: PreflightPlan) -> Finding:
    """Warn unless some service says that the clock is synchronised."""
    if Path("/run/systemd/timesync/synchronized").exists():
        return judge_time("systemd-timesyncd", synchronised=True)
    for command, good in (
        (["chronyc", "-n", "tracking"], "Leap status     : Normal"),
        (["timedatectl", "show", "--property=NTPSynchronized"], "NTPSynchronized=yes"),
        (["ntpstat"], "synchronised to"),
    ):
        answer = _ask(command)
        if answer is not None:
            return judge_time(command[0], synchronised=good in answer)
    return judge_time("", synchronised=None)


def judge_time(source: str, *, synchronised: bool | None) -> Finding:
    """Judge what a time service said; None when nobody could be asked."""
    fix = "apt-get install systemd-timesyncd && timedatectl set-ntp true"
    if synchronised is None:
        return warned(_("Nobody here knows whether the clock is synchronised."), fix)
    if not synchronised:
        return warned(_("%(source)s says the clock is not synchronised.", source=source), fix)
    return passed(_("The clock is synchronised, says %(source)s.", source=source))


def _ask(command: list[str]) -> str | None:
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - fixed programs of the time services
            [program, *command[1:]], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
