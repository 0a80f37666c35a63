"""A server without a line, from its own command to the vendor's and back. Real programs on both sides."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from installer.rooms import main as daftar_main
from licensing.authority.rooms import main as authority_main
from licensing.document.qr import joined, slices
from tests.installer.place import Place, write_root
from tests.licensing.authority.stage import PASSPHRASE, found_vendor
from tests.support.ports import free_port
from tests.support.sources import ROOT

NOBODYS_CODE = "0123-4567-89ab-cdef-ghjk-mnpq-rs9"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found


@dataclass(frozen=True)
class Terminal:
    """Where commands are typed: as programs of their own, or quicker in this process."""

    real: bool = False

    def run(self, program: str, home: Path, *words: object, stdin: bytes = b"") -> Ended:
        line = ["--home", str(home), *map(str, words)]
        ended = self._program(program, line, stdin) if self.real else _here(program, line, stdin)
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    def _program(self, program: str, line: list[str], stdin: bytes) -> Ended:
        kept = {name: one for name, one in os.environ.items() if not name.startswith("DAFTAR_")}
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *line],
            cwd=ROOT, env={**kept, "LC_ALL": "C.UTF-8", "DAFTAR_AUTHORITY_PASSPHRASE": PASSPHRASE},
            input=stdin, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr.decode())


def _here(program: str, line: list[str], stdin: bytes) -> Ended:
    main = daftar_main if program == "daftar" else authority_main
    environment = {"LANG": "C.UTF-8", "DAFTAR_AUTHORITY_PASSPHRASE": PASSPHRASE}
    done = CliRunner().invoke(main, line, input=stdin, env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Ended(done.exit_code, done.stdout_bytes, done.stderr)


@dataclass(frozen=True)
class Desk:
    """The vendor's people at their terminal."""

    home: Path
    terminal: Terminal = Terminal()

    def run(self, *words: object, code: int = 0) -> dict[str, Any]:
        ended = self.terminal.run("daftar-authority", self.home, *words, "--json")
        assert ended.code == code, ended
        return ended.json

    def sell(self) -> str:
        customer = self.run("customer", "add", "--name", "Pars")["customer_id"]
        return str(self.run("license", "issue", "--customer", customer, "--seats", 5)["code"])

    def answer(self, request: Path, code: int = 0) -> Path:
        return Path(self.run("license", "answer", request, code=code)["file"])


