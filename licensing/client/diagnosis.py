"""What stands between this server and its vendor: each step of the way, and how it went. Facts only, no words.

Nothing here changes the licence or waits for its lock, and no step outlasts the patience of its address.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path

from licensing.client.patience import Patience
from licensing.client.way import Answer, Obstacle, Way
from licensing.document.errors import Code, DocumentError
from licensing.document.parser import Members, parse_object
from licensing.document.trust import Trust

SECONDS = 16.0  # for one address; all are looked at side by side
CLOCK_OFF = 300
CLOCK_WRONG = 2 * 3_600
_MOST_ROOT_STEPS = 3
_SERVER_ERROR, _BUSY = 500, 429
_REDIRECTS = range(300, 400)


class Step(StrEnum):
    """The steps of the way, in their order."""

    NAME = "name"
    CONNECTION = "connection"
    PROXY = "proxy"
    TLS = "tls"
    ANSWER = "answer"
    CLOCK = "clock"


class Grade(StrEnum):
    """How a step went."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Found:
    """How one step on the way to one address went: `code` names the case, `facts` what was seen."""

    url: str
    step: Step
    grade: Grade
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Examinee:
    """Whose way is looked at: the addresses, what is believed, and the clock of this server.

    `signed_time` is the newest time the vendor ever signed; 0 when it never did.
    """

    urls: Sequence[str]
    ca_bundle: Path | None
    trust: Trust
    wall: Callable[[], int]
    signed_time: int = 0
    seconds: float = SECONDS


def diagnose(subject: Examinee, tell: Callable[[Found], None]) -> tuple[Found, ...]:
    """Look at all addresses side by side; `tell` hears of each step as it ends, from several threads."""
    if not subject.urls:
        found = Found("", Step.NAME, Grade.FAIL, "no_address")
        tell(found)
        return (found,)
    gathered: list[list[Found]] = [[] for _url in subject.urls]

    def look(place: int) -> None:
        for found in examine(subject.urls[place], subject):
            gathered[place].append(found)
            tell(found)

    with ThreadPoolExecutor(len(subject.urls)) as pool:
        list(pool.map(look, range(len(subject.urls))))
    return tuple(found for way in gathered for found in way)


def examine(url: str, subject: Examinee) -> Iterator[Found]:
    """Give the steps on the way to one address; after a failure the rest is skipped."""
    with Patience(subject.seconds) as patience:
        way = Way(url, subject.ca_bundle, patience)
        looker = _Looker(way, subject)
        failed = False
        for step in Step:
            if failed and not (step is Step.CLOCK and looker.may_ask_unverified):
                found = Found(way.url, step, Grade.SKIP, "not_reached")
            else:
                found = looker.look(step)
            failed = failed or found.grade is Grade.FAIL
            yield found
        way.close()


