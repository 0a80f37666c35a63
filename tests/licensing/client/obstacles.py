"""What may stand between a server and its vendor, as real sockets: silence, proxies, certificates, portals."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Talk = Callable[[socket.socket], None]


class Listener:
    """Takes connections on a free port and lets `talk` speak on each; hangs up when that ends."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self._talk = talk
        self._context = context
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                peer, _address = self.socket.accept()
            except OSError:
                return
            self._open.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: socket.socket) -> None:
        with suppress(OSError, ValueError):
            if self._context is None:
                self._talk(peer)
            else:
                with self._context.wrap_socket(peer, server_side=True) as secure:
                    self._talk(secure)
        peer.close()

    def stop(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self._thread.join()
        for peer in self._open:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
            peer.close()
        for thread in self._threads:
            thread.join()


def head_of(peer: socket.socket) -> str:
    """Return the head of a request; ValueError when the other side hung up."""
    said = b""
    while b"\r\n\r\n" not in said:
        more = peer.recv(4096)
        if not more:
            raise ValueError("hung up")
        said += more
    return said.decode()


def says(answer: bytes) -> Talk:
    """Answer whatever is asked with these bytes."""

    def talk(peer: socket.socket) -> None:
        head_of(peer)
        peer.sendall(answer)

    return talk


def is_silent(peer: socket.socket) -> None:
    """Read and never say a word."""
    while peer.recv(4096):
        pass


def response(status: int, body: bytes = b"", kind: str = "text/html", *more: str) -> bytes:
    head = [
        f"HTTP/1.1 {status} Some",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *more,
    ]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + body


def serves(answer: Callable[[str], bytes]) -> Talk:
    """Answer by the path that is asked for."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(answer(head_of(peer).split(" ")[1]))

    return talk


def tunnels(peer: socket.socket) -> None:
    """Be a proxy that lets everything through."""
    host, _colon, port = head_of(peer).split(" ")[1].rpartition(":")
    with socket.create_connection((host, int(port))) as there:
        peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(there, peer))
        back.start()
        _pump(peer, there)
        back.join()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(16_384):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Certificates:
    """A certificate authority of this test, and what it issues for a moment and a name."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate

    @classmethod
    def found(cls, folder: Path, name: str = "Pars Root") -> "Certificates":
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = _named(name)
        root = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=400))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, SHA256())
        )
        made = cls(folder, key, root)
        made.bundle.write_bytes(root.public_bytes(Encoding.PEM))
        return made

    @property
    def bundle(self) -> Path:
        return self.folder / f"{_common_name(self.root)}.pem"

    def context(
        self, name: str = "localhost", since: int = -10, until: int = 10, *, selfmade: bool = False
    ) -> ssl.SSLContext:
        """Return the server's side for a certificate that is valid from and until so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        issued = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(name) if selfmade else self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=since))
            .not_valid_after(now + timedelta(days=until))
            .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
            .sign(key if selfmade else self.key, SHA256())
        )
        file = self.folder / f"{x509.random_serial_number()}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + issued.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
