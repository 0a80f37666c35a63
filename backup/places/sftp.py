"""A folder on another machine, over SFTP. The other side's host key is pinned, never learnt."""

import base64
import errno
import io
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

import paramiko

from backup.disk import BLOCK, Reader
from backup.places import Entry, away, must_be_free, must_be_removable, not_there, refused
from backup.store import PART
from server.core.errors import Broken, Invalid, Missing
from server.core.i18n import gettext as _

TIMEOUT_S = 30
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_REQUEST = 32_768  # what every server takes in one piece
_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


@dataclass(frozen=True)
class Door:
    """Where the other machine answers, who we are there, and whom we believe it to be.

    `secret` is a private key in OpenSSH's or PEM form without passphrase, or else a password.
    """

    host: str
    port: int
    user: str
    folder: str
    host_key: str
    secret: str


def _host_key(text: str) -> tuple[str, bytes]:
    """Return kind and bytes of a host key as ssh-keyscan, known_hosts or a .pub file has it."""
    words = text.split()
    try:
        at = next(n for n, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-")))
        return words[at], base64.b64decode(words[at + 1], validate=True)
    except (StopIteration, ValueError, IndexError) as error:
        raise Invalid(
            _("The host key is no line such as “ssh-ed25519 AAAA…”. See ssh-keyscan."),
            field="host_key",
        ) from error


def _private_key(text: str) -> paramiko.PKey:
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError):
            continue
    raise Missing(_("The secret file holds no private key that opens without a passphrase."))


class SftpPlace:
    """A place over SFTP, connected as long as the object lives; `close` ends it."""

    def __init__(self, name: str, door: Door, *, append_only: bool = False) -> None:
        self.name = name
        self.append_only = append_only
        self._root = PurePosixPath(door.folder)
        self._made: set[str] = set()
        self._transport = self._connect(door)
        opened = paramiko.SFTPClient.from_transport(self._transport)
        if opened is None:
            raise refused(name, "SFTP")
        self._sftp = opened
        channel = opened.get_channel()
        if channel is not None:
            channel.settimeout(TIMEOUT_S)

    def _connect(self, door: Door) -> paramiko.Transport:
        try:
            line = socket.create_connection((door.host, door.port), TIMEOUT_S)
        except OSError as error:
            raise away(self.name, error) from error
        transport = paramiko.Transport(line)
        try:
            self._greet(transport, door)
        except BaseException:
            transport.close()
            line.close()  # which a transport that never began leaves open
            raise
        return transport

    def _greet(self, transport: paramiko.Transport, door: Door) -> None:
        """Look at the host key before anything of ours is said, then sign in."""
        kind, pinned = _host_key(door.host_key)
        transport.banner_timeout = transport.auth_timeout = TIMEOUT_S
        options = transport.get_security_options()
        wanted = _RSA if kind == "ssh-rsa" else (kind,)
        options.key_types = [each for each in options.key_types if each in wanted]
        try:
            transport.start_client(timeout=TIMEOUT_S)
            if transport.get_remote_server_key().asbytes() != pinned:
                raise self._foreign_key(door)
            self._sign_in(transport, door)
        except paramiko.AuthenticationException as error:
            raise refused(self.name, error) from error
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise self._foreign_key(door) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise away(self.name, error) from error

    def _foreign_key(self, door: Door) -> Broken:
        return Broken(
            _(
                "%(host)s does not show the host key that was set for the place “%(name)s”."
                " Nothing was sent. Has the machine been exchanged?",
                host=door.host,
                name=self.name,
            ),
            code="host_key",
        )

    @staticmethod
    def _sign_in(transport: paramiko.Transport, door: Door) -> None:
        if "PRIVATE KEY" in door.secret:
            transport.auth_publickey(door.user, _private_key(door.secret))
        else:
            transport.auth_password(door.user, door.secret.strip())

    def close(self) -> None:
        """End the connection."""
        self._sftp.close()
        self._transport.close()

    def entries(self, under: str) -> Iterator[Entry]:
        """Return the finished files below a folder."""
        with self._naming():
            try:
                found = self._sftp.listdir_attr(str(self._root / under))
            except FileNotFoundError:
                return
        for each in sorted(found, key=lambda one: one.filename):
            name = f"{under}/{each.filename}"
            if stat.S_ISDIR(each.st_mode or 0):
                yield from self.entries(name)
            elif not each.filename.startswith(PART):
                yield Entry(name, each.st_size or 0)

    def folders(self, under: str) -> list[str]:
        """Return the names of the folders right below a folder."""
        with self._naming():
            try:
                found = self._sftp.listdir_attr(str(self._root / under))
            except FileNotFoundError:
                return []
            return sorted(each.filename for each in found if stat.S_ISDIR(each.st_mode or 0))

    def size(self, name: str) -> int | None:
        """Return what the file weighs."""
        with self._naming():
            try:
                return self._sftp.stat(str(self._root / name)).st_size
            except FileNotFoundError:
                return None

    @contextmanager
    def read(self, name: str) -> Iterator[Reader]:
        """Give the file's bytes, asked for ahead."""
        with self._naming():
            try:
                file = self._sftp.open(str(self._root / name), "rb")
            except FileNotFoundError as error:
                raise not_there(self.name, name) from error
            with file:
                file.prefetch(file.stat().st_size, max_concurrent_requests=32)
                yield file

    def write(self, name: str, source: Reader, size: int) -> None:
        """Write beside the name and rename."""
        must_be_free(self, name)
        path = self._root / name
        part = path.with_name(PART + path.name)
        with self._naming():
            self._make(path.parent)
            with self._sftp.open(str(part), "wb") as file:
                file.set_pipelined(True)
                while block := source.read(BLOCK):
                    for at in range(0, len(block), _REQUEST):
                        file.write(block[at : at + _REQUEST])
            if self._sftp.stat(str(part)).st_size != size:
                raise OSError(errno.EIO, "short write")
            if self.append_only:
                self._sftp.rename(str(part), str(path))
            else:
                self._sftp.posix_rename(str(part), str(path))

    def _make(self, folder: PurePosixPath) -> None:
        if str(folder) in self._made:
            return
        try:
            self._sftp.stat(str(folder))
        except FileNotFoundError:
            if folder == self._root or folder == folder.parent:
                raise away(self.name, folder) from None
            self._make(folder.parent)
            self._sftp.mkdir(str(folder), 0o700)
        self._made.add(str(folder))

    def remove(self, name: str) -> None:
        """Remove the file, and its folder when it was the last one in it."""
        must_be_removable(self)
        path = self._root / name
        with self._naming():
            try:
                self._sftp.remove(str(path))
            except FileNotFoundError:
                return
            if not self._sftp.listdir(str(path.parent)):
                self._sftp.rmdir(str(path.parent))
                self._made.discard(str(path.parent))

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, TimeoutError, ConnectionError, paramiko.SSHException) as error:
            raise away(self.name, error or type(error).__name__) from error
        except OSError as error:
            if not self._transport.is_active():
                raise away(self.name, error) from error
            raise refused(self.name, error) from error
