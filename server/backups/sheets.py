"""The recovery sheet: the private keys on paper. It is given to whoever asked for it and kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backup.keys import PUBLIC_KEY, NewRecipient
from server.backups.rules import KEY_DUTIES, KEY_LABELS
from server.core import clock
from server.core.config import Settings
from server.core.i18n import gettext as _
from server.core.paper import print_pdf
from server.core.version import VERSION


@dataclass(frozen=True)
class Sheet:
    """What stands on the sheet. `backups` is where they lie, `signer` the short name of who signs them."""

    organization: str
    backups: Path
    signer: str
    signer_pem: str
    keys: tuple[NewRecipient, ...]

    @property
    def one_each(self) -> "tuple[Sheet, ...]":
        """Return a sheet for each holder."""
        return tuple(
            Sheet(self.organization, self.backups, self.signer, self.signer_pem, (key,))
            for key in self.keys
        )

    def pdf(self, fonts: Path | None) -> bytes:
        """Return the sheet as PDF with QR codes, in the language that is spoken."""
        printed = print_pdf(
            "server.backups",
            "sheet.html",
            fonts,
            title=_("Recovery sheet of the backups"),
            organization=self.organization,
            mark=self.signer,
            moment=clock.now(),
            version=VERSION,
            keys=self.keys,
            labels={role: _(words) for role, words in KEY_LABELS.items()},
            duties={role: _(words) for role, words in KEY_DUTIES.items()},
            backups=self.backups,
            signer=self.signer,
            signer_pem=self.signer_pem.strip(),
        )
        # A comment behind the end: an installation that was stopped finds out whose sheet it is.
        return printed + f"% backup key {self.signer}\n".encode()

    def text(self) -> str:
        """Return the sheet as plain text."""
        words = [
            _(
                "Recovery sheet of %(name)s — Daftar %(version)s, %(moment)s",
                name=self.organization,
                version=VERSION,
                moment=clock.rfc3339(clock.now()),
            ),
            _(
                "Whoever holds one of these keys can open every backup that is sealed to it; without "
                "any of them nobody can. They are nowhere on the server. Keep the working key where you "
                "restore, and the escrow key in a safe, with another person."
            ),
        ]
        for key in self.keys:
            words += [_(KEY_LABELS[key.role]), key.private]
        words += [
            _("Backups carry the signature of the key %(name)s:", name=self.signer),
            self.signer_pem.strip(),
            _(
                "Backups lie in %(path)s. docs/restore-by-hand.md shows how to open them without Daftar.",
                path=self.backups,
            ),
        ]
        line = "─" * 72
        return "\n\n".join([line, *words, line])


def sheet_of(settings: Settings, signer: str, keys: Sequence[NewRecipient]) -> Sheet:
    """Return the sheet of this installation with these keys."""
    return Sheet(
        organization=settings.organization.name,
        backups=settings.backups,
        signer=signer,
        signer_pem=(settings.backup_keys / PUBLIC_KEY).read_text(encoding="utf8"),
        keys=tuple(keys),
    )
