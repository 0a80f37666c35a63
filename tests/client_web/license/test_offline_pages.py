"""The pages without internet: request, codes, answer, withdrawal, proofs; errors stay beside their fields."""

import base64
import html
import io
import json
import re

import pytest

from licensing.document.qr import joined, slices
from server.activation.offline import RequestWish
from server.activation.service import LicenseOffice
from tests.client_web.conftest import Visit, Visitor
from tests.licensing.client.vendor import SHOWN_CODE, Response
from tests.server.activation.carrying import ACTIVATE, CHECK_IN, LEAVE, answered
from tests.server.conftest import Cast
from tests.support.licensed import Stage


def text(page: str) -> str:
    return html.unescape(page)


def upload(root: Visitor, raw: bytes, name: str = "answer.dftlic") -> tuple[int, str]:
    answer = root.post("/license/offline/answer", file=(io.BytesIO(raw), name))
    return answer.status_code, text(answer.get_data(as_text=True))


def test_a_new_server_is_led_from_the_code_to_the_answer(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    root = visit(cast.root)
    before = text(root.read("/license/offline"))

    made = root.post("/license/offline/request", kind="activate", code=SHOWN_CODE)
    page = text(root.read("/license/offline"))
    download = root.get("/license/offline/request.dftreq")
    status, _page = upload(root, answered(stage, "activate", download.data))

    assert 'id="make-activate"' in before
    assert "No request waits for an answer" in before
    assert (made.status_code, made.location) == (302, "/license/offline#carry")
    assert "2. Carry it to the vendor" in page
    assert download.headers["Content-Disposition"].startswith(
        "attachment; filename=daftar-activate"
    )
    assert download.headers["Content-Disposition"].endswith(".dftreq")
    assert status == 302
    assert stage.board.verdict.mode == "ok"
    after = text(root.read("/license"))
    assert "The vendor's answer was taken" in after
    assert "What comes next" in after
    assert stage.vendor.requests[0]["code_id"]


def test_the_codes_on_the_page_hold_the_request(
    visit: Visit, cast: Cast, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    made = office.export_request(cast.root, CHECK_IN)

    page = visit(cast.root).read("/license/offline")

    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    shown = text(page).split("The codes as text")[1].split("</pre>")[0]
    count = len(made.codes)
    assert len(pictures) == count
    assert base64.b64decode(pictures[0]).startswith(b"<svg")
    assert joined(re.findall(r"DFT1:\S+", shown)) == made.raw
    assert f'alt="QR code {count} of {count}"' in page
    assert 'style="' not in page


def test_the_answer_is_pasted_as_codes(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    root = visit(cast.root)
    request = office.export_request(cast.root, ACTIVATE)
    codes = slices(answered(stage, "activate", request.raw))

    some = root.post("/license/offline/answer", codes="\n".join(codes[:-1]))
    page = text(some.get_data(as_text=True))
    every = root.post("/license/offline/answer", codes="\n".join(reversed(codes)))

    assert some.status_code == 422
    assert f"these are missing: {len(codes)}" in page
    assert codes[0] in page  # what was scanned so far stays
    assert (every.status_code, every.location) == (302, "/license")


@pytest.mark.parametrize(
    ("raw", "status", "said"),
    [
        (b"", 422, "The file is empty"),
        (b"{}", 422, ".dftlic"),
        (b"\x89PNG", 422, ".dftlic"),
        (b"\xff" * 200_000, 422, ".dftlic"),
    ],
)
def test_a_wrong_file_is_refused_beside_the_field(
    visit: Visit, cast: Cast, office: LicenseOffice, raw: bytes, status: int, said: str
) -> None:
    office.export_request(cast.root, ACTIVATE)

    found, page = upload(visit(cast.root), raw)

    assert found == status
    assert said in page.split('id="f-file-error"')[1].split("</p>")[0]


def test_an_answer_to_another_request_names_the_one_that_waits(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    old = answered(stage, "activate", office.export_request(cast.root, ACTIVATE).raw)
    office.withdraw(cast.root)
    waiting = office.export_request(cast.root, ACTIVATE).request

    status, page = upload(visit(cast.root), old)

    assert status == 409
    assert f"has the number {waiting.number}" in page


def test_a_mistyped_code_stays_in_its_field(visit: Visit, cast: Cast) -> None:
    answer = visit(cast.root).post("/license/offline/request", kind="activate", code="0123-4567")

    page = text(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "This is no activation code" in page.split('id="f-code-error"')[1].split("</p>")[0]
    assert 'value="0123-4567"' in page


def test_a_mistyped_code_stays_on_the_licence_page_too(visit: Visit, cast: Cast) -> None:
    answer = visit(cast.root).post("/license/activate", code="0123-4567")

    page = text(answer.get_data(as_text=True))
    assert "This is no activation code" in page.split('id="f-code-error"')[1].split("</p>")[0]


def test_leaving_asks_for_the_licence_number_and_is_final(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    root = visit(cast.root)

    unmeant = root.post(
        "/license/offline/request", kind="deactivate", reason="refund", confirm="yes"
    )
    still = stage.board.verdict.mode
    root.post("/license/offline/request", kind="deactivate", reason="refund", confirm=" lic_1 ")
    page = text(root.read("/license/offline"))
    withdrawn = root.post("/license/offline/withdraw")

    assert unmeant.status_code == 422
    refusal = text(unmeant.get_data(as_text=True))
    assert "Type the licence number lic_1" in refusal.split('id="f-confirm-error"')[1]
    assert re.search(r'value="refund"[^>]* checked', refusal)
    assert still == "ok"
    assert (stage.board.verdict.mode, stage.board.verdict.reason) == ("locked", "deactivated")
    assert "The request that waits" in page
    assert "/license/offline/withdraw" not in page
    assert 'id="make"' not in page
    assert withdrawn.status_code == 409


def test_the_proof_is_handed_out_with_the_date_of_the_refund(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    left = office.export_request(cast.root, LEAVE)
    root = visit(cast.root)
    upload(root, answered(stage, "deactivate", left.raw))

    page = text(root.read("/license"))
    address = re.search(r'href="(/license/receipts/[^"]+)"', page)
    assert address is not None
    proof = root.get(address[1])

    assert "Refund possible from" in page
    assert json.loads(proof.data)["payloadType"].endswith("deactivation.v1+json")
    assert "daftar-deactivation-act_1.json" in proof.headers["Content-Disposition"]
    assert root.get("/license/receipts/act_9").status_code == 404


def test_what_waits_is_shown_on_the_licence_page_and_withdrawn(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.instead = lambda _path: Response(503, b"")
    root = visit(cast.root)
    root.post("/license/deactivate", reason="move")

    page = text(root.read("/license"))
    withdrawn = root.post("/license/offline/withdraw")
    again = root.post("/license/offline/withdraw")

    assert "A request waits for its answer" in page
    assert "withdraw it if you have thought again" in page
    assert (withdrawn.status_code, again.status_code) == (302, 503)
    assert "A request waits for its answer" not in text(root.read("/license"))


def test_a_changed_machine_is_shown_by_its_parts_and_confirmed(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {"machine_id": "a" * 32, "board_serial": "b" * 32, "mac": "c" * 32}
    monkeypatch.setattr("licensing.client.installation.fingerprint", lambda *_at: dict(seen))
    office.activate(cast.root, SHOWN_CODE)
    seen.update(board_serial="d" * 32, mac="e" * 32)
    office.check_in(cast.root)
    root = visit(cast.root)

    page = text(root.read("/license"))
    confirmed = root.post("/license/machine")

    panel = page.split('id="machine"')[1].split("</section>")[0]
    assert "Mainboard" in panel
    assert "Network card" in panel
    assert "b" * 32 not in panel
    assert confirmed.status_code == 302
    assert "This machine has changed" not in text(root.read("/license"))


def test_a_problem_of_the_kept_state_is_explained(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    state = stage.settings.license_dir / "state.json"
    state.write_bytes(state.read_bytes().replace(b'"mac":"', b'"mac":"0'))

    page = text(visit(cast.root).read("/license"))

    assert "was damaged or comes from another server" in page
    assert "E_STATE_TAMPERED" in page


def test_each_field_that_is_sent_is_explained_on_the_page(
    visit: Visit, cast: Cast, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)

    page = text(visit(cast.root).read("/license"))

    table = page.split('id="fields"')[1].split("</table>")[0]
    for name in json.loads(office.preview(cast.root)):
        assert f">{name}<" in table


def test_only_who_manages_the_licence_sees_any_of_it(
    visit: Visit, cast: Cast, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    office.export_request(cast.root, RequestWish("check-in"))
    guest = visit(cast.guest)

    page = guest.read("/license")

    assert "/license/offline" not in page
    assert "A request waits" not in text(page)
    for address in (
        "/license/offline",
        "/license/offline/request.dftreq",
        "/license/receipts/act_1",
        "/license/diagnosis",
        "/license/diagnosis.txt",
        "/license/diagnosis/steps",
    ):
        assert guest.get(address).status_code == 403
    for address in ("request", "answer", "withdraw"):
        assert guest.post(f"/license/offline/{address}").status_code == 403
    assert guest.post("/license/machine").status_code == 403
    assert guest.post("/license/diagnosis").status_code == 403


@pytest.mark.parametrize("step", ["request", "answer", "withdraw"])
def test_the_address_of_a_refusal_leads_back_to_the_page(
    visit: Visit, cast: Cast, step: str
) -> None:
    answer = visit(cast.root).get(f"/license/offline/{step}")

    assert (answer.status_code, answer.location) == (302, "/license/offline")


def test_nothing_that_waits_is_nothing_to_download(visit: Visit, cast: Cast) -> None:
    answer = visit(cast.root).get("/license/offline/request.dftreq")

    assert answer.status_code == 503
    assert "Make one first" in text(answer.get_data(as_text=True))
