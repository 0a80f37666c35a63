"""The printed forms, read back with another program."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from weasyprint import HTML  # type: ignore[import-untyped]  # ships no types
from weasyprint.urls import FatalURLFetchingError  # type: ignore[import-untyped]  # ships no types

from client_web.kit.assets import STATIC
from installer.forms.calendar import show_date, show_moment, text_direction
from installer.forms.form import Answer
from installer.forms.page import Letterhead, PrintOptions, lay_out
from installer.forms.pdf import _OnlyOurs, qr_text, render_html, render_pdf
from installer.forms.rules import fill, open_form
from installer.forms.signing import sign
from tests.installer.forms.cast import NOW, Delivery


def options(locale: str) -> PrintOptions:
    letterhead = Letterhead("شرکت نمونه‌پرداز", ("مشهد، تلفن ۰۵۱-۳۱۰۰۰۰۰۰",))
    return PrintOptions(locale, letterhead, zone=ZoneInfo("Asia/Tehran"))


def text_of(pdf: bytes, tmp_path: Path) -> str:
    file = tmp_path / "form.pdf"
    file.write_bytes(pdf)
    answer = subprocess.run(
        ["/usr/bin/pdftotext", "-layout", str(file), "-"], check=True, capture_output=True
    )
    return answer.stdout.decode()


def test_the_english_checklist_can_be_read_from_the_pdf(delivery: Delivery, tmp_path: Path) -> None:
    text = text_of(render_pdf(delivery.checklist(), options("en")), tmp_path)

    assert "Checklist of installation, deployment and training" in text
    assert "22 November 2026, 12:45" in text
    assert "Page 1 of" in text


def test_the_persian_checklist_has_jalali_dates_and_persian_digits(
    delivery: Delivery, tmp_path: Path
) -> None:
    page = lay_out(delivery.checklist(), options("fa"))
    pdf = render_pdf(delivery.checklist(), options("fa"))

    assert page.opened == "۱ آذر ۱۴۰۵"
    assert page.boxes[1].at == "۱ آذر ۱۴۰۵، ۱۲:۴۵"
    assert "CL-OJ-05" in text_of(pdf, tmp_path)


def test_the_french_acceptance_is_printed(delivery: Delivery, tmp_path: Path) -> None:
    text = text_of(render_pdf(delivery.acceptance(), options("fr")), tmp_path)

    assert "Réception définitive" in text
    assert "22 novembre 2026" in text


def test_pages_are_a4(delivery: Delivery, tmp_path: Path) -> None:
    file = tmp_path / "form.pdf"
    file.write_bytes(render_pdf(open_form("CL-OJ-05", "lic_01", delivery.now), options("fa")))

    answer = subprocess.run(["/usr/bin/pdfinfo", str(file)], check=True, capture_output=True)

    assert b"(A4)" in answer.stdout


def test_what_people_write_is_never_markup(delivery: Delivery) -> None:
    note = Answer("remarks", "<img src=http://example.com/x>", "Amir", NOW)

    html = render_html(fill(delivery.filled("CL-OJ-05"), [note]), options("en"))

    assert "<img src=http" not in html
    assert "&lt;img src=http" in html


def test_system_evidence_is_marked_as_such(delivery: Delivery) -> None:
    rows = {
        row.label: row
        for block in lay_out(delivery.checklist(), options("en")).blocks
        for row in block.rows
    }

    assert rows["Installed version"].system
    assert not rows["Attendees"].system


def test_an_altered_form_is_printed_with_a_warning(delivery: Delivery) -> None:
    form = delivery.checklist()
    altered = replace(form, answers=form.answers[1:])

    assert not any(box.valid for box in lay_out(altered, options("en")).boxes)


def test_the_qr_code_names_form_version_and_hash(delivery: Delivery) -> None:
    form = delivery.checklist()

    assert qr_text(form) == f"daftar-form:CL-OJ-05?v=1&ref=lic_01&sha256={form.content_hash}"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.png", "file:///etc/hostname"])
def test_nothing_is_fetched_from_outside(address: str) -> None:
    page = HTML(string=f'<img src="{address}">', url_fetcher=_OnlyOurs({}))

    with pytest.raises(FatalURLFetchingError):
        page.write_pdf()


def test_dates_are_written_as_each_reader_expects() -> None:
    day = NOW.date()

    assert show_date(day, "fa") == "۱ آذر ۱۴۰۵"
    assert show_date(day, "en") == "22 November 2026"
    assert show_date(day, "fr") == "22 novembre 2026"
    assert show_moment(NOW, "en", ZoneInfo("Asia/Tehran")) == "22 November 2026, 12:45"


def test_the_direction_of_a_text_follows_its_first_letter() -> None:
    assert text_direction("/var/lib/daftar", "fa") == "ltr"
    assert text_direction("3 شرکت", "en") == "rtl"
    assert text_direction("123", "fa") == "rtl"


def drawing() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "navy").save(stream, "PNG")
    return stream.getvalue()


def test_logo_and_drawn_signatures_are_in_the_pdf(delivery: Delivery, tmp_path: Path) -> None:
    signed = sign(
        delivery.filled("CL-OJ-05"),
        "expert_signature",
        signer=replace(delivery.amir, picture=drawing()),
        key=delivery.key,
        at=NOW,
    )
    file = tmp_path / "form.pdf"
    letterhead = Letterhead("Vendor", logo=drawing())

    file.write_bytes(render_pdf(signed, PrintOptions("en", letterhead)))

    images = subprocess.run(
        ["/usr/bin/pdfimages", "-list", str(file)], check=True, capture_output=True
    )
    assert images.stdout.count(b" image ") >= 1


def fonts_of(pdf: bytes, tmp_path: Path) -> bytes:
    file = tmp_path / "form.pdf"
    file.write_bytes(pdf)
    return subprocess.run(["/usr/bin/pdffonts", str(file)], check=True, capture_output=True).stdout


def test_the_given_fonts_are_used(delivery: Delivery, tmp_path: Path) -> None:
    with_ours = replace(options("fa"), font_dir=STATIC / "fonts")

    assert b"Vazirmatn" in fonts_of(render_pdf(delivery.checklist(), with_ours), tmp_path)
    assert b"Vazirmatn" not in fonts_of(render_pdf(delivery.checklist(), options("fa")), tmp_path)


def test_a_long_report_runs_over_pages_without_a_blank_one(
    delivery: Delivery, tmp_path: Path
) -> None:
    long = Answer("remarks", "All of it was done as agreed. " * 130, "Amir", NOW)

    text = text_of(render_pdf(fill(delivery.filled("CL-OJ-05"), [long]), options("en")), tmp_path)

    pages = text.strip("\f").split("\f")
    assert all(len(page.split()) > 60 for page in pages)
