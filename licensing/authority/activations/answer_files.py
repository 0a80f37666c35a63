"""Answering a request that came as a file: the same questions, asked at the vendor's console."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from licensing.authority.activations.check_in import check_in
from licensing.authority.activations.deactivate import deactivate
from licensing.authority.activations.desk import Desk, Visit
from licensing.authority.activations.service import activate
from licensing.authority.activations.standing import known_activation
from licensing.document.answers import Denial
from licensing.document.documents import open_body
from licensing.document.envelope import load_envelope
from licensing.document.files import AnswerFile, dump_answer_file
from licensing.document.requests import (
    ActivateRequest,
    CheckInRequest,
    DeactivateRequest,
    claimed_activation_id,
    open_activation,
    open_check_in,
    open_deactivation,
)
from licensing.document.trust import answer_kind

CONSOLE = Visit(is_online=False, is_limited=False)

_KINDS: Mapping[type[ActivateRequest | CheckInRequest | DeactivateRequest], str] = {
    ActivateRequest: "activate",
    CheckInRequest: "check-in",
    DeactivateRequest: "deactivate",
}


@dataclass(frozen=True)
class Answered:
    """A `.dftlic`, what was asked, and the denial if it holds one."""

    file: bytes
    kind: str
    denial: Denial | None


def answer_file(session: Session, desk: Desk, raw: bytes) -> Answered:
    """Answer a `.dftreq`. Raise DocumentError when it is none, NotFound for a stranger's."""
    kind = answer_kind(raw, list(_KINDS))
    if kind is ActivateRequest:
        answer = activate(session, desk, open_activation(raw), CONSOLE)
    else:
        known = known_activation(session, claimed_activation_id(raw))
        if kind is CheckInRequest:
            opened = open_check_in(raw, known.instance_pub)
            answer = check_in(session, desk, known, opened, CONSOLE)
        else:
            leaving = open_deactivation(raw, known.instance_pub)
            answer = deactivate(session, desk, known, leaving, CONSOLE)
    envelope = load_envelope(answer)
    is_denial = envelope.payload_type == Denial.TYPE
    return Answered(
        file=dump_answer_file(AnswerFile(desk.keys.ring().envelope.encode(), answer)),
        kind=_KINDS[kind],
        denial=open_body(envelope, Denial) if is_denial else None,
    )
