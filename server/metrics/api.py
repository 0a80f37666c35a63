"""GET /metrics: for programs on this machine, and for tokens of those who may change the settings."""

import logging

from apiflask import APIBlueprint
from flask import Response, current_app, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from server.core.entitlements import Entitlements
from server.core.errors import NotAllowed
from server.core.i18n import gettext as _
from server.http.access import public, visitor
from server.http.door import door_of
from server.http.network import is_this_machine, refuse_outsiders
from server.http.unit_of_work import database
from server.metrics.queries import of_the_house, of_the_process
from server.metrics.rules import METRICS, Sample

log = logging.getLogger(__name__)

blueprint = APIBlueprint("metrics", __name__, enable_openapi=False)


class _Collected(Collector):
    """The figures of one request, in the shape that the library writes."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def collect(self) -> list[Metric]:
        """Return the families that have a figure, in the order of the catalogue."""
        families: list[Metric] = []
        for metric in METRICS:
            own = [sample for sample in self._samples if sample.metric is metric]
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for sample in own:
                family.add_metric([sample.labels[name] for name in metric.labels], sample.value)
            if own:
                families.append(family)
        return families


@blueprint.get("/metrics")
@public()  # the view itself looks at where the request comes from
def metrics() -> Response:
    """Tell how this installation is."""
    verdict = _verdict()
    _refuse_strangers(verdict)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(_samples(verdict)))
    encode, kind = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=kind)


def _verdict() -> Entitlements:
    board = door_of(current_app).board
    return Entitlements() if board is None else board.verdict


def _samples(verdict: Entitlements) -> list[Sample]:
    try:
        return of_the_house(database(), verdict, current_app.extensions.get("daftar.office"))
    except SQLAlchemyError:
        log.exception("The database did not answer; the metrics say so.")
        return of_the_process(verdict)


def _refuse_strangers(verdict: Entitlements) -> None:
    """Raise NotAllowed unless a program of this machine or an administrator's token asks."""
    if is_this_machine(request.remote_addr):
        return
    actor = visitor()
    if actor is None:
        raise NotAllowed(
            _(
                "The metrics are for this machine itself. From elsewhere they need the token of a user "
                "who may change the settings: “Authorization: Bearer …”."
            )
        )
    refuse_outsiders(verdict)
    actor.must("settings.edit")
