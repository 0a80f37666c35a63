"""All figures of one moment in Prometheus' own shape: the house, its health, its keys."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from licensing.authority.activations.desk import Desk
from licensing.authority.keys.rules import usable
from licensing.authority.monitoring.health import examine
from licensing.authority.monitoring.queries import Gauge, of_the_house
from licensing.document.documents import Role
from server.core import clock
from server.core.db import Database
from server.core.version import VERSION


class Figures(Collector):
    """The figures of one request, in the shape that the library writes."""

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield the families that have a figure."""
        for gauge in self._gauges:
            labels = [gauge.label] if gauge.label else []
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=labels)
            for word, value in gauge.figures.items():
                family.add_metric([word] if labels else [], value)
            if gauge.figures:
                yield family


def figures(desk: Desk, database: Database) -> Figures:
    """Return every figure; without a database those that need none, and that it is away."""
    health = examine(desk.settings.home, database, desk.keys)
    gauges = [
        Gauge("daftar_authority_build_info", "Always 1.", "version", {VERSION: 1.0}),
        Gauge(
            "daftar_authority_part_ok",
            "1 for a part that can do its work, else 0.",
            "part",
            {name: float(why is None) for name, why in health.parts.items()},
        ),
        *_keys(desk),
    ]
    try:
        with database.read() as session:
            gauges += of_the_house(session)
    except SQLAlchemyError:
        pass  # daftar_authority_part_ok says so
    return Figures(gauges)


def _keys(desk: Desk) -> Iterator[Gauge]:
    ring, now = desk.keys.ring(), clock.timestamp()
    left = {
        role.value: float(max(entry.not_after for entry in found) - now)
        for role in Role
        if (found := usable(ring.held(), role, now))
    }
    yield Gauge(
        "daftar_authority_key_seconds_left",
        "Until the last key of a role ends; a role without a usable key has no figure.",
        "role",
        left,
    )
    yield Gauge(
        "daftar_authority_keyset_seconds_left",
        "Until the keyset ends.",
        figures={"": float(ring.keyset.expires_at - now)},
    )
    yield Gauge(
        "daftar_authority_keyset_version",
        "The version of the keyset in use.",
        figures={"": float(ring.keyset.version)},
    )
