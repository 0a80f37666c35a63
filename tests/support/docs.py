"""The pages of the documentation, the commands they show and the files they point to."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.sources import ROOT

BLOCK = re.compile(r"^```console\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
PROMPTS = ("$ ", "# ")
CHAINS = {"|", "||", "&&", ";", ">", ">>", "<", "2>", "&"}


@dataclass(frozen=True)
class ShownCommand:
    """A command line as a page shows it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as it would be typed, after the name of its page."""
        return f"{self.page}: {shlex.join(self.words)}"


def pages() -> list[Path]:
    """Return the pages that readers open: README, CHANGELOG and everything below docs."""
    tops = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    return [*(page for page in tops if page.exists()), *sorted((ROOT / "docs").rglob("*.md"))]


def shown_commands(page: Path) -> Iterator[ShownCommand]:
    """Yield each command of the `console` blocks: what follows the prompt, one per program."""
    for block in BLOCK.finditer(page.read_text(encoding="utf8")):
        joined = block["body"].replace("\\\n", " ")
        for line in joined.splitlines():
            if line.startswith(PROMPTS):
                for words in programs(line[2:]):
                    yield ShownCommand(page.relative_to(ROOT).as_posix(), words)


def programs(line: str) -> Iterator[tuple[str, ...]]:
    """Split a shell line into its programs, without `sudo`, folders and settings before them."""
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), ";"]:
        if word in CHAINS:
            if words:
                yield tuple(words)
            words = []
        elif words or not (word == "sudo" or re.match(r"[A-Z_]+=", word)):
            words.append(word if words else word.rsplit("/", 1)[-1])


def broken_links(page: Path) -> list[str]:
    """Return the links of the page that lead to no file of ours."""
    return [
        target
        for target in (link["target"] for link in LINK.finditer(page.read_text(encoding="utf8")))
        if "://" not in target and not target.startswith(("#", "mailto:"))
        if not (page.parent / target.split("#")[0]).exists()
    ]
