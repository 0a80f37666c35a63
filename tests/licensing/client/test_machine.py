"""The fingerprint: what is read, what is dropped, what still counts as the same machine."""

import hashlib
import hmac
from pathlib import Path

import pytest

from licensing.client.machine import component, fingerprint, is_same_machine
from tests.licensing.client.vendor import machine


def by_hand(value: str) -> str:
    key = hashlib.sha256(b"daftar-fp-v1\0daftar").digest()
    return hmac.new(key, value.encode(), "sha256").hexdigest()[:32]


def test_components_are_keyed_hashes_of_normalised_values(tmp_path: Path) -> None:
    assert fingerprint("daftar", machine(tmp_path)) == {
        "machine_id": by_hand("11f0a7b2c9d84e5f8a6b3c2d1e0f9a8b"),
        "dmi_uuid": by_hand("4c4c4544-0051-3010-8052-b4c04f4e3432"),
        "board_serial": by_hand("cn1374023a00c4"),
        "mac": by_hand("00:1a:4b:16:01:59"),
    }
    assert component("daftar", " AbC\n") == by_hand("abc")


def test_the_file_system_of_the_root_is_found_by_its_device(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/mounts").write_text("proc /proc proc rw 0 0\n/dev/sda2 / ext4 rw 0 0\n")
    disks = tmp_path / "dev/disk/by-uuid"
    disks.mkdir(parents=True)
    (disks / "AAAA-BBBB").symlink_to("../../sda1")
    (disks / "9c2b3d4e-5f60-4718-92a3-b4c5d6e7f809").symlink_to("../../sda2")
    expected = {"rootfs_uuid": by_hand("9c2b3d4e-5f60-4718-92a3-b4c5d6e7f809")}
    assert fingerprint("daftar", tmp_path) == expected


@pytest.mark.parametrize(
    ("file", "value"),
    [
        ("sys/class/dmi/id/product_uuid", "00000000-0000-0000-0000-000000000000"),
        ("sys/class/dmi/id/product_uuid", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
        ("sys/class/dmi/id/product_uuid", "03000200-0400-0500-0006-000700080009"),
        ("sys/class/dmi/id/board_serial", "To be filled by O.E.M."),
        ("sys/class/dmi/id/board_serial", "Default string"),
        ("sys/class/dmi/id/board_serial", "crm"),
        ("sys/class/net/eth0/address", "02:42:ac:11:00:02"),
        ("sys/class/net/eth0/address", "52:54:00:12:34:56"),
        ("etc/machine-id", ""),
    ],
)
def test_values_that_name_no_machine_are_dropped(tmp_path: Path, file: str, value: str) -> None:
    whole = fingerprint("daftar", machine(tmp_path))
    (tmp_path / file).write_text(value + "\n")
    assert len(fingerprint("daftar", tmp_path)) == len(whole) - 1


def test_a_bare_container_has_no_fingerprint_and_still_works(tmp_path: Path) -> None:
    assert fingerprint("daftar", tmp_path) == {}
    assert is_same_machine({}, {"mac": "a"})


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ({"a": "1", "b": "2", "c": "3", "d": "4"}, True),
        ({"a": "1", "b": "2", "c": "x", "d": "x"}, True),
        ({"a": "1", "b": "x", "c": "x", "d": "x"}, False),
        ({"a": "1", "b": "x", "c": "x"}, True),
        ({}, True),
        ({"a": "x", "b": "x"}, True),
        ({"a": "x", "b": "x", "c": "x"}, False),
    ],
)
def test_half_of_the_components_must_hold_and_unreadable_is_not_different(
    now: dict[str, str], same: bool
) -> None:
    assert is_same_machine({"a": "1", "b": "2", "c": "3", "d": "4"}, now) is same


def test_of_three_components_two_must_hold() -> None:
    before = {"a": "1", "b": "2", "c": "3"}
    assert is_same_machine(before, {"a": "1", "b": "2", "c": "x"})
    assert not is_same_machine(before, {"a": "1", "b": "x", "c": "x"})
