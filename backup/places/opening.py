"""From what the settings say to a place that answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from backup.places import Place
from backup.places.folder import FolderPlace
from server.core.errors import Missing
from server.core.i18n import gettext as _

if (
    TYPE_CHECKING
):  # the libraries are loaded where they are needed: every command reads the settings
    from backup.places.s3 import S3Place
    from backup.places.sftp import SftpPlace

FOLDER = "folder"
SFTP = "sftp"
S3 = "s3"
KINDS = (FOLDER, SFTP, S3)


@dataclass(frozen=True)
class Where:
    """Where a place is. `url` is a path, sftp://user@host:port/folder or https://host/bucket/prefix.

    `secret` reads the private key or password, for S3 the two lines of access key and secret key.
    """

    name: str
    kind: str
    url: str
    append_only: bool = False
    host_key: str = ""
    region: str = ""
    secret: Callable[[], str] = str


@contextmanager
def opened(where: Where) -> Iterator[Place]:
    """Give the place during the block; raise Missing with the code of AWAY when it is not there."""
    if where.kind == FOLDER:
        yield FolderPlace(where.name, Path(where.url), append_only=where.append_only)
        return
    remote = _sftp(where) if where.kind == SFTP else _s3(where)
    try:
        yield remote
    finally:
        remote.close()


def _sftp(where: Where) -> "SftpPlace":
    from backup.places.sftp import Door, SftpPlace

    parts = urlsplit(where.url)
    door = Door(
        host=parts.hostname or "",
        port=parts.port or 22,
        user=unquote(parts.username or ""),
        folder=unquote(parts.path) or "/",
        host_key=where.host_key,
        secret=where.secret(),
    )
    return SftpPlace(where.name, door, append_only=where.append_only)


def _s3(where: Where) -> "S3Place":
    from backup.places.s3 import Bucket, S3Place

    parts = urlsplit(where.url)
    bucket, _slash, prefix = unquote(parts.path).strip("/").partition("/")
    lines = where.secret().split()
    if len(lines) != 2:
        raise Missing(
            _(
                "The secret file of the place “%(name)s” needs two lines: access key, secret key.",
                name=where.name,
            )
        )
    found = Bucket(
        host=parts.netloc,
        secure=parts.scheme == "https",
        bucket=bucket,
        prefix=prefix,
        region=where.region or "us-east-1",
        access_key=lines[0],
        secret_key=lines[1],
    )
    return S3Place(where.name, found, append_only=where.append_only)
