"""The version of this release, as the package names it."""

from datetime import date
from importlib.metadata import PackageNotFoundError, version

# The day this release was built. A perpetual licence covers what was built within its maintenance.
BUILT_ON = date(2026, 11, 24)

try:
    VERSION = version("daftar")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0+checkout"
