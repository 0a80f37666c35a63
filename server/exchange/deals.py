"""Deals as an import sees them."""

from collections.abc import Collection, Sequence
from dataclasses import fields

from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.deals import service
from server.deals.queries import deals_by_external_id, people_of, visible_to
from server.deals.service import DealDraft
from server.exchange.entries import Entry
from server.exchange.references import New, References
from server.exchange.stages import KnownStage, is_closed
from server.exchange.subjects import Draft, Gathering, Missing, Present, Wish

_PLAIN = (
    "title",
    "amount",
    "currency",
    "probability",
    "engaged_on",
    "closed_on",
    "expected_close_on",
    "external_id",
    "product",
    "lost_reason",
)
_COLUMNS = tuple(each.name for each in fields(DealDraft) if each.name != "person_ids")
_TITLE = 250


class Deals:
    """Deals, known by an external id, or by a row that is the same."""

    record = "deal"

    def __init__(self, source: str, currency: str, *, create_companies: bool) -> None:
        self._source = source
        self._currency = currency
        self._create_companies = create_companies

    def names(self, entry: Entry) -> tuple[str, ...]:
        """Return the company that the row names."""
        return (entry.text("company"),) if entry.text("company") else ()

    def wish(self, entry: Entry, found: References, before: Draft | None) -> Wish:
        """Return the deal as the row wants it."""
        said = Gathering(entry, found, create_companies=self._create_companies)
        said.plain(*_PLAIN)
        said.owner()
        said.company()
        if "external_id" in said.values:
            said.values["external_source"] = self._source
        if before is None:
            said.values["title"] = entry.text("title") or _title(entry)
        if before is None or ("amount" in said.values and not entry.amounts):
            said.values.setdefault("currency", self._currency)
        self._stage(entry, found, said, before)
        return said.wish(before or DealDraft(title="", currency=""))

    def _stage(
        self, entry: Entry, found: References, said: Gathering, before: DealDraft | None
    ) -> None:
        word = entry.text("stage")
        stages = found.stages
        if stages is None or not word:
            if before is None:
                said.values["pipeline_id"] = stages.pipeline_id if stages else None
                _settle_closing(said, None)
            return
        stage = stages.find(word)
        if stage is None:
            said.missing.append(Missing("stage_id", "stage", New(word)))
        elif stage.id > 0:
            said.values["stage_id"] = stage.id
        if before is not None and (stage is None or stage.id != before.stage_id):
            # The stage brings its pipeline and, unless the row says otherwise, its probability along.
            said.values["pipeline_id"] = None
            said.values.setdefault("probability", None)
        _settle_closing(said, stage)

    def currency_of(self, draft: DealDraft) -> str:
        """Return the currency of the deal."""
        return draft.currency

    def known(
        self, session: Session, actor: Actor, key: str, entries: Sequence[Entry]
    ) -> dict[str, int]:
        """Return the deal of each external id of our source."""
        ids = [entry.key for entry in entries]
        return deals_by_external_id(session, actor, self._source, ids)

    def present(self, session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Present]:
        """Return the deals as they are now."""
        query = visible_to(actor)
        rows = list(session.scalars(query.where(query.selected_columns.id.in_(ids))))
        involved = people_of(session, [row.id for row in rows])
        return {
            row.id: Present(
                DealDraft(
                    **{name: getattr(row, name) for name in _COLUMNS}, person_ids=involved[row.id]
                ),
                row.version,
            )
            for row in rows
        }

    def checked(self, draft: DealDraft) -> DealDraft:
        """Return the draft in the form it is kept in, or raise Invalid."""
        clean = draft.cleaned()
        errors = clean.errors()
        if errors:
            raise Invalid(errors[0].message, errors=errors)
        return clean

    def create(self, session: Session, actor: Actor, drafts: Sequence[DealDraft]) -> list[int]:
        """Write down new deals, closed ones with their history."""
        return service.create_deals(session, actor, drafts)

    def change(self, session: Session, actor: Actor, record_id: int, draft: DealDraft) -> None:
        """Change a deal."""
        service.change_deal(session, actor, record_id, draft)

    def delete(self, session: Session, actor: Actor, ids: Sequence[int]) -> int:
        """Put deals into the bin."""
        return service.delete_deals(session, actor, ids)


def _title(entry: Entry) -> str:
    """Return what a deal without a title is called: the product and the company, else its external id."""
    parts = [part for part in (entry.text("product"), entry.text("company")) if part]
    title = " – ".join(parts) or entry.text("external_id")
    if not title:
        raise Invalid(_("A deal needs a title, a product, a company or an external id."))
    return title[:_TITLE]


def _settle_closing(said: Gathering, stage: KnownStage | None) -> None:
    """Read the closing date of an open deal as the day on which it is expected to close."""
    if not is_closed(stage) and "closed_on" in said.values:
        said.values.setdefault("expected_close_on", said.values.pop("closed_on"))
