"""The colours of the kit: text on every surface it is used on, in light and dark (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest

from client_web.kit.assets import STATIC

TOKENS = (STATIC.parent / "assets/src/tokens.css").read_text("utf-8")
TONES = ["gray", "blue", "green", "amber", "red", "violet", "teal", "pink"]
SURFACES = ["bg", "surface", "sunken", "raised", "hover"]
TEXTS = ["text", "text-2", "text-3", "accent-text", "red"]
PAIRS = [
    *((text, surface) for text in TEXTS for surface in SURFACES),
    *((tone, f"{tone}-soft") for tone in TONES),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("accent-text", "accent-soft"),
]


def colours(theme: str) -> dict[str, str]:
    """Return the tokens of a theme that are plain colours."""
    block = TOKENS.split(f'[data-bs-theme="{theme}"] {{')[1].split("}")[0]
    return dict(re.findall(r"--k-([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return how many times lighter the lighter colour is."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_surface(theme: str) -> None:
    tokens = colours(theme)

    faint = {
        f"{text} on {surface}": round(contrast(tokens[text], tokens[surface]), 2)
        for text, surface in PAIRS
        if contrast(tokens[text], tokens[surface]) < 4.5
    }

    assert faint == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_and_focus_stand_out(theme: str) -> None:
    tokens = colours(theme)

    for line in ("control", "focus"):
        assert contrast(tokens[line], tokens["surface"]) >= 3
    for button in ("danger", "danger-hover"):
        assert contrast("#ffffff", tokens[button]) >= 4.5


def test_no_sheet_but_the_tokens_names_a_colour_beside_white() -> None:
    sheets = (Path(STATIC).parent / "assets/src").glob("*.css")

    strays = {
        sheet.name: re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s])", sheet.read_text("utf-8"))
        for sheet in sheets
        if sheet.name != "tokens.css"
    }

    assert {name: set(found) - {"#ffffff"} for name, found in strays.items() if found} in (
        {},
        {"ui.css": set()},
    )
