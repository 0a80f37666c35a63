"""A delivery with its cast: Maryam represents the buyer, Amir is the vendor's expert."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer.forms.definition import ItemKind, Party
from installer.forms.evidence import Evidence, record_evidence
from installer.forms.form import Answer, CheckStatus, Form, HostCheck, Visit, VisitMode
from installer.forms.rules import add_visit, fill, open_form
from installer.forms.seal import Signer
from installer.forms.signing import sign, sign_visit

NOW = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
VALUES = {ItemKind.CHECK: "done", ItemKind.DATE: "2026-11-20", ItemKind.CHOICE: "accepted"}

MARYAM = Signer("مریم رضایی", "مدیر فناوری اطلاعات")
AMIR = Signer("Amir Kazemi", "Deployment engineer")
FACTS = Evidence(
    customer="شرکت سپهر",
    license_id="lic_01",
    seats=40,
    activated_at=NOW,
    product_version="0.1.0",
    installed_at=NOW,
    host_name="crm.lan",
    operating_system="Debian GNU/Linux 12",
    database="SQLite 3.40.1",
    host_checks=(HostCheck("memory", "Memory", CheckStatus.PASS, "8 GiB"),),
    backup_id="20261121T223000Z-5kq2",
    backup_verified_at=NOW,
)


@dataclass(frozen=True)
class Delivery:
    """One delivery on 22 November 2026."""

    key: Ed25519PrivateKey
    now: datetime = NOW
    reference: str = "lic_01"
    maryam: Signer = MARYAM
    amir: Signer = AMIR

    def evidence(self) -> Evidence:
        """Return what the system knows of a sound installation."""
        return FACTS

    def answers(self, form: Form) -> list[Answer]:
        people = {
            "representative": self.maryam.name,
            "expert": self.amir.name,
            "project_manager": self.amir.name,
        }
        return [
            Answer(
                item.id, people.get(item.id) or VALUES.get(item.kind, "Words"), "Amir Kazemi", NOW
            )
            for item in form.definition.items()
            if item.by is not Party.SYSTEM
            and item.kind is not ItemKind.SIGNATURE
            and item.required_if is None
        ]

    def visit(self, number: int = 1, mode: VisitMode = VisitMode.ON_SITE) -> Visit:
        return Visit(number, mode, date(2026, 11, 20), "Amir Kazemi", "نصب و راه‌اندازی", NOW)

    def filled(self, code: str, *prerequisites: Form) -> Form:
        form = open_form(code, self.reference, NOW, prerequisites=prerequisites)
        form = record_evidence(form, self.evidence(), NOW)
        return fill(form, self.answers(form))

    def checklist(self) -> Form:
        """Return CL-OJ-05, answered, with one approved visit, signed by both."""
        form = add_visit(self.filled("CL-OJ-05"), self.visit())
        form = sign_visit(form, 1, signer=self.maryam, key=self.key, at=NOW)
        form = sign(form, "expert_signature", signer=self.amir, key=self.key, at=NOW)
        return sign(form, "representative_signature", signer=self.maryam, key=self.key, at=NOW)

    def acceptance(self) -> Form:
        """Return FO-OJ-21 on the signed checklist, answered and not signed."""
        return self.filled("FO-OJ-21", self.checklist())
