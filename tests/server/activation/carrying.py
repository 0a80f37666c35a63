"""Requests and answers carried by hand: what a server without a line asks, and what comes back."""

import json

from server.activation.offline import RequestWish
from server.activation.service import LicenseOffice
from server.audit.queries import list_entries
from server.core.listing import ListQuery
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import Cast
from tests.support.licensed import Stage

ACTIVATE = RequestWish("activate", code=SHOWN_CODE)
CHECK_IN = RequestWish("check-in")
LEAVE = RequestWish("deactivate", reason="refund")
PATHS = {
    "activate": "/v1/activations",
    "check-in": "/v1/check-ins",
    "deactivate": "/v1/deactivations",
}


def answered(stage: Stage, kind: str, request: bytes, keyset: bytes | None = None) -> bytes:
    """Carry a request to the vendor and return the `.dftlic` that comes back."""
    answer = stage.vendor.answer(PATHS[kind], request).decode()
    keys = (keyset or stage.vendor.served_keyset).decode()
    return json.dumps({"keyset": keys, "answer": answer}).encode()


def carry(stage: Stage, office: LicenseOffice, cast: Cast, wish: RequestWish) -> bytes:
    return answered(stage, wish.kind, office.export_request(cast.root, wish).raw)


def trail(stage: Stage, cast: Cast) -> list[tuple[str, str, str]]:
    with stage.database.read() as session:
        entries = list_entries(session, cast.root, ListQuery(limit=20)).items
    return [(one.action, one.user_name, str(one.changes)) for one in entries]
