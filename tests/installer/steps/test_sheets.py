"""The recovery sheet of the installation as PDF: one for all, or one for each holder."""

import stat

import pytest

from tests.installer.place import Place


@pytest.mark.parametrize(
    ("sheet", "names"),
    [
        ("sheet.pdf", ["sheet.pdf"]),
        ("sheets", ["sheets/recovery-sheet-escrow.pdf", "sheets/recovery-sheet-working.pdf"]),
    ],
)
def test_the_sheet_is_a_pdf_for_its_owner_alone(place: Place, sheet: str, names: list[str]) -> None:
    place.write(backup={"recovery_sheet": sheet})
    first = place.install()
    assert first.exit_code == 0, first.stderr

    found = sorted(place.answers.parent.glob("**/*sheet*.pdf"))

    assert [path.relative_to(place.answers.parent).as_posix() for path in found] == names
    assert all(path.read_bytes().startswith(b"%PDF-") for path in found)
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    again = place.install()
    assert again.exit_code == 0, again.stderr
