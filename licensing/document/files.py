"""Documents that travel on a stick: what a `.dftlic` holds. A `.dftreq` is an envelope by itself."""

from dataclasses import dataclass

from licensing.document.parser import Members, dump_object, parse_object


@dataclass(frozen=True)
class AnswerFile:
    """What a `.dftlic` carries: two envelopes as bytes. Nothing is verified yet."""

    keyset: bytes
    answer: bytes


def dump_answer_file(file: AnswerFile) -> bytes:
    """Return the bytes of a `.dftlic`."""
    return dump_object({"keyset": file.keyset.decode(), "answer": file.answer.decode()})


def load_answer_file(raw: bytes) -> AnswerFile:
    """Read a `.dftlic`."""
    members = Members(parse_object(raw))
    return AnswerFile(
        members.envelope("keyset").encode(),
        members.envelope("answer").encode(),
    )
