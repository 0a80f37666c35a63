"""The built front-end files: where the browser finds each of them. Nothing here builds them."""

import json
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"
TEMPLATES = Path(__file__).resolve().parent / "templates"


class AssetMissing(Exception):
    """A front-end file that is not there: not built yet, or a name nobody builds."""


class Assets:
    """Turn the plain name of a built file into its address.

    The instance itself is the `asset` of the templates: `{{ asset("app.js") }}`.
    """

    def __init__(self, folder: Path = STATIC, prefix: str = "/static") -> None:
        self._prefix = prefix.rstrip("/")
        self._files = _read_manifest(folder / "manifest.json")
        self._lasting = frozenset(name for plain, name in self._files.items() if plain != name)

    def __call__(self, name: str) -> str:
        """Return the address of the file built from `name`."""
        try:
            return f"{self._prefix}/{self._files[name]}"
        except KeyError:
            raise AssetMissing(f"The front-end build makes no file named {name}.") from None

    def is_lasting(self, path: str) -> bool:
        """Return whether the file at `path`, relative to the folder, may be cached for ever.

        Every file does whose name carries the hash of its content.
        """
        return path in self._lasting or path.startswith("parts/")


def _read_manifest(path: Path) -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise AssetMissing(
            f"{path} is missing. Build the front end: npm ci && npm run build in client_web/assets."
        ) from None
    return manifest
