"""The fingerprint of the machine: an alarm, never a lock. Pseudonymous; reads files, changes none."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

WEAK_BINDING = 3  # with fewer components the vendor is told that the binding is weak

_BAD = frozenset(
    {
        "none",
        "null",
        "unknown",
        "n/a",
        "na",
        "invalid",
        "default",
        "default string",
        "not specified",
        "not applicable",
        "not available",
        "not present",
        "to be filled by o.e.m.",
        "to be filled by oem",
        "system serial number",
        "base board serial number",
        "chassis serial number",
        "serial",
        "oem",
        "o.e.m.",
        "empty",
        "uninitialized",
        "0123456789",
        "123456789",
        "1234567890",
        "03000200-0400-0500-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "b08dfa6083e7567a1921a715000001fb",  # the machine id of a widely copied image
    }
)
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
_LOCALLY_ADMINISTERED_OR_GROUP = 0b11


def fingerprint(product: str, root: Path = Path("/")) -> dict[str, str]:
    """Return the readable components of this machine, each as a keyed hash."""
    hostname = _read(root / "etc/hostname")
    found = {name: read(root) for name, read in _READERS.items()}
    return {
        name: component(product, value)
        for name, value in found.items()
        if value and value != hostname and not _is_meaningless(value)
    }


def component(product: str, value: str) -> str:
    """Return the keyed hash of one normalised value."""
    key = hashlib.sha256(b"daftar-fp-v1\x00" + product.encode()).digest()
    return hmac.new(key, _normal(value).encode(), hashlib.sha256).digest()[:16].hex()


def is_same_machine(at_activation: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether at least half of the components present at activation still hold.

    A component that cannot be read now is not a different one.
    """
    alike = sum(now.get(name, value) == value for name, value in at_activation.items())
    return 2 * alike >= len(at_activation)


class Change(StrEnum):
    """What became of a component since the activation."""

    SAME = "same"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    ADDED = "added"


@dataclass(frozen=True)
class Component:
    """One component of the fingerprint by its name; its value stays a keyed hash."""

    name: str
    change: Change


def compare(at_activation: Mapping[str, str], now: Mapping[str, str]) -> tuple[Component, ...]:
    """Return each component that was or is readable, and what became of it."""
    known = [
        Component(
            name,
            Change.UNREADABLE
            if name not in now
            else Change.SAME
            if now[name] == value
            else Change.CHANGED,
        )
        for name, value in at_activation.items()
    ]
    added = [Component(name, Change.ADDED) for name in now if name not in at_activation]
    return (*known, *added)


def _normal(value: str) -> str:
    return value.strip().lower()


def _read(path: Path) -> str:
    try:
        return _normal(path.read_text("utf-8", errors="replace").strip("\x00"))
    except OSError:  # absent, or readable by root only
        return ""


def _is_meaningless(value: str) -> bool:
    symbols = set(re.sub(r"[^0-9a-z]", "", value))
    return value in _BAD or len(symbols) <= 1


def _tpm_ek(root: Path) -> str:
    return _read(root / "sys/class/tpm/tpm0/device/pubek")


def _dmi_uuid(root: Path) -> str:
    return _read(root / "sys/class/dmi/id/product_uuid")


def _board_serial(root: Path) -> str:
    return _read(root / "sys/class/dmi/id/board_serial")


def _machine_id(root: Path) -> str:
    return _read(root / "etc/machine-id") or _read(root / "var/lib/dbus/machine-id")


def _rootfs_uuid(root: Path) -> str:
    device = next(
        (
            Path(fields[0]).name
            for fields in (line.split() for line in _read(root / "proc/mounts").splitlines())
            if len(fields) > 1 and fields[1] == "/" and fields[0].startswith("/dev/")
        ),
        None,
    )
    try:
        links = sorted((root / "dev/disk/by-uuid").iterdir())
        return next((link.name.lower() for link in links if link.readlink().name == device), "")
    except OSError:
        return ""


def _mac(root: Path) -> str:
    try:
        cards = sorted((root / "sys/class/net").iterdir())
    except OSError:
        return ""
    return min(
        (mac for mac in (_read(card / "address") for card in cards) if _burnt_in(mac)), default=""
    )


def _burnt_in(mac: str) -> bool:
    return (
        _MAC.fullmatch(mac) is not None
        and not int(mac[:2], 16) & _LOCALLY_ADMINISTERED_OR_GROUP
        and not _is_meaningless(mac)
    )


_READERS: dict[str, Callable[[Path], str]] = {
    "tpm_ek": _tpm_ek,
    "dmi_uuid": _dmi_uuid,
    "machine_id": _machine_id,
    "rootfs_uuid": _rootfs_uuid,
    "board_serial": _board_serial,
    "mac": _mac,
}
