"""Changing companies, one at a time or many at once. The caller opens the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import column, delete, insert, select, table, text
from sqlalchemy.orm import Session, aliased

from server.audit.service import note_many
from server.companies.models import Company, CompanyContactKey
from server.companies.queries import (
    companies_by_name,
    get_binned_company,
    get_company,
    parents_above,
    visible_to,
)
from server.companies.rules import CompanyDraft, check_parent, checked, name_key
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.bin import overdue
from server.core.contact import national_phone
from server.core.contact_keys import add_keys, replace_keys
from server.core.errors import Conflict, Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.text import search_text
from server.users.queries import names_of

__all__ = [
    "CompanyDraft",
    "change_company",
    "check_draft",
    "create_companies",
    "create_company",
    "delete_companies",
    "delete_company",
    "draft_of",
    "find_or_create_companies",
    "purge_companies",
    "restore_company",
    "set_parents",
]

_TREE_LOCK = 0x636F6D70  # any fixed number that no other lock of ours uses
_FIELDS = tuple(field.name for field in fields(CompanyDraft))
_LINKS = table("activity_links", column("kind"), column("record_id"))
_MEMBERS = tuple(table(name, column("company_id")) for name in ("people", "deals"))


def check_draft(draft: CompanyDraft) -> CompanyDraft:
    """Return the draft in the form it is kept in, or raise Invalid; asks no database."""
    return checked(draft, clock.now().year)


def draft_of(company: Company) -> CompanyDraft:
    """Return what is written down about the company, to be changed and handed back."""
    known = {name: getattr(company, name) for name in _FIELDS}
    return CompanyDraft(
        **known | {"emails": tuple(company.emails), "phones": tuple(company.phones)}
    )


def create_company(session: Session, actor: Actor, draft: CompanyDraft) -> Company:
    """Write down a new company. Another one of the same name is no hindrance, see similar_companies."""
    actor.must("companies.create")
    draft = check_draft(draft)
    _check_links(session, actor, draft, before=None)
    company = Company(created_by_id=actor.user_id, **_columns(draft))
    session.add(company)
    session.flush()
    add_keys(session, CompanyContactKey, [(company.id, draft.emails, draft.phones)])
    return company


def change_company(session: Session, actor: Actor, company_id: int, draft: CompanyDraft) -> Company:
    """Replace what is written down about the company; begin from `draft_of` to keep the rest."""
    actor.must("companies.edit")
    company = get_company(session, actor, company_id)
    before = draft_of(company)
    draft = check_draft(draft)
    _check_links(session, actor, draft, before=before)
    _check_tree(session, company_id, draft, before)
    for name, value in _columns(draft).items():
        setattr(company, name, value)
    if (before.emails, before.phones) != (draft.emails, draft.phones):
        replace_keys(session, CompanyContactKey, company.id, draft.emails, draft.phones)
    session.flush()
    return company


def delete_company(session: Session, actor: Actor, company_id: int) -> Company:
    """Put the company into the bin. What belongs to it stays as it is, so that undoing gives all back."""
    actor.must("companies.delete")
    company = get_company(session, actor, company_id)
    company.deleted_at = clock.now()
    session.flush()
    return company


def restore_company(session: Session, actor: Actor, company_id: int) -> Company:
    """Take the company out of the bin again."""
    actor.must("companies.delete")
    company = get_binned_company(session, actor, company_id)
    _check_external_id(session, draft_of(company))
    company.deleted_at = None
    session.flush()
    return company


def create_companies(session: Session, actor: Actor, drafts: Sequence[CompanyDraft]) -> list[int]:
    """Write down many companies and return their ids in the same order, as an import does.

    Owners and parents must exist; whoever sets parents among them uses `set_parents` afterwards.
    """
    actor.must("companies.create")
    clean = [check_draft(draft) for draft in drafts]
    if not clean:
        return []
    _check_owners(session, {draft.owner_id for draft in clean})
    moment = clock.now()
    rows = [
        {
            **_columns(draft),
            "version": 1,
            "created_at": moment,
            "updated_at": moment,
            "created_by_id": actor.user_id,
        }
        for draft in clean
    ]
    statement = insert(Company).returning(Company.id, sort_by_parameter_order=True)
    ids = list(session.scalars(statement, rows))
    reached = zip(ids, clean, strict=True)
    add_keys(session, CompanyContactKey, [(key, one.emails, one.phones) for key, one in reached])
    note_many(session, actor, "create", kind="company", record_ids=ids)
    return ids


def find_or_create_companies(
    session: Session, actor: Actor, names: Sequence[str]
) -> dict[str, int]:
    """Return the id of the company of each name, writing down those that are new.

    Names that look the same are one company (rules.name_key); a blank name is left out.
    """
    wanted = [name for name in names if name.strip()]
    known = companies_by_name(session, actor, wanted)
    new: dict[str, str] = {}
    for name in wanted:
        if name not in known:
            new.setdefault(name_key(name), name)
    ids = create_companies(session, actor, [CompanyDraft(name=name) for name in new.values()])
    created = dict(zip(new, ids, strict=True))
    return {name: known.get(name) or created[name_key(name)] for name in wanted}


def set_parents(session: Session, actor: Actor, parents: Mapping[int, int | None]) -> None:
    """Give companies their parents; raise Invalid before a circle arises."""
    actor.must("companies.edit")
    _lock_tree(session)
    wanted = set(parents) | {parent for parent in parents.values() if parent is not None}
    found = session.scalars(visible_to(actor).where(Company.id.in_(wanted)))
    companies = {company.id: company for company in found}
    for company_id, parent_id in parents.items():
        if company_id not in companies or (parent_id is not None and parent_id not in companies):
            raise NotFound(_("There is no company %(id)s.", id=company_id))
        if parent_id is not None:
            check_parent(company_id, parent_id, parents_above(session, parent_id))
        companies[company_id].parent_company_id = parent_id
        session.flush()


def delete_companies(session: Session, actor: Actor, company_ids: Sequence[int]) -> int:
    """Put many companies into the bin, as undoing an import does; return how many were there."""
    actor.must("companies.delete")
    found = list(session.scalars(visible_to(actor).where(Company.id.in_(company_ids))))
    moment = clock.now()
    for company in found:
        company.deleted_at = moment
    session.flush()
    return len(found)


def purge_companies(session: Session, moment: datetime) -> int:
    """Remove the next companies whose time in the bin is over and to which no record belongs any more."""
    below = aliased(Company)
    ids = overdue(
        session,
        Company,
        moment,
        select(below.id).where(below.parent_company_id == Company.id),
        *(select(each).where(each.c.company_id == Company.id) for each in _MEMBERS),
    )
    if ids:
        session.execute(delete(CompanyContactKey).where(CompanyContactKey.record_id.in_(ids)))
        session.execute(
            delete(_LINKS).where(_LINKS.c.kind == "company", _LINKS.c.record_id.in_(ids))
        )
        session.execute(delete(Company).where(Company.id.in_(ids)))
        note_many(session, SYSTEM, "purge", kind="company", record_ids=ids)
    return len(ids)


def _columns(draft: CompanyDraft) -> dict[str, object]:
    """Return the columns of a row, the derived ones included."""
    return {
        **asdict(draft),
        "emails": list(draft.emails),
        "phones": list(draft.phones),
        "name_key": name_key(draft.name),
        "search_text": search_text(
            draft.name,
            draft.industry,
            draft.city,
            draft.country,
            draft.website,
            draft.external_id,
            *draft.emails,
            *draft.phones,
            *(national_phone(phone) for phone in draft.phones),
        ),
    }


def _check_links(
    session: Session, actor: Actor, draft: CompanyDraft, before: CompanyDraft | None
) -> None:
    if before is None or draft.owner_id != before.owner_id:
        _check_owners(session, {draft.owner_id})
    new_parent = before is None or draft.parent_company_id != before.parent_company_id
    if new_parent and draft.parent_company_id is not None:
        try:
            get_company(session, actor, draft.parent_company_id)
        except NotFound as error:
            raise Invalid(error.message, field="parent_company_id", code="unknown") from error
    key = (draft.external_source, draft.external_id)
    if before is None or key != (before.external_source, before.external_id):
        _check_external_id(session, draft)


def _check_owners(session: Session, owner_ids: set[int | None]) -> None:
    unknown = {owner for owner in owner_ids if owner is not None} - set(
        names_of(session, owner_ids)
    )
    if unknown:
        raise Invalid(
            _("There is no user %(id)s.", id=min(unknown)), field="owner_id", code="unknown"
        )


def _check_external_id(session: Session, draft: CompanyDraft) -> None:
    if draft.external_id is None:
        return
    taken = session.scalar(
        select(Company.name).where(
            Company.external_source == draft.external_source,
            Company.external_id == draft.external_id,
            Company.deleted_at.is_(None),
        )
    )
    if taken is not None:
        raise Conflict(
            _(
                "The company “%(name)s” has the external id %(id)s already. Change that one, or leave it out.",
                name=taken,
                id=draft.external_id,
            ),
            code="external_id_taken",
        )


def _check_tree(
    session: Session, company_id: int, draft: CompanyDraft, before: CompanyDraft
) -> None:
    parent_id = draft.parent_company_id
    if parent_id is not None and parent_id != before.parent_company_id:
        _lock_tree(session)
        check_parent(company_id, parent_id, parents_above(session, parent_id))


def _lock_tree(session: Session) -> None:
    # Two people who hang each other's company below their own must not both win; SQLite has one writer anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TREE_LOCK})
