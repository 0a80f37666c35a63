"""The panel of copies at other places: shown where there are some, with the word of each light."""

from dataclasses import replace
from pathlib import Path

import pytest

from backup.plan import Kind
from server.backups.places import PlacesOffice
from server.core.actor import SYSTEM
from server.core.place_settings import PlaceSettings
from tests.client_web.conftest import Visit
from tests.server.backups.home import Home


@pytest.fixture
def home(home: Home, tmp_path: Path) -> Home:
    """Give an installation with one more place."""
    place = PlaceSettings(name="usb", url=str(tmp_path / "disk"), append_only=True)
    settings = home.settings
    return replace(
        home,
        settings=replace(settings, backup=replace(settings.backup, places=(place,))),
    )


def test_the_panel_says_how_each_place_stands(home: Home, visit: Visit, tmp_path: Path) -> None:
    home.office.run(home.cast.root, Kind.MANUAL)
    root = visit(home.cast.root)

    text = root.read("/backups")
    assert "Copies at other places" in text
    assert "No backup was copied yet." in text
    assert "Look at it" in text
    assert "Only ever added to" in text

    (tmp_path / "disk").mkdir()
    PlacesOffice(home.office).prepare(SYSTEM, "usb")
    PlacesOffice(home.office).copy(SYSTEM, "usb")
    text = root.read("/backups")
    assert "The newest backups are there." in text
    assert "In order" in text
