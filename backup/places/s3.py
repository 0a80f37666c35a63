"""A bucket of object storage that speaks S3. An object shows only when it is whole, by its nature."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from backup.disk import Reader
from backup.places import Entry, away, must_be_free, must_be_removable, not_there, refused

PIECE = 5 << 20  # the smallest that S3 takes, so that little memory is needed
_AGREED_NOT_THERE = frozenset({"NoSuchKey", "NoSuchObject"})
_TIMEOUT = urllib3.Timeout(connect=10, read=60)


@dataclass(frozen=True)
class Bucket:
    """Where the storage answers, and with which key."""

    host: str
    secure: bool
    bucket: str
    prefix: str
    region: str
    access_key: str
    secret_key: str


class S3Place:
    """A place in a bucket that is there already."""

    def __init__(self, name: str, where: Bucket, *, append_only: bool = False) -> None:
        self.name = name
        self.append_only = append_only
        self._bucket = where.bucket
        self._prefix = f"{where.prefix.strip('/')}/" if where.prefix.strip("/") else ""
        self._pool = urllib3.PoolManager(
            timeout=_TIMEOUT,
            retries=urllib3.Retry(total=3, backoff_factor=0.5, status_forcelist=[500, 502, 503]),
        )
        self._client = Minio(
            where.host,
            access_key=where.access_key,
            secret_key=where.secret_key,
            secure=where.secure,
            region=where.region,
            http_client=self._pool,
        )

    def close(self) -> None:
        """End the connections."""
        self._pool.clear()

    def entries(self, under: str) -> Iterator[Entry]:
        """Return the files below a folder."""
        with self._naming():
            for each in self._client.list_objects(
                self._bucket, prefix=f"{self._prefix}{under}/", recursive=True
            ):
                name = (each.object_name or "").removeprefix(self._prefix)
                yield Entry(name, each.size or 0)

    def folders(self, under: str) -> list[str]:
        """Return the names of the folders right below a folder."""
        start = f"{self._prefix}{under}/"
        with self._naming():
            found = list(self._client.list_objects(self._bucket, prefix=start))
        names = [(each.object_name or "").removeprefix(start) for each in found]
        return sorted(name.rstrip("/") for name in names if name.endswith("/"))

    def size(self, name: str) -> int | None:
        """Return what the file weighs."""
        with self._naming():
            try:
                return self._client.stat_object(self._bucket, self._prefix + name).size
            except S3Error as error:
                if error.code in _AGREED_NOT_THERE:
                    return None
                raise

    @contextmanager
    def read(self, name: str) -> Iterator[Reader]:
        """Give the file's bytes."""
        with self._naming():
            try:
                answer = self._client.get_object(self._bucket, self._prefix + name)
            except S3Error as error:
                if error.code in _AGREED_NOT_THERE:
                    raise not_there(self.name, name) from error
                raise
            try:
                yield cast(Reader, answer)
            finally:
                answer.close()
                answer.release_conn()

    def write(self, name: str, source: Reader, size: int) -> None:
        """Write the file; the storage shows it when it has all of it."""
        must_be_free(self, name)
        with self._naming():
            self._client.put_object(
                self._bucket,
                self._prefix + name,
                cast(BinaryIO, source),
                size,
                part_size=PIECE,
                num_parallel_uploads=1,
            )

    def remove(self, name: str) -> None:
        """Remove the file."""
        must_be_removable(self)
        with self._naming():
            self._client.remove_object(self._bucket, self._prefix + name)

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            raise away(self.name, error) from error
        except S3Error as error:
            raise refused(self.name, f"{error.code}: {error.message}") from error
        except (MinioException, OSError, ValueError) as error:
            raise refused(self.name, error) from error
