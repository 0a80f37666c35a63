"""The vendor's own chain of migrations."""

from pathlib import Path

from server.core.migration import Chain

CHAIN = Chain(Path(__file__).parent)
