"""The licence folder: instance key, state and message log. Knows files, not what they mean."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from licensing.client.disk import alone, publish, read_if_there
from licensing.client.instance import (
    InstanceKey,
    keep_instance_key,
    load_instance_key,
    new_instance_key,
)
from licensing.client.state import State, dump_state, load_state, only_signed
from licensing.document.envelope import sha256
from licensing.document.errors import Code, DocumentError

log = logging.getLogger(__name__)

MESSAGES_KEPT = 50


@dataclass(frozen=True)
class Problem:
    """Something wrong with what is kept here; reported, never a lock by itself."""

    code: Code
    message: str


@dataclass(frozen=True)
class Message:
    """One line of "what was sent": `text` is the payload of a request or of an answer, or an error."""

    at: int
    direction: str
    kind: str
    text: str


@dataclass(frozen=True)
class Kept:
    """The state as loaded. Without `vouched` only documents that prove themselves are left."""

    state: State
    key: InstanceKey | None
    vouched: bool
    problems: tuple[Problem, ...]


class Store:
    """Reads and publishes the files of `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key_path = folder / "instance.key"
        self._state_path = folder / "state.json"
        self._foreign_path = folder / "state.foreign.json"
        self._messages_path = folder / "messages.jsonl"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out while state is read, changed and saved."""
        with alone(self.folder):
            yield

    def stamp(self) -> tuple[int, int]:
        """Return something that differs once another process has published a state."""
        try:
            stat = self._state_path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_ino)

    def load(self) -> Kept:
        """Return what is kept; damage is reported in `problems` and never raised."""
        try:
            key = load_instance_key(self._key_path)
            raw = read_if_there(self._state_path)
            set_aside = read_if_there(self._foreign_path)
        except OSError as error:
            return Kept(State(), None, vouched=False, problems=(_unreadable(error),))
        kept = _kept(raw, key)
        if kept.vouched and raw is not None:
            return kept
        # The key was lost and found again: what was set aside meanwhile is ours once more.
        found = _kept(set_aside, key)
        return found if set_aside is not None and found.vouched else kept

    def save(self, state: State, key: InstanceKey) -> None:
        """Publish the state under the MAC of this instance."""
        self._set_aside(key)
        publish(self._state_path, dump_state(state, key.state_mac_key()))

    def ensure_key(self) -> InstanceKey:
        """Return the instance key, made now if there is none."""
        held = load_instance_key(self._key_path)
        return self.keep_key(new_instance_key()) if held is None else held

    def keep_key(self, key: InstanceKey) -> InstanceKey:
        """Make this the identity of the installation; the one before is gone."""
        keep_instance_key(self._key_path, key)
        return key

    def renew_key(self) -> InstanceKey:
        """Destroy the identity of this installation and take a new one."""
        return self.keep_key(new_instance_key())

    def keep_receipt(self, activation_id: str, proof: bytes) -> None:
        """Keep the proof of a deactivation beyond the next activation."""
        name = sha256(activation_id.encode())[:16]  # a foreign text makes no path
        publish(self.folder / "receipts" / f"{name}.json", proof)

    def mirror(self) -> bytes | None:
        """Return the bytes of the state for a copy elsewhere; None unless this instance wrote them."""
        kept = self.load()
        if kept.key is None or not kept.vouched or kept.state == State():
            return None
        return dump_state(kept.state, kept.key.state_mac_key())

    def read_mirror(self, mirror: bytes, key: InstanceKey) -> State | None:
        """Return the state of a copy that this instance wrote, None for any other."""
        try:
            offered, vouched = load_state(mirror, key.state_mac_key())
        except DocumentError:
            log.warning("The mirror of the licence state is unreadable and was ignored.")
            return None
        return offered if vouched else None

    def _set_aside(self, key: InstanceKey) -> None:
        raw = read_if_there(self._state_path)
        if raw is None or self._foreign_path.exists():
            return
        kept = _kept(raw, key)
        if not kept.vouched and kept.state.activation is not None:
            publish(self._foreign_path, raw)

    def log_message(self, message: Message) -> None:
        """Remember what was sent or came, the last 50."""
        lines = (read_if_there(self._messages_path) or b"").splitlines()[-(MESSAGES_KEPT - 1) :]
        lines.append(json.dumps(asdict(message), ensure_ascii=False).encode())
        publish(self._messages_path, b"\n".join(lines) + b"\n")

    def messages(self) -> tuple[Message, ...]:
        """Return the remembered messages, the newest last; lines that are damaged are left out."""
        raw = read_if_there(self._messages_path) or b""
        return tuple(message for line in raw.splitlines() if (message := _message(line)))


def _kept(raw: bytes | None, key: InstanceKey | None) -> Kept:
    if raw is None:
        return Kept(State(), key, vouched=True, problems=())
    try:
        state, vouched = load_state(raw, key.state_mac_key() if key else None)
    except DocumentError as error:
        return Kept(State(), key, vouched=False, problems=(_tampered(error.message),))
    if vouched:
        return Kept(state, key, vouched=True, problems=())
    if key is None:
        problem = Problem(Code.E_WRONG_INSTANCE, "The instance key of this licence is missing.")
    else:
        problem = _tampered("The licence state was not written by this installation.")
    return Kept(only_signed(state), key, vouched=False, problems=(problem,))


def _unreadable(error: OSError) -> Problem:
    return Problem(Code.E_STATE_TAMPERED, f"{error.filename} cannot be read: {error.strerror}.")


def _message(line: bytes) -> Message | None:
    try:
        return Message(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _tampered(message: str) -> Problem:
    return Problem(Code.E_STATE_TAMPERED, message)
