"""The door of `daftar`: it is safe to interrupt before the rooms, which take a second, are loaded."""

from server.core.interrupts import run_program


def main() -> None:
    """Run the command."""
    run_program(_load)


def _load() -> None:
    from installer.rooms import main as rooms  # heavy, and only behind the handlers

    rooms()
