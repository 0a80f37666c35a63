"""What a check-in means: the table of the protocol as one function, and when the next one is due. Pure."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from licensing.document.errors import NoticeCode

REVIEW_FORKS = 2  # from here on vendor and customer are told; nothing stops
HOLD_FORKS = 6
CLEAN_CHECK_INS = 60  # so many in a row, and the counters are forgotten
_SPREAD_PARTS = 6  # a sixth of the interval either way: 24 h ± 4 h


class ActivationStatus(StrEnum):
    """Whether an activation lives, or how it ended."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    DEACTIVATED = "deactivated"


class NonceKind(StrEnum):
    """What the authority remembers of a nonce it is shown."""

    HEAD = "head"
    STALE = "stale"  # an older head that was continued properly
    ABANDONED = "abandoned"  # a head that was given up for a resync
    UNKNOWN = "unknown"


class Meaning(StrEnum):
    """What is done about a check-in."""

    REPEAT = "repeat"  # the stored reply once more, no state change
    ADVANCE = "advance"
    RESYNC = "resync"
    HOLD = "hold"  # the vendor must look first


@dataclass(frozen=True)
class Chain:
    """Where the chain of one activation stands. `clean` counts undisturbed check-ins in a row."""

    seq: int
    forks: int = 0
    clean: int = 0
    is_held: bool = False


@dataclass(frozen=True)
class Presented:
    """What a check-in shows. `is_repeat`: its payload bytes are those of the last request."""

    seq: int
    nonce: NonceKind
    is_repeat: bool = False


@dataclass(frozen=True)
class Step:
    """What becomes of the chain. `abandons_head`: the old head must not be continued any more."""

    meaning: Meaning
    chain: Chain
    abandons_head: bool = False
    notices: tuple[NoticeCode, ...] = ()


def judge(chain: Chain, shown: Presented) -> Step:
    """Return the row of the check-in table that holds (licensing.md §5)."""
    if shown.is_repeat:
        return Step(Meaning.REPEAT, chain)
    if chain.is_held:
        return Step(Meaning.HOLD, chain)
    if shown.nonce is not NonceKind.HEAD:
        return _elsewhere(chain, shown)
    if shown.seq != chain.seq + 1:
        return _resync(replace(chain, clean=0), shown, abandons_head=False)
    clean = chain.clean + 1
    forks = 0 if clean >= CLEAN_CHECK_INS else chain.forks
    after = Chain(chain.seq + 1, forks, 0 if clean >= CLEAN_CHECK_INS else clean)
    return Step(Meaning.ADVANCE, after, notices=_review(after))


def _elsewhere(chain: Chain, shown: Presented) -> Step:
    """Judge a nonce that is not the head: a restored snapshot, or a second lineage."""
    two_lineages = shown.nonce is not NonceKind.STALE
    after = replace(chain, clean=0, forks=chain.forks + two_lineages)
    if after.forks >= HOLD_FORKS:
        return Step(Meaning.HOLD, replace(after, is_held=True))
    return _resync(after, shown, abandons_head=True)


def _resync(chain: Chain, shown: Presented, *, abandons_head: bool) -> Step:
    after = replace(chain, seq=max(chain.seq, shown.seq) + 1)
    notices = (NoticeCode.STATE_RESYNC, *_review(after))
    return Step(Meaning.RESYNC, after, abandons_head, notices)


def _review(chain: Chain) -> tuple[NoticeCode, ...]:
    return (NoticeCode.CLONE_REVIEW,) if chain.forks >= REVIEW_FORKS else ()


def renew_after(activation_id: str, seq: int, issued_at: int, interval_s: int) -> int:
    """Return when the next check-in is due: after the interval, spread by a sixth of it either way.

    A hash spreads it, so that installations sold on one day do not all call in the same minute.
    """
    drawn = hashlib.sha256(f"{activation_id}:{seq}".encode()).digest()
    spread = interval_s // _SPREAD_PARTS
    return issued_at + interval_s - spread + int.from_bytes(drawn[:8], "big") % (2 * spread + 1)


def is_older(version: str, oldest: str) -> bool:
    """Tell whether a product version lies before another; what is no version counts as old."""
    return _parts(version) < _parts(oldest)


def _parts(version: str) -> list[int]:
    numbers = version.partition("+")[0].split(".")
    return [int(part) if part.isascii() and part.isdecimal() else 0 for part in numbers[:4]]
