"""Sealing and opening: what strikes in the middle is not mistaken for something else."""

import io
from pathlib import Path

import pytest

from backup import archive


class Interrupted(io.BytesIO):
    """A stream at which somebody presses Ctrl-C."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise KeyboardInterrupt

    def write(self, _data: object, /) -> int:
        raise KeyboardInterrupt


def test_an_interruption_while_sealing_is_an_interruption(tmp_path: Path) -> None:
    _private, public = archive.new_key()

    with pytest.raises(KeyboardInterrupt):
        archive.seal(Interrupted(), tmp_path / "sealed.age", [archive.recipient(public)])

    assert list(tmp_path.iterdir()) == []


def test_an_interruption_between_our_lines_is_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = archive.new_key()
    sealed = tmp_path / "sealed.age"
    archive.seal(io.BytesIO(b"x" * 100_000), sealed, [archive.recipient(public)])

    def struck(*_words: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive.Hashing, "read", struck)
    with pytest.raises(KeyboardInterrupt):
        archive.unseal(sealed, io.BytesIO(), archive.identities(private))
    monkeypatch.setattr(archive._Buffered, "read", struck)
    with pytest.raises(KeyboardInterrupt):
        archive.seal(io.BytesIO(b"x"), tmp_path / "other.age", [archive.recipient(public)])
