"""The pages of backups: asking, looking, signing, taking away, in every licence mode."""

import io
import tarfile

from backup.confirm import confirmations
from backup.plan import Kind
from server.backups.worker import Worker
from server.core.entitlements import Entitlements, EntitlementsBoard
from tests.client_web.conftest import Visit, counted
from tests.server.backups.home import Home
from tests.server.conftest import PASSWORD


def test_before_the_first_backup_the_page_says_so_and_offers_one(home: Home, visit: Visit) -> None:
    home.office.look()

    text = visit(home.cast.root).read("/backups")

    assert "There is no backup yet" in text
    assert "Back up now" in text
    assert "The first backup is still to come" in text


def test_who_may_not_back_up_sees_how_things_stand_and_no_buttons(home: Home, visit: Visit) -> None:
    home.office.run(home.cast.root, Kind.MANUAL)
    guest = visit(home.cast.guest)

    assert "Back up now" not in guest.read("/backups")
    assert guest.post("/backups/run").status_code == 403
    name = home.store.set_ids()[0]
    assert guest.post(f"/backups/{name}/download").status_code == 403
    assert guest.get(f"/backups/{name}/check").status_code == 403


def test_a_wish_is_worked_off_proved_and_shown_with_its_time(
    home: Home, visit: Visit, worker: Worker
) -> None:
    root = visit(home.cast.root)

    assert root.post("/backups/run").status_code == 302
    assert root.post("/backups/run").status_code == 302
    waiting = root.read("/backups")
    assert waiting.count("waits for its turn") == 1
    assert 'hx-get="/backups/progress"' in waiting

    worker.work_off()

    assert root.get("/backups/progress").headers["HX-Refresh"] == "true"
    text = root.read("/backups")
    assert "Your data is backed up" in text
    assert "Verified" in text
    assert "Look at it and sign" in text
    (name,) = home.store.set_ids()
    details = root.read(f"/backups/{name}")
    for words in ("Every deal stands in a stage of its pipeline", "Time to restore", "deals"):
        assert words in details


def test_a_person_signs_with_their_password_and_only_once(home: Home, visit: Visit) -> None:
    office, root = home.office, home.cast.root
    name = office.run(root, Kind.MANUAL).id
    office.verify(root)
    visitor = visit(root)
    assert "Sign" in visitor.read(f"/backups/{name}/check")

    wrong = visitor.post(f"/backups/{name}/check", choice="in_order", password="not mine at all")
    empty = visitor.post(f"/backups/{name}/check", choice="problem_found", password=PASSWORD)
    right = visitor.post(
        f"/backups/{name}/check", choice="in_order", password=PASSWORD, note="همه چیز درست است"
    )

    assert (wrong.status_code, empty.status_code, right.status_code) == (422, 422, 302)
    assert "This is not your password" in wrong.get_data(as_text=True)
    assert "Say what the problem is" in empty.get_data(as_text=True)
    (said,) = confirmations(home.store)
    assert (said.user_name, said.note, said.set) == ("Root", "همه چیز درست است", name)
    text = visitor.read(f"/backups/{name}")
    assert "همه چیز درست است" in text
    assert "Nobody has looked" not in text


def test_an_unverified_backup_cannot_be_called_in_order(home: Home, visit: Visit) -> None:
    name = home.office.run(home.cast.root, Kind.MANUAL).id

    answer = visit(home.cast.root).post(
        f"/backups/{name}/check", choice="in_order", password=PASSWORD
    )

    assert answer.status_code == 409
    assert "not verified" in answer.get_data(as_text=True)
    assert confirmations(home.store) == ()


def test_a_download_is_the_sealed_set_and_is_noted(home: Home, visit: Visit) -> None:
    name = home.office.run(home.cast.root, Kind.MANUAL).id

    answer = visit(home.cast.root).post(f"/backups/{name}/download")

    content = answer.get_data()
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(content)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        names = tar.getnames()
    assert f"sets/{name}/manifest.json" in names
    assert sum(each.startswith("objects/") for each in names) == 3
    assert "export" in visit(home.cast.root).read("/audit?filter[kind]=backup")


def test_a_lost_licence_locks_nobody_out_of_the_backups(
    home: Home, visit: Visit, worker: Worker, board: EntitlementsBoard
) -> None:
    root = visit(home.cast.root)
    for mode in ("read_only", "setup", "locked"):
        board.publish(Entitlements(mode=mode, reason="no_contact"))
        assert root.post("/backups/run").status_code == 302, mode
        assert root.get("/backups").status_code == 200
    worker.work_off()

    (name,) = home.store.set_ids()
    assert "Verified" in root.read("/backups")
    signed = root.post(f"/backups/{name}/check", choice="in_order", password=PASSWORD)
    assert signed.status_code == 302
    assert root.post(f"/backups/{name}/download").status_code == 200


def test_damage_and_a_missing_disk_are_named_on_the_page(home: Home, visit: Visit) -> None:
    name = home.office.run(home.cast.root, Kind.MANUAL).id
    part = home.store.sets / name / "secrets.tar.zst.age"
    part.write_bytes(part.read_bytes()[:-1])
    home.office.verify(home.cast.root)
    root = visit(home.cast.root)

    text = root.read("/backups")
    assert "The newest backup has a problem" in text
    assert "secrets.tar.zst.age is not what was sealed" in text

    (home.settings.backups / ".daftar-backups").unlink()
    home.office.look()
    assert "Is the disk mounted?" in root.read("/backups")
    assert root.get(f"/backups/{name}").status_code == 200


def test_the_page_asks_the_database_as_often_for_many_backups_as_for_one(
    home: Home, visit: Visit
) -> None:
    root = visit(home.cast.root)
    home.office.run(home.cast.root, Kind.MANUAL)
    root.read("/backups")
    with counted(home.database) as few:
        root.read("/backups")
    for _ in range(3):
        home.office.run(home.cast.root, Kind.MANUAL)
    with counted(home.database) as many:
        root.read("/backups")

    assert len(many) == len(few)


def test_what_is_not_there_is_said(home: Home, visit: Visit) -> None:
    root = visit(home.cast.root)

    for address in ("/backups/20200101T000000Z-abcdef", "/backups/nonsense"):
        assert root.get(address).status_code == 404
        assert root.get(f"{address}/check").status_code == 404
    assert root.post("/backups/20200101T000000Z-abcdef/verify").status_code == 404
    assert root.post("/backups/nonsense/verify").status_code == 422
