"""A month's record: every day with its check, also after retention; signed so that no byte can change."""

import io
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from asn1crypto.x509 import Certificate  # type: ignore[import-untyped] # ships no types
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from backup.confirm import Choice
from backup.keys import NewRecipient, Role
from backup.plan import Kind
from backup.signed_pdf import certificate_fingerprint, certificate_of
from client_web.kit.assets import STATIC
from server.backups.months import month_of, month_pdf
from server.backups.rules import DayState
from server.backups.sheets import sheet_of
from server.core.actor import Actor
from server.core.errors import NotAllowed, NotFound
from server.core.i18n import use_locale
from tests.server.backups.home import Home

FONTS = STATIC / "fonts"
DAY = timedelta(days=1)


@pytest.fixture
def month(sqlite_home: Home) -> Home:
    """Give an installation with four days behind it: confirmed, refused, no backup, nobody checked."""
    office, root = sqlite_home.office, sqlite_home.cast.root
    with time_machine.travel("2026-11-10T02:15:00Z", tick=False) as clock:
        for choice in (Choice.IN_ORDER, Choice.PROBLEM_FOUND, None, ...):
            if choice is not None:
                name = office.run(root, Kind.DAILY).id
                office.verify(root, name)
                if isinstance(choice, Choice):
                    with sqlite_home.database.write(root) as session:
                        office.confirm(session, root, name, choice, "همه چیز دیده شد")
            clock.shift(DAY)
    return sqlite_home


def validity(content: bytes, home: Home) -> tuple[bool, bool]:
    """Return whether the signature is whole and covers the file, for who trusts our certificate alone."""
    root = Certificate.load(certificate_of(home.office.keys).public_bytes(Encoding.DER))
    (signature,) = PdfFileReader(io.BytesIO(content)).embedded_signatures
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=[root]))
    return status.intact and status.valid, status.bottom_line


def text_of(content: bytes, folder: Path) -> str:
    path = folder / "record.pdf"
    path.write_bytes(content)
    return subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout


def test_every_day_has_its_word_and_what_was_pruned_is_told_still(month: Home) -> None:
    with time_machine.travel("2026-11-14T12:00:00Z", tick=False):
        before = month_of(month.store, month.office.keys, "2026-11", ZoneInfo("UTC"))
        again = month_of(month.store, month.office.keys, "2026-11", ZoneInfo("UTC"))
    assert [(each.day.day, each.state) for each in before.days] == [
        (10, DayState.CONFIRMED),
        (11, DayState.PROBLEM),
        (12, DayState.MISSING),
        (13, DayState.UNCHECKED),
    ]
    assert before.digest == again.digest
    assert before.ends is not None
    assert (before.ends.first, before.ends.last) == (1, 2)
    assert not before.is_over

    shutil.rmtree(month.store.sets / before.days[0].lines[0].id)
    with time_machine.travel("2026-12-24T12:00:00Z", tick=False):
        after = month_of(month.store, month.office.keys, "2026-11", ZoneInfo("UTC"))

    assert after.is_over
    assert after.days[0].state is DayState.CONFIRMED
    assert after.days[0].lines[0].state is None
    assert after.digest != before.digest
    assert len(after.days) == 21


def test_the_record_is_signed_and_every_changed_byte_shows(month: Home, tmp_path: Path) -> None:
    with time_machine.travel("2026-11-14T12:00:00Z", tick=False):
        content = month_pdf(month.office, month.cast.root, "2026-11", fonts=FONTS)

    assert validity(content, month) == (True, True)
    text = text_of(content, tmp_path)
    for words in ("Pars", "checked and in order", "Root", "2/2", "Proofs of the keys"):
        assert words in text, words
    assert certificate_fingerprint(month.office.keys)[:20] in "".join(text.split())
    broken = bytearray(content)
    broken[200] ^= 1
    assert validity(bytes(broken), month)[0] is False
    later = IncrementalPdfFileWriter(io.BytesIO(content))
    later.root["/Lang"] = TextStringObject("xx")
    later.update_root()  # type: ignore[no-untyped-call] # untyped there
    changed = io.BytesIO()
    later.write(changed)  # type: ignore[no-untyped-call] # untyped there
    assert validity(changed.getvalue(), month)[1] is False


def test_a_month_that_is_none_is_refused(sqlite_home: Home) -> None:
    office, root = sqlite_home.office, sqlite_home.cast.root
    for word in ("2026-13", "nonsense", "2099-01", "2026-1"):
        with pytest.raises(NotFound):
            month_pdf(office, root, word, fonts=FONTS)
    with pytest.raises(NotAllowed):
        month_pdf(office, Actor(9, "Nobody"), "2026-11", fonts=FONTS)


def test_the_recovery_sheet_shows_the_keys_as_text_and_as_code(
    sqlite_home: Home, tmp_path: Path
) -> None:
    shown = sqlite_home.shown_once
    keys = (
        NewRecipient(Role.WORKING, shown.working_private, shown.working_public),
        NewRecipient(Role.ESCROW, shown.escrow_private, shown.escrow_public),
    )
    sheet = sheet_of(sqlite_home.settings, shown.signer_fingerprint, keys)
    for locale, word in (("en", "Recovery sheet"), ("fr", shown.signer_fingerprint)):
        with use_locale(locale):
            text = text_of(sheet.pdf(FONTS), tmp_path)
        assert word in text
        assert shown.working_private in "".join(text.split())
    (working, _escrow) = sheet.one_each
    assert shown.escrow_private not in working.text()