class _Looker:
    """Takes one step after another and says how it went."""

    def __init__(self, way: Way, subject: Examinee) -> None:
        self._way = way
        self._subject = subject
        self._served_at: int | None = None
        self.may_ask_unverified = False

    def look(self, step: Step) -> Found:
        """Take one step."""
        act: Mapping[Step, Callable[[], Found]] = {
            Step.NAME: self._name,
            Step.CONNECTION: self._connection,
            Step.PROXY: self._proxy,
            Step.TLS: self._tls,
            Step.ANSWER: self._answer,
            Step.CLOCK: self._clock,
        }
        try:
            return act[step]()
        except Obstacle as obstacle:
            # A certificate outside its time may be right, and our clock wrong.
            self.may_ask_unverified = obstacle.code in ("tls_expired", "tls_not_yet")
            return self._found(step, Grade.FAIL, obstacle.code, **obstacle.facts)

    def _found(self, step: Step, grade: Grade, code: str, **facts: str) -> Found:
        return Found(self._way.url, step, grade, code, facts)

    def _name(self) -> Found:
        address = self._way.resolve()
        code = "name_literal" if address == self._way.peer.host else "name_found"
        return self._found(Step.NAME, Grade.PASS, code, host=self._way.peer.host, address=address)

    def _connection(self) -> Found:
        self._way.connect()
        code = "proxy_connected" if self._way.proxy else "connected"
        return self._found(Step.CONNECTION, Grade.PASS, code, place=self._way.peer.place)

    def _proxy(self) -> Found:
        if self._way.proxy is None:
            return self._found(Step.PROXY, Grade.SKIP, "no_proxy")
        self._way.tunnel()
        return self._found(Step.PROXY, Grade.PASS, "proxy_lets_through", place=self._way.peer.place)

    def _tls(self) -> Found:
        if not self._way.is_secure:
            return self._found(Step.TLS, Grade.SKIP, "no_tls")
        seen = self._way.secure()
        return self._found(Step.TLS, Grade.PASS, "tls_trusted", **seen)

    def _answer(self) -> Found:
        answer = self._way.get("v1/keyset")
        self._served_at = _date(answer)
        odd = _oddity(answer)
        if odd is not None:
            grade = Grade.WARN if odd[0] == "answer_busy" else Grade.FAIL
            return self._found(Step.ANSWER, grade, odd[0], **odd[1])
        return self._judged(answer)

    def _judged(self, answer: Answer) -> Found:
        try:
            keyset = self._trusted(answer.body).keyset
        except DocumentError as error:
            codes = {
                Code.E_SIGNATURE: "answer_not_signed",
                Code.E_KEYSET_EXPIRED: "answer_keys_expired",
                Code.E_KEYSET_ROLLBACK: "answer_keys_old",
            }
            code = codes.get(error.code, "answer_foreign")
            grade = Grade.WARN if code == "answer_keys_old" else Grade.FAIL
            return self._found(Step.ANSWER, grade, code, why=error.message)
        version = str(keyset.document.version) if keyset else ""
        return self._found(Step.ANSWER, Grade.PASS, "answer_signed", version=version)

    def _trusted(self, raw: bytes) -> Trust:
        trust, now = self._subject.trust, self._subject.wall()
        for _step in range(_MOST_ROOT_STEPS):
            try:
                return trust.with_keyset(raw, now)
            except DocumentError as error:
                # Newer roots are fetched by the next exchange; only then their keyset is known.
                newer = self._way.get(f"v1/root/{trust.root.version + 1}")
                if error.code is not Code.E_SIGNATURE or newer.status != 200:
                    raise
                trust = trust.with_root(newer.body)
        return trust.with_keyset(raw, now)

    def _clock(self) -> Found:
        theirs = self._their_time()
        ours, signed = self._subject.wall(), self._subject.signed_time
        if signed - ours > CLOCK_WRONG:
            return self._found(
                Step.CLOCK, Grade.FAIL, "clock_before_signed", seconds=str(signed - ours)
            )
        if theirs is None:
            return self._found(Step.CLOCK, Grade.SKIP, "clock_unknown")
        off = ours - theirs
        facts = {"seconds": str(abs(off)), "ours": str(ours), "theirs": str(theirs)}
        if abs(off) <= CLOCK_OFF:
            return self._found(Step.CLOCK, Grade.PASS, "clock_right", **facts)
        code = "clock_ahead" if off > 0 else "clock_behind"
        grade = Grade.FAIL if abs(off) > CLOCK_WRONG else Grade.WARN
        return self._found(Step.CLOCK, grade, code, **facts)

    def _their_time(self) -> int | None:
        try:
            answer = self._way.get("v1/challenge", verified=not self.may_ask_unverified)
        except Obstacle:
            return self._served_at
        try:
            # What is in the body no cache on the way has written.
            return Members(parse_object(answer.body)).time("server_time")
        except DocumentError:
            return _date(answer) or self._served_at


def _date(answer: Answer) -> int | None:
    try:
        return int(parsedate_to_datetime(answer.headers.get("date", "")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _oddity(answer: Answer) -> tuple[str, dict[str, str]] | None:
    """Return what is wrong with an answer that cannot be the authority's keyset."""
    status = answer.status
    cases = (
        (status in _REDIRECTS, "answer_redirect"),
        (status == 407, "proxy_sign_in"),
        (answer.is_page, "answer_page"),
        (status in (401, 403, 451), "answer_forbidden"),
        (status == _BUSY, "answer_busy"),
        (status >= _SERVER_ERROR, "answer_unwell"),
        (status != 200, "answer_foreign"),
    )
    code = next((code for holds, code in cases if holds), None)
    if code is None:
        return None
    return code, {"status": str(status), "where": answer.redirect_host, "title": answer.title}


class Steps:
    """The steps of a diagnosis under way, gathered from several threads."""

    def __init__(self) -> None:
        self._found: list[Found] = []
        self._lock = threading.Lock()

    def add(self, found: Found) -> tuple[Found, ...]:
        """Add a step and return all so far, those of one address together."""
        with self._lock:
            self._found.append(found)
            urls = list(dict.fromkeys(one.url for one in self._found))
            return tuple(sorted(self._found, key=lambda one: urls.index(one.url)))
