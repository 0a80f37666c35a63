"""The demo's customer: installed by the real steps, activated over HTTP, with people and records to try."""

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from backup import disk
from installer.demo.programs import Program
from installer.demo.sample import Owners, load_sample
from installer.demo.vendor import Vendor
from installer.steps.toml import literal, render_settings
from server.audit.service import watch
from server.core.actor import SYSTEM
from server.core.config import License, load_settings
from server.core.db import Database
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.core.passwords import set_cost
from server.migrations.run import current, head, upgrade
from server.users.queries import user_by_email
from server.users.rules import Role, UserDraft
from server.users.service import create_user

PASSWORD = "daftar-demo-1404"  # noqa: S105 - the demo's, known to all
READY = ".demo-ready"
ADMIN = ("admin@example.com", "Demo Admin", Role.ADMIN)
COLLEAGUES = (
    ("manager@example.com", "Demo Manager", Role.MANAGER),
    ("seller@example.com", "Demo Seller", Role.SALES),
    ("support@example.com", "Demo Support", Role.SUPPORT),
)


@dataclass(frozen=True)
class House:
    """The CRM below its home, and the port it serves on."""

    home: Path
    port: int

    @property
    def program(self) -> Program:
        """Return the customer's command for this home."""
        return Program("daftar", self.home, {})

    @property
    def is_ready(self) -> bool:
        """Tell whether an earlier run set everything up."""
        return (self.home / READY).exists()

    def install(self, vendor: Vendor) -> None:
        """Install through the real steps; what an interrupted run had done is kept."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o750)
        self.adjust(vendor)
        password = self.home / "admin-password"
        disk.replace(password, PASSWORD.encode() + b"\n")
        answers = self.home / "answers.toml"
        disk.replace(answers, self._answers(vendor).encode())
        self.program.run("install", "--answers", str(answers), "--yes")

    def adjust(self, vendor: Vendor) -> None:
        """Follow the ports of this run in the configuration of an earlier one."""
        if not (self.home / "daftar.toml").exists():
            return
        settings = load_settings(self.home)
        wanted = replace(
            settings,
            web=replace(settings.web, port=self.port),
            license=License(authority_urls=(vendor.url,)),
        )
        if wanted != settings:
            disk.replace(self.home / "daftar.toml", render_settings(wanted).encode())
        if current(settings.database_url) not in {None, head()}:
            upgrade(settings.database_url)

    def _answers(self, vendor: Vendor) -> str:
        email, name, _role = ADMIN
        return "\n".join(
            [
                'mode = "user"',
                "[web]",
                f"port = {self.port}",
                "[organization]",
                f"name = {literal('شرکت نمونهٔ دفتر')}",
                "[license]",
                f"authority_urls = [{literal(vendor.url)}]",
                f"trust_root = {literal(vendor.root)}",
                "[backup]",
                'recovery_sheet = "recovery-sheet.txt"',
                "[admin]",
                f"email = {literal(email)}",
                f"name = {literal(name)}",
                'password_file = "admin-password"',
                "",
            ]
        )

    def activate(self, code: str) -> None:
        """Activate the licence over HTTP, as a customer does. Safe to repeat."""
        self.program.run("license", "activate", code)

    def fill(self) -> None:
        """Add the colleagues and the sample records, all at once or not at all."""
        settings = load_settings(self.home)
        security = settings.security
        set_cost(memory_kib=security.argon2_memory_kib, rounds=security.argon2_rounds)
        database = Database(settings.database_url)
        watch(database)
        try:
            with database.write(SYSTEM) as session:
                if user_by_email(session, COLLEAGUES[0][0]) is not None:
                    return
                drafts = [
                    UserDraft(email=email, display_name=name, role=role, password=PASSWORD)
                    for email, name, role in COLLEAGUES
                ]
                manager, seller, _support = [
                    create_user(session, SYSTEM, draft).id for draft in drafts
                ]
                load_sample(session, Owners(self._admin(session), manager, seller))
        finally:
            database.dispose()

    def _admin(self, session: Session) -> int:
        admin = user_by_email(session, ADMIN[0])
        if admin is None:
            raise Missing(_("%(email)s was taken away; start over.", email=ADMIN[0]))
        return admin.id

    def back_up(self) -> None:
        """Make the first backup and prove it by a real restore."""
        self.program.run("backup", "run")
        self.program.run("backup", "verify", "--latest")

    def finish(self) -> None:
        """Write down that the next run need not set up anything."""
        disk.replace(self.home / READY, b"")
