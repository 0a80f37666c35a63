"""Places on disk, with faults planted in real folders."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from installer.checks import Status
from installer.preflight.plan import PreflightPlan
from installer.preflight.storage import (
    GIB,
    file_system,
    judge_file_system,
    judge_latency,
    judge_space,
    leftovers,
    mount_of,
    parse_mounts,
    permissions,
    separate_devices,
    sync_latency,
)

MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw shared:1 - nfs4 nas:/srv rw
31 22 0:41 / /srv/fast\\040disk rw - xfs /dev/sdb rw
"""


def test_a_file_in_the_way_of_a_folder_fails_with_its_name(plan: PreflightPlan) -> None:
    plan.home.write_text("I am no folder", encoding="utf-8")

    finding = permissions(plan)

    assert finding.status is Status.FAIL
    assert str(plan.home) in finding.detail
    assert finding.fix.startswith("mv ")


def test_folders_that_can_be_made_pass(plan: PreflightPlan) -> None:
    assert permissions(plan).status is Status.PASS


def test_a_read_only_place_fails(plan: PreflightPlan) -> None:
    finding = permissions(replace(plan, data=Path("/proc/daftar")))

    assert finding.status is Status.FAIL


def test_sqlite_on_a_network_file_system_is_refused(plan: PreflightPlan) -> None:
    for kind in ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"):
        assert judge_file_system(kind, plan).status is Status.FAIL


def test_postgresql_may_keep_attachments_on_a_network_file_system(plan: PreflightPlan) -> None:
    elsewhere = replace(plan, database_url="postgresql+psycopg://daftar@db/daftar")

    assert judge_file_system("nfs4", elsewhere).status is Status.WARN


def test_an_unknown_file_system_is_not_a_good_one(plan: PreflightPlan) -> None:
    assert judge_file_system("", plan).status is Status.WARN
    assert judge_file_system("ext4", plan).status is Status.PASS


def test_the_nearest_mount_decides() -> None:
    mounts = parse_mounts(MOUNTS)

    kinds = [
        mount.kind if (mount := mount_of(Path(path), mounts)) else None
        for path in ("/var/lib", "/srv/data", "/srv/fast disk/data")
    ]

    assert kinds == ["ext4", "nfs4", "xfs"]


def test_the_file_system_of_this_machine_is_found(plan: PreflightPlan) -> None:
    assert " ? " not in file_system(plan).detail


def test_a_full_disk_fails_and_a_small_one_warns() -> None:
    data, backups = Path("/d"), Path("/b")

    def judged(data_gib: float, backups_gib: float) -> Status:
        return judge_space(
            {"data": (data, int(data_gib * GIB)), "backups": (backups, int(backups_gib * GIB))}
        ).status

    assert judged(0.5, 100) is Status.FAIL
    assert judged(5, 0.5) is Status.FAIL
    assert judged(5, 100) is Status.WARN
    assert judged(50, 100) is Status.PASS


def test_data_and_backups_on_one_disk_are_a_warning(plan: PreflightPlan) -> None:
    assert separate_devices(plan).status is Status.WARN
    assert separate_devices(replace(plan, backups=Path("/dev/shm"))).status is Status.PASS  # noqa: S108 - a second device


def test_a_slow_disk_is_a_warning() -> None:
    assert judge_latency(80.0).status is Status.WARN
    assert judge_latency(2.0).status is Status.PASS


def test_the_speed_of_an_unwritable_disk_is_not_known(plan: PreflightPlan) -> None:
    assert sync_latency(replace(plan, data=Path("/proc/daftar"))).status is Status.SKIP


def test_measuring_leaves_nothing_behind(
    plan: PreflightPlan, tmp_path: Path, inodes: Callable[[Path], list[Path]]
) -> None:
    sync_latency(plan)

    assert inodes(tmp_path) == []


def test_an_earlier_installation_is_seen(plan: PreflightPlan) -> None:
    plan.home.mkdir()
    (plan.home / "daftar.toml").touch()

    assert leftovers(plan).status is Status.WARN


def test_a_database_without_configuration_is_seen(plan: PreflightPlan) -> None:
    (plan.data / "db").mkdir(parents=True)
    (plan.data / "db" / "daftar.sqlite3").touch()

    finding = leftovers(plan)

    assert finding.status is Status.WARN
    assert finding.fix.startswith("mv ")


def test_a_clean_place_has_no_leftovers(plan: PreflightPlan) -> None:
    assert leftovers(plan).status is Status.PASS
