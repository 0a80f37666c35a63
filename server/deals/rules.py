"""Deals: their words, what a good deal looks like, and what moving one means. No database, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from babel.numbers import is_currency

from server.core.actor import Actor
from server.core.checklist import clean_line
from server.core.errors import FieldError, Invalid, NotAllowed
from server.core.i18n import LOCALES, mark, use_locale
from server.core.i18n import gettext as _
from server.core.numbers import number
from server.core.text import fold, search_text

MAX_TITLE = 250
MAX_SHORT = 200
MAX_REASON = 1_000
MAX_AMOUNT = 9_000_000_000_000_000  # whole and exact in every JSON reader: below 2^53
MAX_PEOPLE = 50
MAX_ROT_DAYS = 3_650
CARDS_SHOWN = 50
GAP = 1 << 20


class StageType(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DealStatus(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


STATUS_LABELS = {
    DealStatus.OPEN: mark("Open"),
    DealStatus.WON: mark("Won"),
    DealStatus.LOST: mark("Lost"),
}
CLOSED_PROBABILITY = {StageType.WON: 100, StageType.LOST: 0}
_RANK = {StageType.OPEN: 0, StageType.WON: 1, StageType.LOST: 2}


@dataclass(frozen=True)
class StandardStage:
    """A stage that a new pipeline begins with; `name` is an English word of the catalogue."""

    name: str
    type: StageType
    probability: int
    rot_days: int | None = None


STANDARD_STAGES = (
    StandardStage(mark("Prospecting"), StageType.OPEN, 10, 30),
    StandardStage(mark("Engaging"), StageType.OPEN, 30, 30),
    StandardStage(mark("Proposal"), StageType.OPEN, 60, 14),
    StandardStage(mark("Won"), StageType.WON, 100),
    StandardStage(mark("Lost"), StageType.LOST, 0),
)
FIRST_PIPELINE = mark("Sales")


class Placed(Protocol):
    """A stage as far as its place among its neighbours goes."""

    @property
    def id(self) -> int:
        """Return its id."""

    @property
    def type(self) -> StageType:
        """Return what a deal in it is."""

    @property
    def position(self) -> int:
        """Return its place among the stages of its type."""


def stage_order(stage: Placed) -> tuple[int, int, int]:
    """Return the key by which stages stand in a row: open ones by their place, then won, then lost."""
    return (_RANK[stage.type], stage.position, stage.id)


def status_in(stage_type: StageType) -> DealStatus:
    """Return what a deal is while it stands in a stage of this type."""
    return DealStatus(stage_type.value)


def standard_words() -> dict[str, str]:
    """Return the English word of every standard stage by each of its folded names in our languages."""
    words: dict[str, str] = {}
    for locale in LOCALES:
        with use_locale(locale):
            words |= {fold(_(stage.name)): stage.name for stage in STANDARD_STAGES}
    return words | {fold(stage.name): stage.name for stage in STANDARD_STAGES}


def same_stage(one: str, other: str) -> bool:
    """Tell whether two names mean the same stage: equal when folded, or translations of one word."""
    left, right = fold(one), fold(other)
    words = standard_words()
    return left == right or (left in words and words[left] == words.get(right))


@dataclass(frozen=True)
class StageDraft:
    """A stage as someone wrote it down. `rot_days` is after how long a deal in it counts as stuck."""

    name: str
    probability: int = 50
    rot_days: int | None = None
    type: StageType = StageType.OPEN

    def check(self) -> None:
        """Raise Invalid, naming every field that cannot be right."""
        errors = _name_errors("name", self.name, _("A stage needs a name."))
        if not 0 <= self.probability <= 100:
            errors.append(
                FieldError("probability", _("A probability lies between 0 and 100 percent."))
            )
        elif self.probability != CLOSED_PROBABILITY.get(self.type, self.probability):
            errors.append(
                FieldError("probability", _("A won stage counts as 100 percent, a lost one as 0."))
            )
        if self.rot_days is not None and not 1 <= self.rot_days <= MAX_ROT_DAYS:
            errors.append(
                FieldError(
                    "rot_days",
                    _("Say after how many days a deal is stuck: 1 to %(most)s.", most=MAX_ROT_DAYS),
                )
            )
        refuse(errors)


@dataclass(frozen=True)
class DealDraft:
    """A deal as someone wrote it down. `amount` is in minor units of `currency`.

    Without `stage_id` it begins in the first stage of the pipeline, without that in the default one;
    without `owner_id` it is the actor's own. `probability` None means that of the stage.
    """

    title: str
    currency: str
    amount: int = 0
    pipeline_id: int | None = None
    stage_id: int | None = None
    probability: int | None = None
    expected_close_on: date | None = None
    company_id: int | None = None
    person_ids: tuple[int, ...] = ()
    owner_id: int | None = None
    external_source: str = ""
    external_id: str | None = None
    product: str = ""
    engaged_on: date | None = None
    closed_on: date | None = None
    lost_reason: str = ""

    def check(self) -> None:
        """Raise Invalid, naming every field that cannot be right."""
        refuse(self.errors())

    def search_text(self) -> str:
        """Return what a search for deals looks through; the company's name is found in the company."""
        return search_text(self.title, self.product, self.external_id)

    def cleaned(self) -> "DealDraft":
        """Return the draft without needless spaces and characters that cannot be stored."""
        return replace(
            self,
            title=_line(self.title),
            currency=self.currency.strip().upper(),
            person_ids=tuple(dict.fromkeys(self.person_ids)),
            external_source=_line(self.external_source),
            external_id=_line(self.external_id or "") or None,
            product=_line(self.product),
            lost_reason=_line(self.lost_reason),
        )

    def errors(self) -> list[FieldError]:
        """Return every field that cannot be right."""
        errors = _name_errors("title", self.title, _("A deal needs a title."), MAX_TITLE)
        errors += money_errors(self.amount, self.currency)
        if self.probability is not None and not 0 <= self.probability <= 100:
            errors.append(
                FieldError("probability", _("A probability lies between 0 and 100 percent."))
            )
        for field, text, most in (
            ("external_source", self.external_source, MAX_SHORT),
            ("external_id", self.external_id or "", MAX_SHORT),
            ("product", self.product, MAX_SHORT),
            ("lost_reason", self.lost_reason, MAX_REASON),
        ):
            errors += _length_errors(field, text, most)
        return errors + self._date_errors() + self._people_errors()

    def _date_errors(self) -> list[FieldError]:
        if self.engaged_on and self.closed_on and self.closed_on < self.engaged_on:
            sentence = _("A deal cannot be closed before it began.")
            return [FieldError("closed_on", sentence)]
        return []

    def _people_errors(self) -> list[FieldError]:
        if len(self.person_ids) > MAX_PEOPLE:
            sentence = _("A deal names at most %(most)s people.", most=MAX_PEOPLE)
            return [FieldError("person_ids", sentence)]
        return []


