"""Reading tables from files as they are found in the world: none stops the import, no row is lost."""

from pathlib import Path

import pytest

from server.core.errors import Invalid
from server.exchange.profile import look_at
from server.exchange.table import Row, open_sheet, recognise


def table(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: Path) -> list[Row]:
    return list(open_sheet(path).rows())


def cells(path: Path) -> list[tuple[str, ...]]:
    return [row.cells for row in rows_of(path)]


PERSIAN = "نام;شهر\nشرکت پارس;تهران\nکشت و صنعت;اهواز\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (PERSIAN.encode(), "utf-8"),
        (PERSIAN.encode("utf-8-sig"), "utf-8-sig"),
        (PERSIAN.encode("utf-16"), "utf-16"),
        (PERSIAN.replace("ی", "ي").encode("windows-1256"), "windows-1256"),
    ],
)
def test_persian_is_read_in_the_encodings_of_the_country(
    tmp_path: Path, raw: bytes, encoding: str
) -> None:
    path = table(tmp_path, raw)

    assert recognise(path).encoding == encoding
    assert open_sheet(path).headers == ("نام", "شهر")
    assert cells(path)[0] == ("شرکت پارس", "تهران")


def test_latin_letters_of_old_windows_are_not_taken_for_persian(tmp_path: Path) -> None:
    path = table(tmp_path, "Nom;Größe\nMüller;größer\nCôté;déjà\n".encode("windows-1252"))

    assert recognise(path).encoding == "windows-1252"
    assert cells(path)[0] == ("Müller", "größer")


def test_utf_16_without_a_mark_is_recognised(tmp_path: Path) -> None:
    path = table(tmp_path, "name,city\nPars,Tehran\n".encode("utf-16-le"))

    assert open_sheet(path).headers == ("name", "city")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_on_which_the_rows_agree(tmp_path: Path, sign: str) -> None:
    rows = [["name", "note"], ["Pars", "a, b; c"], ["Fars", "d"], ["Kish", "e"]]
    text = "\n".join(sign.join(f'"{cell}"' for cell in row) for row in rows)

    assert recognise(table(tmp_path, text)).delimiter == sign
    assert cells(table(tmp_path, text))[0] == ("Pars", "a, b; c")


def test_a_hint_of_a_spreadsheet_names_the_delimiter(tmp_path: Path) -> None:
    path = table(tmp_path, "sep=;\r\nname;city\r\nPars, Ltd;Tehran\r\n")

    assert open_sheet(path).headers == ("name", "city")
    assert cells(path) == [("Pars, Ltd", "Tehran")]


def test_a_value_may_hold_line_breaks_and_the_line_numbers_stay_right(tmp_path: Path) -> None:
    path = table(tmp_path, 'name,address\nPars,"Valiasr\nNo. 5"\nFars,Shiraz\n')

    assert rows_of(path) == [
        Row(2, ("Pars", "Valiasr\nNo. 5")),
        Row(4, ("Fars", "Shiraz")),
    ]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    others = "".join(f"Company {number},Tehran\n" for number in range(3_000))
    path = table(tmp_path, f'name,city\nFirst,Qom\n"Pars,Tehran\n{others}')

    found = rows_of(path)

    assert len(found) == 3_002
    assert [row.line for row in found if row.problem] == [3]
    assert found[1].cells[0].startswith("Pars,Tehran")
    assert found[2].cells == ("Company 0", "Tehran")


def test_loose_quotation_marks_are_read_and_mentioned(tmp_path: Path) -> None:
    path = table(tmp_path, 'name,size\n"Pars" Ltd,5\nFars,3" pipe\n')

    first, second = rows_of(path)

    assert first.cells == ("Pars Ltd", "5")
    assert first.note
    assert not first.problem
    assert second == Row(3, ("Fars", '3" pipe'))


def test_ragged_rows_say_so(tmp_path: Path) -> None:
    path = table(tmp_path, "name,city,note\nPars\nFars,Shiraz,x,y\nKish,Kish,z,\n")

    short, long, trailing = rows_of(path)

    assert short.cells == ("Pars", "", "")
    assert short.note
    assert not short.problem
    assert long.cells == ("Fars", "Shiraz", "x", "y")
    assert "4" in long.problem
    assert not trailing.problem


def test_a_value_without_end_is_cut_and_refused(tmp_path: Path) -> None:
    path = table(tmp_path, f"name,note\nPars,{'x' * 300_000}\nFars,ok\n")

    huge, good = rows_of(path)

    assert huge.problem
    assert len(huge.cells[0]) < 25_000
    assert good == Row(3, ("Fars", "ok"))


def test_characters_that_no_text_may_have_are_refused_and_shown(tmp_path: Path) -> None:
    path = table(tmp_path, b"name,city\nPa\x00rs,Tehran\nFars,Shiraz\n")

    bad, good = rows_of(path)

    assert bad.problem
    assert bad.cells == ("Pa␀rs", "Tehran")
    assert not good.problem


def test_a_broken_letter_in_good_utf_8_costs_its_row_only(tmp_path: Path) -> None:
    good = "".join(f"شرکت {number},تهران\n" for number in range(20)).encode()
    path = table(tmp_path, b"name,city\n" + good + b"Caf\xe9,Paris\n")

    found = rows_of(path)

    assert recognise(path).encoding == "utf-8"
    assert [row.line for row in found if row.problem] == [22]


def test_each_column_has_a_name_of_its_own(tmp_path: Path) -> None:
    path = table(tmp_path, "amount,amount,,amount\n1,2,3,4\n")

    assert open_sheet(path).headers == ("amount", "amount (2)", "Column 3", "amount (3)")


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = table(tmp_path, "\n\nname,city\n\nPars,Tehran\n , \n\nFars,Shiraz\n\n")

    assert [row.line for row in rows_of(path)] == [5, 8]


def test_old_line_ends_are_understood(tmp_path: Path) -> None:
    assert cells(table(tmp_path, "name,city\rPars,Tehran\rFars,Shiraz\r")) == [
        ("Pars", "Tehran"),
        ("Fars", "Shiraz"),
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"name,city\n"])
def test_a_file_without_a_row_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        look_at(table(tmp_path, content))

    assert refusal.value.field == "file"


def test_a_workbook_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="CSV"):
        look_at(table(tmp_path, b"PK\x03\x04" + bytes(100)))


def test_a_first_look_tells_samples_words_and_the_order_of_dates(tmp_path: Path) -> None:
    rows = "".join(f"Company {number},3/{number + 10}/2026,Won\n" for number in range(15))
    profile = look_at(table(tmp_path, f"name,closed,stage\n{rows}"))

    assert profile.rows == 15
    assert profile.dates == "mdy"
    assert profile.columns[0].samples == ("Company 0", "Company 1", "Company 2")
    assert profile.words_of(("stage",)) == ("Won",)