@dataclass(frozen=True)
class Server:
    """A server without a line, and its administrator at the terminal."""

    home: Path
    terminal: Terminal = Terminal()

    def daftar(self, *words: object, code: int = 0, stdin: bytes = b"") -> Ended:
        ended = self.terminal.run("daftar", self.home, "license", *words, stdin=stdin)
        assert ended.code == code, ended
        return ended

    def told(self, *words: object, stdin: bytes = b"") -> dict[str, Any]:
        return self.daftar(*words, "--json", stdin=stdin).json


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Give a vendor."""
    home = tmp_path_factory.mktemp("vendor") / "authority"
    found_vendor(home)
    return Desk(home)


@pytest.fixture
def server(installed: Place, desk: Desk) -> Server:
    """Give a server without a line that trusts this vendor."""
    root = (desk.home / "trust" / "root.json").read_bytes()
    (installed.home / "trust" / "root.json").write_bytes(root)
    return Server(installed.home)


def activate(server: Server, desk: Desk, folder: Path) -> dict[str, Any]:
    request = folder / "a.dftreq"
    server.told("export-request", request, "--kind", "activate", "--code", desk.sell())
    return server.told("import-answer", desk.answer(request))


def test_programs_on_both_sides_activate_a_server_by_file(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    request, code = tmp_path / "a.dftreq", desk.sell()
    server, desk = Server(server.home, Terminal(real=True)), Desk(desk.home, Terminal(real=True))

    server.told("export-request", request, "--kind", "activate", "--code", code)
    active = server.told("import-answer", desk.answer(request))

    assert (active["mode"], active["seats"]["named"]["cap"]) == ("ok", 5)


def test_a_server_is_activated_and_checks_in_by_file(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    request = tmp_path / "a.dftreq"
    made = server.told("export-request", request, "--kind", "activate", "--code", desk.sell())
    waiting = server.told("status")["pending"]
    active = server.told("import-answer", desk.answer(request))

    check_in = server.daftar("export-request", "-", "--kind", "check-in").stdout
    (tmp_path / "c.dftreq").write_bytes(check_in)
    answer = desk.answer(tmp_path / "c.dftreq").read_bytes()
    codes = "\n".join(reversed(slices(answer))).encode()
    checked = server.told("import-answer", "-", stdin=codes)

    assert made["request"] == waiting
    assert (made["request"]["kind"], made["replaced"]) == ("activate", None)
    assert (active["pending"], active["lease"]["seq"]) == (None, 1)
    assert checked["lease"]["seq"] == 2


def test_leaving_by_file_locks_at_once_and_brings_a_proof(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    active = activate(server, desk, tmp_path)
    leaving, proof = tmp_path / "d.dftreq", tmp_path / "proof.json"

    made = server.told("export-request", leaving, "--kind", "deactivate", "--reason", "refund")
    locked = server.told("status")
    final = server.daftar("withdraw", code=3).stderr
    left = server.told("import-answer", desk.answer(leaving))
    (item,) = server.told("receipt", "--out", proof)["items"]

    assert made["request"]["final"] is True
    assert (locked["mode"], locked["reason"]) == ("locked", "deactivated")
    assert "activate again" in final
    assert (left["reason"], left["pending"]) == ("deactivated", None)
    # Without a line the server could have gone on working until its lease ended.
    assert item["refund_eligible_at"] == active["lease"]["expires_at"]
    assert json.loads(proof.read_bytes())["payloadType"].endswith("deactivation.v1+json")


def test_a_refusal_of_the_vendor_is_carried_back_too(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    request = tmp_path / "no.dftreq"
    server.told("export-request", request, "--kind", "activate", "--code", NOBODYS_CODE)
    answer = desk.answer(request, code=4)

    sentence = server.daftar("import-answer", answer, code=4).stderr

    assert "E_CODE" in sentence
    assert server.told("status")["pending"] is None


def test_answers_that_do_not_fit_change_nothing(server: Server, desk: Desk, tmp_path: Path) -> None:
    code = desk.sell()
    first = tmp_path / "first.dftreq"
    server.told("export-request", first, "--kind", "activate", "--code", code)
    answer = desk.answer(first)
    gone = server.told("withdraw")
    nobody_waits = server.daftar("import-answer", answer, code=3).stderr
    second = tmp_path / "second.dftreq"
    made = server.told("export-request", second, "--kind", "activate", "--code", code)
    another = server.daftar("import-answer", answer, code=3).stderr
    right = desk.answer(second)
    active = server.told("import-answer", right)
    repeated = server.daftar("import-answer", right, code=3).stderr

    assert gone["withdrawn"]["number"] != made["request"]["number"]
    assert "No request" in nobody_waits
    assert made["request"]["number"] in another
    assert active["mode"] == "ok"
    assert "imported before" in repeated


def test_an_answer_of_a_foreign_vendor_is_integrity(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    request = tmp_path / "a.dftreq"
    server.told("export-request", request, "--kind", "activate", "--code", desk.sell())
    answer = desk.answer(request)
    write_root(server.home / "trust" / "root.json")

    sentence = server.daftar("import-answer", answer, code=6).stderr

    assert "root.json" in sentence


@pytest.fixture
def waiting(installed: Place, tmp_path: Path) -> Place:
    """Give a server with a request that waits."""
    result = installed.run(
        "license", "export-request", str(tmp_path / "a.dftreq"),
        "--kind", "activate", "--code", NOBODYS_CODE,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return installed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export-request", "x"], 2, "--kind"),
        (["export-request", "x", "--kind", "activate"], 2, "--code"),
        (["export-request", "x", "--kind", "activate", "--code", "0123"], 2, "no activation code"),
        (["export-request", "x", "--kind", "sing"], 2, "sing"),
        (["export-request", "x", "--kind", "deactivate", "--reason", "boredom"], 2, "boredom"),
        (["export-request", "x", "--kind", "check-in"], 4, "no active licence"),
        (["export-request", "x", "--kind", "deactivate"], 4, "no active licence"),
        (["export-request", ".", "--kind", "activate", "--code", NOBODYS_CODE], 2, "folder"),
        (["export-request", "no/x", "--kind", "activate", "--code", NOBODYS_CODE], 3, "writable"),
        (
            ["export-request", "-", "--json", "--kind", "activate", "--code", NOBODYS_CODE],
            2,
            "stdout",
        ),
        (
            ["export-request", "x", "--qr-image", "x.bmp", "--kind", "activate", "--code", "1"],
            2,
            ".png or .svg",
        ),
        (["import-answer", "nowhere"], 2, "no file"),
        (["import-answer", "/dev/null"], 2, "no file"),
        (["withdraw"], 3, "No request"),
        (["receipt", "--out", "x"], 3, "no proof"),
    ],
)
def test_wrong_use_is_a_sentence_and_makes_no_file(
    installed: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    said: str,
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    result = installed.run("license", *words)

    assert result.exit_code == code
    assert said in result.stderr
    assert list(folder.iterdir()) == []


def test_a_file_that_is_there_is_not_overwritten_but_by_the_same_request(
    waiting: Place, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("dear diary")
    again = ("--kind", "activate", "--code", NOBODYS_CODE)

    refused = waiting.run("license", "export-request", str(mine), *again)
    repeated = waiting.run("license", "export-request", str(tmp_path / "a.dftreq"), *again)

    assert (refused.exit_code, mine.read_text()) == (3, "dear diary")
    assert "Name another file" in refused.stderr
    assert repeated.exit_code == 0


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", 2, "empty"),
        (b"{}", 2, ".dftlic"),
        (b"\x89PNG\r\n", 2, ".dftlic"),
        (b"DFT1:2/3:AAAA", 2, "missing: 1, 3"),
        (b" " * 300_000, 2, "empty"),
        (b"x" * 300_000, 2, ".dftlic"),
    ],
)
def test_a_file_that_is_no_answer_is_told(
    waiting: Place, tmp_path: Path, content: bytes, code: int, said: str
) -> None:
    file = tmp_path / "answer"
    file.write_bytes(content)

    result = waiting.run("license", "import-answer", str(file))

    assert (result.exit_code, said in result.stderr) == (code, True), result.output


def test_ones_own_request_is_no_answer(waiting: Place, tmp_path: Path) -> None:
    result = waiting.run("license", "import-answer", str(tmp_path / "a.dftreq"))

    assert result.exit_code == 2
    assert "Send it to the vendor" in result.stderr


def test_codes_are_shown_and_drawn(waiting: Place, tmp_path: Path) -> None:
    request, picture = tmp_path / "a.dftreq", tmp_path / "code.png"
    words = ("--kind", "activate", "--code", NOBODYS_CODE)

    shown = waiting.run(
        "license", "export-request", str(request), *words, "--qr", "--qr-image", str(picture)
    )
    drawn = json.loads(
        waiting.run(
            "license", "export-request", str(request), *words,
            "--qr-image", str(tmp_path / "code.svg"), "--json",
        ).stdout
    )  # fmt: skip

    assert max(map(len, shown.stdout.split("QR code 1 of", 1)[1].splitlines())) <= 80
    assert (tmp_path / "code-1.png").read_bytes().startswith(b"\x89PNG")
    assert drawn["qr_images"] == [
        str(tmp_path / f"code-{place}.svg") for place in range(1, drawn["qr_codes"] + 1)
    ]
    assert joined(slices(request.read_bytes())) == request.read_bytes()


def test_what_is_sent_is_shown_and_a_machine_is_confirmed(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    before = server.told("preview")
    activate(server, desk, tmp_path)

    after = server.told("preview")["next"]
    items = server.told("messages")["items"]
    confirmed = server.told("confirm-machine")

    assert before == {"next": None}
    assert after["usage"] == {"named": 1, "peak_concurrent": 0, "service": 0}
    assert "@" not in json.dumps(after)
    assert [(one["direction"]) for one in items] == ["received"]
    assert confirmed["mode"] == "ok"


def test_the_way_to_the_vendor_is_looked_at(installed: Place) -> None:
    file = installed.home / "daftar.toml"
    nowhere = f'authority_urls = ["http://127.0.0.1:{free_port()}"]'
    file.write_text(file.read_text().replace("authority_urls = []", nowhere))

    shown = installed.run("license", "diagnose")
    document = json.loads(installed.run("license", "diagnose", "--json").stdout)

    assert shown.exit_code == 1
    assert "✗" in shown.stdout
    assert "refuses connections" in shown.stdout
    assert "Allow connections from this server" in shown.stdout
    assert shown.stdout.strip().endswith("A firewall, or the internet line, is the reason.")
    assert document["ok"] is False
    steps = {check["id"]: (check["status"], check["code"]) for check in document["checks"]}
    assert steps["connection"] == ("fail", "connection_refused")
    assert steps["clock"] == ("skip", "not_reached")


def test_without_an_address_the_diagnosis_names_the_setting(installed: Place) -> None:
    result = installed.run("license", "diagnose")

    assert result.exit_code == 1
    assert "authority_urls" in result.stdout