def _name_errors(field: str, text: str, empty: str, most: int = MAX_SHORT) -> list[FieldError]:
    if not text.strip():
        return [FieldError(field, empty, "required")]
    return _length_errors(field, text, most)


def _line(text: str) -> str:
    return clean_line(text, "", len(text))


def _length_errors(field: str, text: str, most: int) -> list[FieldError]:
    if len(text) > most:
        return [
            FieldError(field, _("At most %(most)s characters fit here.", most=most), "too_long")
        ]
    return []


def clean_name(text: str, empty: str) -> str:
    """Return the text as a name, or raise Invalid; `empty` is the sentence when there is none."""
    name = _line(text)
    refuse(_name_errors("name", name, empty))
    return name


def clean_reason(reason: str) -> str:
    """Return why a deal was lost, or raise Invalid when that is too long to keep."""
    line = _line(reason)
    refuse(_length_errors("lost_reason", line, MAX_REASON))
    return line


def check_may_change(actor: Actor, owner_id: int | None) -> None:
    """Raise NotAllowed unless the actor may change a deal of this owner."""
    actor.must("deals.edit")
    if owner_id != actor.user_id and not actor.may("deals.edit_all"):
        raise NotAllowed(
            _(
                "This deal belongs to somebody else, and you may change only your own. "
                "Ask its owner or a manager."
            )
        )


def check_may_own(actor: Actor, owner_id: int | None) -> None:
    """Raise NotAllowed unless the actor may write down a new deal for this owner."""
    if owner_id != actor.user_id and not actor.may("deals.edit_all"):
        raise NotAllowed(
            _(
                "You may write down deals for yourself only. Make it yours; you can hand it over later."
            )
        )


def money_errors(amount: int, currency: str) -> list[FieldError]:
    """Return what is wrong with an amount in minor units and its ISO 4217 code."""
    errors = []
    if not 0 <= amount <= MAX_AMOUNT:
        errors.append(
            FieldError(
                "amount", _("An amount lies between 0 and %(most)s.", most=number(MAX_AMOUNT))
            )
        )
    if not is_currency(currency):
        errors.append(
            FieldError(
                "currency",
                _(
                    "“%(code)s” is no currency. Use a code of ISO 4217, such as IRR or USD.",
                    code=currency,
                ),
            )
        )
    return errors


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise Invalid when there is something to name."""
    if errors:
        raise Invalid(errors[0].message, field=errors[0].field, errors=errors)


def weighted(amount: int, probability: int) -> int:
    """Return what a deal is worth by its probability, in minor units, half rounded up."""
    return (amount * probability + 50) // 100


def days_stuck(since: datetime, now: datetime, rot_days: int | None) -> int | None:
    """Return for how many days a deal has stood in its stage, or None while that is not too long."""
    if rot_days is None:
        return None
    days = (now - since) // timedelta(days=1)
    return days if days > rot_days else None


def is_late(status: DealStatus, expected: date | None, today: date) -> bool:
    """Tell whether an open deal should have been closed by now."""
    return status is DealStatus.OPEN and expected is not None and expected < today


def between(above: int | None, below: int | None) -> int | None:
    """Return a place between two neighbours of a column, or None when no whole number is left."""
    if above is None and below is None:
        return 0
    if above is None:
        return (below or 0) - GAP
    if below is None:
        return above + GAP
    middle = (above + below) // 2
    return middle if above < middle < below else None
