"""Writes docs/test-vectors, which the tests then read.

python -m tests.licensing.vectors.write
"""

import json
from pathlib import Path

from tests.licensing.authority.stranger import Json
from tests.licensing.vectors.chains import answer_file, exchange_file, trust_file
from tests.licensing.vectors.tables import check_in_cases, ladder_cases
from tests.licensing.vectors.words import (
    codes_file,
    envelopes_file,
    hashes_file,
    keys_file,
    payloads_file,
    qr_file,
)

FOLDER = Path(__file__).parents[3] / "docs" / "test-vectors"


def all_files() -> dict[str, Json]:
    """Return every file of the folder by its name."""
    exchange = exchange_file()
    return {
        "keys": keys_file(),
        "payloads": payloads_file(),
        "envelopes": envelopes_file(),
        "codes": codes_file(),
        "hashes": hashes_file(),
        "trust": trust_file(),
        "exchange": exchange,
        "qr": qr_file(answer_file(exchange)),
        "check-ins": check_in_cases(),
        "ladder": ladder_cases(),
    }


def written(content: Json) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the folder."""
    for name, content in all_files().items():
        (FOLDER / f"{name}.json").write_text(written(content), "utf8")


if __name__ == "__main__":
    main()
