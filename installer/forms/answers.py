"""People's answers written down in a TOML file, as `daftar form fill` takes them.

representative = "مریم رضایی"
server_ready = true                     # done; false is not_done
started_on = 2026-11-20
mail_set = { value = "not_applicable", note = "No relay yet", by = "Amir Kazemi" }
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime

from installer.forms.form import Answer, CheckAnswer
from installer.forms.wording import FormError


def read_answers(source: str, *, by: str, at: datetime) -> tuple[Answer, ...]:
    """Read answers by item id; `by` answered whatever does not name somebody else."""
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise FormError("bad_answers", reason=error) from error
    return tuple(_answer(item, value, by, at) for item, value in table.items())


def _answer(item: str, value: object, by: str, at: datetime) -> Answer:
    if not isinstance(value, Mapping):
        return Answer(item, _text(item, value), by, at)
    unknown = set(value) - {"value", "note", "by"}
    if unknown or "value" not in value:
        raise FormError("bad_answers", reason=f"{item}: value, note, by")
    return Answer(
        item,
        _text(item, value["value"]),
        _text(item, value.get("by", by)),
        at,
        note=_text(item, value.get("note", "")),
    )


def _text(item: str, value: object) -> str:
    if isinstance(value, bool):
        return CheckAnswer.DONE if value else CheckAnswer.NOT_DONE
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise FormError("bad_answers", reason=f"{item} = {value}")
