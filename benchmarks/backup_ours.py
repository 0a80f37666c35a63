"""One step of our backup in a process of its own, so that its time and memory can be measured."""

import sys
from pathlib import Path

from backup import archive, keys, restore, run, verify
from backup.plan import Level, Plan
from backup.restore import Access
from backup.store import Store
from backup.verify import Verification


def main(step: str, root: Path, data: Path) -> None:
    """Do one step below `root` on the data: prepare, back_up, check, drill or restore."""
    if step == "prepare":
        made = keys.create(root / "keys")
        (root / "working.txt").write_text(made.working_private)
        Store.create(root / "backups")
        return
    ring, store = keys.load(root / "keys"), Store(root / "backups")
    if step == "back_up":
        database = data / "db" / "daftar.sqlite3"
        url = f"sqlite:///{database}"
        plan = Plan(url, data / "files", (), root / "scratch", "bench", "1", "1", ring)
        run.back_up(plan, store)
        return
    newest = store.set_ids()[-1]
    if step == "restore":
        access = Access(keys.read_identities(root / "working.txt"), ring.trust)
        restore.restore(store, newest, root / "restored", access=access)
        return
    level = Level.DRILL if step == "drill" else Level.STORE
    identities: tuple[archive.Identity, ...] = ring.drill if level is Level.DRILL else ()
    found = verify.verify(
        store, newest, Verification(level, ring.trust, root / "scratch", identities)
    )
    if not found.ok:
        raise SystemExit("\n".join(found.problems))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
