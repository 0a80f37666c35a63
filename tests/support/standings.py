"""Every row of the ladder that refuses something, brought about on a real installation as it comes about."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.activation.service import LicenseOffice
from server.core.actor import SYSTEM
from server.core.errors import DaftarError
from tests.licensing.client.vendor import DAY, SHOWN_CODE, Vendor
from tests.support.licensed import Stage


@dataclass(frozen=True)
class Standing:
    """One way to stand: the mode and its reason, and the steps that lead there."""

    mode: str
    reason: str
    lead: Callable[[Stage, LicenseOffice], None]


def renew(vendor: Vendor, **changes: object) -> None:
    """Let the next answer carry a newer issue of the licence."""
    before = vendor.license()
    serial = int(str(vendor.sold["serial"])) + 1
    follows = hashlib.sha256(before).hexdigest()
    vendor.sold = {**vendor.sold, "serial": serial, "prev_serial_sha256": follows, **changes}
    vendor.embed = {**vendor.embed, "license": vendor.license().decode(), "license_serial": serial}


def _activate(_stage: Stage, office: LicenseOffice) -> None:
    office.activate(SYSTEM, SHOWN_CODE)


def _nothing(_stage: Stage, _office: LicenseOffice) -> None:
    """Leave the installation as it is."""


def _starts_later(stage: Stage, office: LicenseOffice) -> None:
    stage.vendor.sold["starts_at"] = stage.vendor.now + 30 * DAY
    _activate(stage, office)


def _silent(days: int) -> Callable[[Stage, LicenseOffice], None]:
    def lead(stage: Stage, office: LicenseOffice) -> None:
        _activate(stage, office)
        stage.pass_time(days=days)

    return lead


def _too_many(stage: Stage, office: LicenseOffice) -> None:
    _activate(stage, office)
    renew(stage.vendor, seats={"named": 1, "concurrent": 25, "service_accounts": 5})
    for _week in range(4):
        stage.pass_time(days=6)
        office.check_in(SYSTEM)
        office.tick()


def _ended(stage: Stage, office: LicenseOffice) -> None:
    stage.vendor.sold["expires_at"] = stage.vendor.now + 12 * DAY - 1
    _activate(stage, office)
    stage.pass_time(days=13)


def _lease_says(status: str) -> Callable[[Stage, LicenseOffice], None]:
    def lead(stage: Stage, office: LicenseOffice) -> None:
        _activate(stage, office)
        stage.vendor.embed = {"status": status}
        stage.pass_time(days=1)
        office.check_in(SYSTEM)

    return lead


def _denied(code: str) -> Callable[[Stage, LicenseOffice], None]:
    def lead(stage: Stage, office: LicenseOffice) -> None:
        _activate(stage, office)
        stage.vendor.denial = code
        stage.pass_time(days=1)
        try:
            office.check_in(SYSTEM)
        except DaftarError:
            stage.vendor.denial = None

    return lead


def _given_back(stage: Stage, office: LicenseOffice) -> None:
    _activate(stage, office)
    office.deactivate(SYSTEM, "move")


STANDINGS: Mapping[str, Standing] = {
    f"{one.mode}-{one.reason}": one
    for one in (
        Standing("setup", "not_activated", _nothing),
        Standing("setup", "not_started", _starts_later),
        Standing("read_only", "no_contact", _silent(22)),
        Standing("read_only", "seats_over_cap", _too_many),
        Standing("locked", "no_contact", _silent(33)),
        Standing("locked", "term_ended", _ended),
        Standing("locked", "suspended", _lease_says("suspended")),
        Standing("locked", "revoked", _lease_says("revoked")),
        Standing("locked", "superseded", _denied("E_SUPERSEDED")),
        Standing("locked", "deactivated", _given_back),
        Standing("locked", "clone_hold", _denied("E_CLONE_SUSPECTED")),
    )
}


def bring(name: str, stage: Stage, office: LicenseOffice) -> Standing:
    """Bring the installation there, and make sure that it stands there."""
    standing = STANDINGS[name]
    standing.lead(stage, office)
    verdict = office.refresh()
    assert (verdict.mode, verdict.reason) == (standing.mode, standing.reason)
    return standing
