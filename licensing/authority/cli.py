"""The door of `daftar-authority`: it is safe to interrupt before the rooms are loaded."""

from server.core.interrupts import run_program


def main() -> None:
    """Run the command."""
    run_program(_load)


def _load() -> None:
    from licensing.authority.rooms import main as rooms  # heavy, and only behind the handlers

    rooms()


if __name__ == "__main__":
    main()
