"""Checks of the places on disk: free space, device, file system, speed, permissions, leftovers."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from installer.checks import Finding, failed, passed, skipped, warned
from installer.preflight.plan import PreflightPlan
from server.core import clock
from server.core.i18n import gettext as _

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "9p"}
    | {"fuse.sshfs", "fuse.glusterfs"}
)
LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "overlay"}
)
GIB = 2**30
LEAST_FREE = {"data": GIB, "backups": GIB}
GOOD_FREE = {"data": 10 * GIB, "backups": 20 * GIB}
SLOW_MS = 20.0
SYNCS = 24


@dataclass(frozen=True)
class Mount:
    """One line of the mount table."""

    point: str
    kind: str


def nearest(path: Path) -> Path:
    """Return the path itself, or the nearest thing above it that exists."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def free_space(plan: PreflightPlan) -> Finding:
    """Judge the free space of the places for data and backups."""
    data, backups = nearest(plan.data), nearest(plan.backups)
    free = {
        "data": (plan.data, shutil.disk_usage(data).free),
        "backups": (plan.backups, shutil.disk_usage(backups).free),
    }
    return judge_space(free)


def judge_space(free: dict[str, tuple[Path, int]]) -> Finding:
    """Judge the free bytes of each place."""
    detail = " · ".join(f"{path}: {size / GIB:.1f} GiB" for path, size in free.values())
    for goal, verdict in ((LEAST_FREE, failed), (GOOD_FREE, warned)):
        for place, (path, size) in free.items():
            if size < goal[place]:
                wanted = goal[place] // GIB
                return verdict(
                    detail,
                    _("Free %(n)s GiB at %(path)s, or choose another disk.", n=wanted, path=path),
                )
    return passed(detail)


def separate_devices(plan: PreflightPlan) -> Finding:
    """Warn when one broken disk would take data and backups together."""
    data, backups = nearest(plan.data), nearest(plan.backups)
    if data.stat().st_dev == backups.stat().st_dev:
        return warned(
            _(
                "%(data)s and %(backups)s are on the same disk.",
                data=plan.data,
                backups=plan.backups,
            ),
            _("Put [paths] backups on another disk, and copy backups off this server."),
        )
    return passed(_("Data and backups are on different disks."))


def file_system(plan: PreflightPlan) -> Finding:
    """Refuse SQLite on a network file system, where its locks do not hold."""
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    mount = mount_of(nearest(plan.data), parse_mounts(table))
    if mount is None:
        return judge_file_system("", plan)
    return judge_file_system(mount.kind, plan)


def parse_mounts(table: str) -> tuple[Mount, ...]:
    """Read the lines of /proc/self/mountinfo."""
    mounts = []
    for line in table.splitlines():
        left, _dash, right = line.partition(" - ")
        point = left.split()[4].encode("ascii", "backslashreplace").decode("unicode_escape")
        mounts.append(Mount(point, right.split()[0]))
    return tuple(mounts)


def mount_of(path: Path, mounts: tuple[Mount, ...]) -> Mount | None:
    """Return the mount a path lies on: the longest matching one, the last of equals."""
    real = path.resolve()
    matching = [mount for mount in mounts if real.is_relative_to(mount.point)]
    return max(reversed(matching), key=lambda mount: len(mount.point), default=None)


def judge_file_system(kind: str, plan: PreflightPlan) -> Finding:
    """Judge the type of the file system below the data directory."""
    name = kind or "?"
    if kind in NETWORK and plan.sqlite:
        return failed(
            _("%(path)s is on %(kind)s; SQLite loses data there.", path=plan.data, kind=name),
            _("Choose a local disk for [paths] data, or PostgreSQL as [database] url."),
        )
    if kind not in LOCAL:
        return warned(
            _("%(path)s is on %(kind)s.", path=plan.data, kind=name),
            _("Choose a local disk with ext4 or xfs for [paths] data."),
        )
    return passed(_("%(path)s is on %(kind)s.", path=plan.data, kind=name))


def sync_latency(plan: PreflightPlan) -> Finding:
    """Measure how long the disk takes to keep a small write for good."""
    folder = nearest(plan.data)
    try:
        times = sorted(_sync_times(folder))
    except OSError:
        return skipped(_("%(path)s may not be written, so its speed is not known.", path=folder))
    return judge_latency(times[int(SYNCS * 0.9)])


def _sync_times(folder: Path) -> Iterator[float]:
    with _scratch(folder) as stream:
        for _turn in range(SYNCS):
            start = clock.monotonic()
            stream.write(b"\0" * 4096)
            stream.flush()
            os.fsync(stream.fileno())
            yield (clock.monotonic() - start) * 1000


def _scratch(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder, prefix=".daftar-preflight-")


def judge_latency(milliseconds: float) -> Finding:
    """Judge the time that nine of ten writes stay below."""
    detail = _("Nine of ten writes are kept within %(ms)s ms.", ms=f"{milliseconds:.1f}")
    if milliseconds > SLOW_MS:
        return warned(detail, _("Use an SSD for [paths] data; saving will feel slow on this disk."))
    return passed(detail)


def permissions(plan: PreflightPlan) -> Finding:
    """Fail when a folder that we need cannot be made or written by this user."""
    for path in (plan.home, plan.data, plan.backups):
        finding = _obstacle(path)
        if finding is not None:
            return finding
    return passed(_("All folders can be written."))


def _obstacle(path: Path) -> Finding | None:
    place = nearest(path)
    if not place.is_dir():
        return failed(
            _("%(place)s is a file, where the folder %(path)s is needed.", place=place, path=path),
            f"mv {place} {place}.old",
        )
    try:
        # Rights on paper say nothing about a read-only disk, and root has them everywhere.
        _scratch(place).close()
    except OSError as error:
        return failed(
            _(
                "The folder %(place)s is not writable by user number %(n)s: %(why)s.",
                place=place,
                n=os.geteuid(),
                why=error.strerror or error,
            ),
            f"sudo chown $(id -u) {place}",
        )
    return None


def leftovers(plan: PreflightPlan) -> Finding:
    """Warn when something of an earlier installation is in the places we are going to use."""
    configured = (plan.home / "daftar.toml").exists()
    database = plan.data / "db" / "daftar.sqlite3"
    if configured:
        return warned(
            _("There is an installation in %(home)s already.", home=plan.home),
            _(
                "Going on repeats its steps and keeps its data. After an upgrade of the package, "
                "run “daftar db upgrade”."
            ),
        )
    if plan.sqlite and database.exists():
        return warned(
            _(
                "%(path)s is left from an earlier installation without configuration.",
                path=database,
            ),
            f"mv {plan.data} {plan.data}.old",
        )
    return passed(_("Nothing of an earlier installation was found."))
