"""Companies as an import sees them."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from server.companies import service
from server.companies.queries import companies_by_external_id, companies_by_name, visible_to
from server.companies.service import CompanyDraft
from server.core.actor import Actor
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.exchange.entries import Entry, name_key
from server.exchange.references import New, References
from server.exchange.subjects import Draft, Gathering, Present, Wish

_PLAIN = (
    "name",
    "industry",
    "website",
    "address",
    "city",
    "country",
    "founded_year",
    "annual_revenue",
    "employees",
    "external_id",
    "notes",
)


class Companies:
    """Companies, known by an external id or by their name."""

    record = "company"

    def __init__(self, source: str, currency: str, *, create_companies: bool) -> None:
        self._source = source
        self._currency = currency
        self._create_companies = create_companies

    def names(self, entry: Entry) -> tuple[str, ...]:
        """Return the parent company that the row names."""
        parent = entry.text("parent_company")
        return (parent,) if parent else ()

    def wish(self, entry: Entry, found: References, before: Draft | None) -> Wish:
        """Return the company as the row wants it."""
        said = Gathering(entry, found, create_companies=self._create_companies)
        said.plain(*_PLAIN)
        said.more(before, "emails", "phones")
        said.owner()
        if "external_id" in said.values:
            said.values["external_source"] = self._source
        if "annual_revenue" in said.values:
            kept = self.currency_of(before) if before and entry.amounts else ""
            code = entry.values.get("revenue_currency") or kept or self._currency
            said.values["revenue_currency"] = code
        later = self._parent(entry, found, said)
        return said.wish(before or CompanyDraft(name=""), later)

    def _parent(self, entry: Entry, found: References, said: Gathering) -> str:
        """Take over a parent that is there; return the name of one that is not there yet."""
        name = entry.text("parent_company")
        if name and name_key(name) == name_key(entry.text("name")):
            raise Invalid(_("A company cannot belong to itself."), field="parent_company")
        parent = found.company(name)
        if isinstance(parent, New):
            return parent.name
        if parent is not None:
            said.values["parent_company_id"] = parent
        return ""

    def currency_of(self, draft: CompanyDraft) -> str:
        """Return the currency of the company's revenue."""
        return draft.revenue_currency or "" if draft.annual_revenue is not None else ""

    def known(
        self, session: Session, actor: Actor, key: str, entries: Sequence[Entry]
    ) -> dict[str, int]:
        """Return the company of each key: an external id of our source, or a name."""
        if key == "external_id":
            ids = [entry.key for entry in entries]
            return companies_by_external_id(session, actor, self._source, ids)
        names = {entry.text("name") for entry in entries} - {""}
        found = companies_by_name(session, actor, names)
        return {name_key(name): company_id for name, company_id in found.items()}

    def present(self, session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Present]:
        """Return the companies as they are now."""
        query = visible_to(actor)
        rows = session.scalars(query.where(query.selected_columns.id.in_(ids)))
        return {row.id: Present(service.draft_of(row), row.version) for row in rows}

    def checked(self, draft: CompanyDraft) -> CompanyDraft:
        """Return the draft in the form it is kept in, or raise Invalid."""
        return service.check_draft(draft)

    def create(self, session: Session, actor: Actor, drafts: Sequence[CompanyDraft]) -> list[int]:
        """Write down new companies."""
        return service.create_companies(session, actor, drafts)

    def change(self, session: Session, actor: Actor, record_id: int, draft: CompanyDraft) -> None:
        """Change a company."""
        service.change_company(session, actor, record_id, draft)

    def delete(self, session: Session, actor: Actor, ids: Sequence[int]) -> int:
        """Put companies into the bin."""
        return service.delete_companies(session, actor, ids)
