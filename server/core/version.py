"""The version of this release, as the package names it."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("daftar")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0+checkout"
