"""The licence folder: instance key, state and message log. Knows files, not what they mean."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from licensing.client.disk import alone, publish, read_if_there
from licensing.client.instance import InstanceKey, create_instance_key, load_instance_key
from licensing.client.state import State, dump_state, is_newer, load_state, only_signed
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
        key = load_instance_key(self._key_path)
        raw = read_if_there(self._state_path)
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

    def save(self, state: State, key: InstanceKey) -> None:
        """Publish the state under the MAC of this instance."""
        publish(self._state_path, dump_state(state, key.state_mac_key()))

    def ensure_key(self) -> InstanceKey:
        """Return the instance key, made now if there is none."""
        return load_instance_key(self._key_path) or create_instance_key(self._key_path)

    def renew_key(self) -> InstanceKey:
        """Destroy the identity of this installation and take a new one."""
        return create_instance_key(self._key_path)

    def keep_receipt(self, activation_id: str, proof: bytes) -> None:
        """Keep the proof of a deactivation beyond the next activation."""
        name = sha256(activation_id.encode())[:16]  # a foreign text makes no path
        publish(self.folder / "receipts" / f"{name}.json", proof)

    def mirror(self) -> bytes | None:
        """Return the bytes of the state for a copy elsewhere."""
        return read_if_there(self._state_path)

    def adopt(self, mirror: bytes) -> bool:
        """Take a mirrored state if this instance wrote it and it is ahead of the file."""
        kept = self.load()
        if kept.key is None:
            return False
        try:
            offered, vouched = load_state(mirror, kept.key.state_mac_key())
        except DocumentError:
            log.warning("The mirror of the licence state is unreadable and was ignored.")
            return False
        if not vouched or (kept.vouched and not is_newer(offered, kept.state)):
            return False
        if not kept.vouched and is_newer(kept.state, offered):
            return False
        self.save(offered, kept.key)
        return True

    def log_message(self, message: Message) -> None:
        """Remember what was sent or came, the last 50."""
        lines = (read_if_there(self._messages_path) or b"").splitlines()[-(MESSAGES_KEPT - 1) :]
        lines.append(json.dumps(asdict(message), ensure_ascii=False).encode())
        publish(self._messages_path, b"\n".join(lines) + b"\n")

    def messages(self) -> tuple[Message, ...]:
        """Return the remembered messages, the newest last; lines that are damaged are left out."""
        raw = read_if_there(self._messages_path) or b""
        return tuple(message for line in raw.splitlines() if (message := _message(line)))


def _message(line: bytes) -> Message | None:
    try:
        return Message(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _tampered(message: str) -> Problem:
    return Problem(Code.E_STATE_TAMPERED, message)
