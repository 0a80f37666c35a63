"""Writing settings down as TOML. Reading is server.core.config's."""

import json
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin

from server.core.config import Settings

HEADER = """\
# The settings of this installation. docs/settings.md explains every key.
# Secrets are not here: they are files below secrets/, readable by their owner alone.
"""


def render_settings(settings: Settings) -> str:
    """Return `daftar.toml` with every key of the settings."""
    parts = [HEADER]
    for section in fields(settings):
        if section.name != "home":
            table = getattr(settings, section.name)
            parts.append("\n".join(_table(section.name, table)) + "\n")
    return "\n".join(parts)


def _table(name: str, table: Any) -> list[str]:
    """Return the lines of a table; tables in it, such as the places of backups, come after its keys."""
    inner = [key.name for key in fields(table) if _holds_tables(key.type)]
    plain = [key.name for key in fields(table) if key.name not in inner]
    lines = [f"[{name}]", *(f"{key} = {literal(getattr(table, key))}" for key in plain)]
    for each in inner:
        for one in getattr(table, each):
            lines += ["", f"[[{name}.{each}]]"]
            lines += [f"{key.name} = {literal(getattr(one, key.name))}" for key in fields(one)]
    return lines


def _holds_tables(kind: Any) -> bool:
    return get_origin(kind) is tuple and is_dataclass(get_args(kind)[0])


def literal(value: object) -> str:
    """Return a value as TOML writes it: a text, a number, a truth or a list of texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    # A JSON text is a TOML text, but for the one control character that JSON leaves alone.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def differences(found: Settings, wanted: Settings) -> tuple[str, ...]:
    """Return the keys in which two settings differ, such as `web.port`."""
    return tuple(
        f"{section.name}.{key.name}"
        for section in fields(wanted)
        if section.name != "home"
        for key in fields(getattr(wanted, section.name))
        if getattr(getattr(found, section.name), key.name)
        != getattr(getattr(wanted, section.name), key.name)
    )
