"""The manifest of built files."""

import json
import re
from pathlib import Path

import pytest

from client_web.kit.assets import STATIC, TEMPLATES, AssetMissing, Assets


def test_a_plain_name_becomes_the_address_of_the_built_file(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"app.js": "app-1a2b.js"}), "utf-8")

    assert Assets(tmp_path, "/static/")("app.js") == "/static/app-1a2b.js"


def test_a_name_nobody_builds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}", "utf-8")

    with pytest.raises(AssetMissing, match=r"no file named nothing\.js"):
        Assets(tmp_path)("nothing.js")


def test_a_missing_build_says_how_to_build(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="npm ci && npm run build"):
        Assets(tmp_path)


def test_files_named_by_their_content_may_be_kept_for_ever() -> None:
    assets = Assets()

    assert assets.is_lasting(assets("app.js").removeprefix("/static/"))
    assert not assets.is_lasting("manifest.json")
    assert not assets.is_lasting("fonts/Vazirmatn-Regular.ttf")


def test_everything_in_the_manifest_was_built() -> None:
    files = json.loads((STATIC / "manifest.json").read_text("utf-8")).values()

    assert [name for name in files if not (STATIC / name).is_file()] == []


def test_every_icon_the_kit_names_is_in_the_sprite() -> None:
    names = set(
        json.loads((STATIC / Assets(prefix="")("icons.json").lstrip("/")).read_text("utf-8"))
    )
    used = set()
    for template in (TEMPLATES / "kit").glob("*.html"):
        used |= set(re.findall(r'icon\("([\w-]+)"', template.read_text("utf-8")))

    assert used
    assert used <= names
