"""The page of keys: who proved what, the test of a key, new keys shown once, the key on the server."""

import re
from datetime import timedelta
from pathlib import Path

import pyrage
import time_machine

from backup import keys, possession
from backup.confirm import Person
from backup.keys import Role
from backup.plan import Kind
from server.core import clock
from server.core.entitlements import Entitlements, EntitlementsBoard
from tests.client_web.conftest import Visit
from tests.server.backups.home import Home
from tests.server.conftest import PASSWORD


def opened(canary: bytes, private: str) -> str:
    identity = pyrage.x25519.Identity.from_str(private)
    return str(pyrage.decrypt(canary, [identity]).decode())


def test_a_holder_takes_the_test_away_and_types_its_letters(home: Home, visit: Visit) -> None:
    home.store.possession.unlink()
    anna = visit(home.cast.anna)
    home.office.look()
    assert "The keys wait for their test" in anna.read("/backups/keys")
    assert visit(home.cast.guest).get("/backups/keys/escrow").status_code == 403

    file = visit(home.cast.root).post("/backups/keys/escrow/test")
    assert "daftar-key-test-escrow.age" in file.headers["Content-Disposition"]
    letters = opened(file.get_data(), home.shown_once.escrow_private)
    root = visit(home.cast.root)
    wrong = root.post("/backups/keys/escrow/answer", letters="AAAA-AAAA-AAAA-AAAA")
    right = root.post("/backups/keys/escrow/answer", letters=f" {letters.lower()} ")

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert "These are not the letters" in wrong.get_data(as_text=True)
    page = root.read("/backups/keys")
    assert "The keys wait for their test" in page  # the working key still does
    assert "Proved a key of the backups" in root.read("/audit?filter[kind]=backup")

    shown = root.post("/backups/keys/working/test", **{"as": "text"}).get_data(as_text=True)
    armored = re.search(r"(-----BEGIN AGE.*END AGE ENCRYPTED FILE-----)", shown, re.DOTALL)
    assert armored is not None
    letters = opened(f"{armored[1]}\n".encode(), home.shown_once.working_private)
    root.post("/backups/keys/working/answer", letters=letters)
    assert "The keys wait for their test" not in root.read("/backups/keys")


def test_the_light_stays_amber_and_asks_again_after_90_days(home: Home, visit: Visit) -> None:
    root = home.cast.root
    name = home.office.run(root, Kind.MANUAL).id
    home.office.verify(root, name)
    assert "Your data is backed up" in visit(root).read("/backups")

    home.store.possession.unlink()
    home.office.look()
    text = visit(root).read("/backups")
    assert "The keys of the backups wait for their test" in text

    ring = home.office.keys
    brought = keys.read_identities(_key_file(home))
    possession.show_key(home.store, ring, brought, Person("1", "Root"))
    home.office.look()
    assert "Your data is backed up" in visit(root).read("/backups")
    held = possession.holdings(home.store, ring)
    with time_machine.travel(clock.now() + timedelta(days=91)):
        assert all(each.is_due(clock.now()) for each in held)
        assert "To be proved again" in visit(root).read("/backups/keys")


def _key_file(home: Home) -> Path:
    file = home.settings.home / "brought.txt"
    file.write_text(f"{home.shown_once.working_private}\n{home.shown_once.escrow_private}\n")
    return file


def test_new_keys_are_shown_once_and_the_former_stay_listed(home: Home, visit: Visit) -> None:
    home.office.run(home.cast.root, Kind.MANUAL)
    root = visit(home.cast.root)
    for fields, words in (
        ({"password": PASSWORD}, "Say which key is made anew"),
        ({"working": "1"}, "Your password is asked again"),
        ({"working": "1", "password": "not mine at all"}, "This is not your password"),
    ):
        refused = root.post("/backups/keys/rotate", **fields)
        assert refused.status_code == 422
        assert words in refused.get_data(as_text=True)
    assert keys.former_recipients(home.settings.backup_keys) == ()

    made = root.post("/backups/keys/rotate", working="1", password=PASSWORD)

    text = made.get_data(as_text=True)
    private = re.search(r"AGE-SECRET-KEY-1\w+", text)
    assert private is not None
    assert made.headers["Cache-Control"] == "no-store"
    secret = private[0].encode()
    kept = [path for path in home.settings.home.rglob("*") if path.is_file()]
    assert not any(secret in path.read_bytes() for path in kept)
    page = root.read("/backups/keys")
    assert private[0] not in page
    assert "1 backup: keep the key" in page
    assert home.shown_once.working_public in page
    assert "The keys wait for their test" in page
    assert visit(home.cast.anna).post("/backups/keys/rotate").status_code == 403


def test_the_drill_key_is_removed_and_renewed(home: Home, visit: Visit) -> None:
    root = visit(home.cast.root)
    before = root.read("/backups/keys")
    assert "What that exposes" in before

    assert root.post("/backups/keys/drill/remove").status_code == 302
    assert home.office.keys.drill == ()
    assert "holds no drill key" in root.read("/backups/keys")
    assert root.post("/backups/keys/drill/renew").status_code == 302
    assert [each.role for each in home.office.keys.recipients] == list(Role)
    trail = root.read("/audit?filter[kind]=backup")
    assert "Took the drill key off the server" in trail
    assert visit(home.cast.anna).post("/backups/keys/drill/remove").status_code == 403


def test_a_lost_licence_locks_nobody_out_of_the_keys(
    home: Home, visit: Visit, board: EntitlementsBoard
) -> None:
    root = visit(home.cast.root)
    for mode in ("read_only", "setup", "locked"):
        board.publish(Entitlements(mode=mode, reason="no_contact"))
        assert root.get("/backups/keys").status_code == 200, mode
        assert root.post("/backups/keys/working/test").status_code == 200
        rotated = root.post("/backups/keys/rotate", escrow="1", password=PASSWORD)
        assert rotated.status_code == 200
    assert root.get("/backups/keys/nonsense").status_code == 404
