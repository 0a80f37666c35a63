"""Counting what the web processes of one program do: requests, answers, and how long they took.

Each process counts into files of its own in one folder, and whoever asks is told the sums; `share` must
be called before this module is loaded. Alone, as in a test, a process counts in its memory.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from licensing.authority.monitoring.sharing import FOLDER_VARIABLE

# Around the goals of the protocol: 250 ms for a check-in, 500 ms for an activation.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_OWN = CollectorRegistry()
REQUESTS = Counter(
    "daftar_authority_requests",
    "Requests to the protocol, by route and status code.",
    ("route", "status"),
    registry=_OWN,
)
SECONDS = Histogram(
    "daftar_authority_request_seconds",
    "How long requests to the protocol took.",
    ("route",),
    buckets=_BUCKETS,
    registry=_OWN,
)
ANSWERS = Counter(
    "daftar_authority_answers",
    "Signed answers, by what was asked and what was said: lease, bundle, deactivation, or a code.",
    ("request", "answer"),
    registry=_OWN,
)


def counted() -> CollectorRegistry:
    """Return what all processes of this program have counted."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        return _OWN
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call] # the library has no types here
    return registry
