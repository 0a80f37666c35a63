"""Records to try the demo with: made-up organisations and roles instead of people, dated around today."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from installer.demo.words import COMPANIES, DEALS, NOTES, ROLES, TASKS, CompanyWords
from server.activities.rules import ActivityDraft, ActivityKind, Target
from server.activities.service import create_activities
from server.companies.rules import CompanyDraft
from server.companies.service import create_companies
from server.core import clock
from server.core.actor import SYSTEM
from server.deals.pipelines import ensure_default_pipeline
from server.deals.queries import stages_of
from server.deals.rules import DealDraft, StageType
from server.deals.service import create_deals
from server.people.rules import PersonDraft
from server.people.service import create_people

# What the sentences of TASKS are, in their order.
KINDS = (
    ActivityKind.CALL,
    ActivityKind.TASK,
    ActivityKind.MEETING,
    ActivityKind.TASK,
    ActivityKind.TASK,
)


@dataclass(frozen=True)
class Owners:
    """Whose records these are: some of the administrator, some of the manager, most of the seller."""

    admin: int
    manager: int
    seller: int

    def of(self, place: int) -> int:
        """Return the owner of the record at that place of its list."""
        if place % 5 == 1:
            return self.admin
        return self.manager if place % 3 == 0 else self.seller


def load_sample(session: Session, owners: Owners) -> None:
    """Write down the sample. The caller opens the transaction."""
    companies = create_companies(
        session, SYSTEM, [_company(words, owners.of(no)) for no, words in enumerate(COMPANIES)]
    )
    people = create_people(
        session,
        SYSTEM,
        [_person(no, companies[no % len(companies)], owners) for no in range(2 * len(companies))],
    )
    deals = create_deals(session, SYSTEM, _deals(session, owners, companies, people))
    create_activities(session, SYSTEM, _activities(owners, companies, people, deals))


def _company(words: CompanyWords, owner_id: int) -> CompanyDraft:
    return CompanyDraft(
        name=words.name,
        industry=words.industry,
        city=words.city,
        country=words.country,
        website=f"https://{words.domain}",
        emails=(f"info@{words.domain}",),
        phones=(words.phone,),
        founded_year=words.founded,
        employees=words.employees,
        annual_revenue=words.revenue,
        revenue_currency=words.currency,
        owner_id=owner_id,
    )


def _person(number: int, company_id: int, owners: Owners) -> PersonDraft:
    company = COMPANIES[number % len(COMPANIES)]
    role = ROLES[company.language][number // len(COMPANIES) % 2]
    return PersonDraft(
        first_name=role,
        last_name=company.short,
        job_title=role,
        emails=(f"contact{number // len(COMPANIES) + 1}@{company.domain}",),
        phones=(company.phone[:-2] + f"{10 + number % 80:02}",),
        company_id=company_id,
        owner_id=owners.of(number % len(COMPANIES)),
    )


def _deals(
    session: Session, owners: Owners, companies: list[int], people: list[int]
) -> list[DealDraft]:
    pipeline = ensure_default_pipeline(session, SYSTEM)
    stages = stages_of(session, SYSTEM, pipeline.id)
    open_ones = [stage for stage in stages if stage.type is StageType.OPEN]
    today = clock.now().date()
    drafts = []
    for no in range(len(companies) * 2):
        company = COMPANIES[no % len(companies)]
        titles = DEALS[company.language]
        closed, earlier = no % 3 == 2, no - no // 3
        stage = stages[-2:][no % 2] if closed else open_ones[earlier % len(open_ones)]
        is_open = stage.type is StageType.OPEN
        age = timedelta(days=7 + no * 3 % 80)
        drafts.append(
            DealDraft(
                title=f"{titles[no % len(titles)]} – {company.short}",
                currency=company.currency,
                amount=_rounded(company.revenue // (400 + 37 * (no % 9)), company.currency),
                pipeline_id=pipeline.id,
                stage_id=stage.id,
                company_id=companies[no % len(companies)],
                person_ids=(people[no],),
                owner_id=owners.of(no % len(companies)),
                product=titles[no % len(titles)],
                engaged_on=today - age - timedelta(days=20),
                expected_close_on=today + timedelta(days=no * 5 % 70 - 10) if is_open else None,
                closed_on=None if is_open else today - age,
                lost_reason=NOTES[company.language][-1] if stage.type is StageType.LOST else "",
            )
        )
    return drafts


def _rounded(amount: int, currency: str) -> int:
    step = 10_000_000 if currency == "IRR" else 10_000
    return max(step, amount // step * step)


def _activities(
    owners: Owners, companies: list[int], people: list[int], deals: list[int]
) -> list[ActivityDraft]:
    return [_activity(no, owners, companies, people, deals) for no in range(len(deals) * 2)]


def _activity(
    no: int, owners: Owners, companies: list[int], people: list[int], deals: list[int]
) -> ActivityDraft:
    place = no % len(deals)
    company = COMPANIES[place % len(companies)]
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    is_note = no % 4 == 3
    is_done = is_note or no % 5 in {0, 3}
    day = timedelta(days=-(no * 3 % 40) - 1 if is_done else no * 2 % 21 - 4, hours=no % 7)
    words = NOTES[company.language] if is_note else TASKS[company.language]
    subject = words[no // 4 % len(words)]
    return ActivityDraft(
        kind=ActivityKind.NOTE if is_note else KINDS[words.index(subject)],
        subject="" if is_note else subject,
        body=subject if is_note else "",
        due_at=None if is_note else now + day,
        done_at=now + day if is_done else None,
        owner_id=owners.of(place % len(companies)),
        links=(
            Target("deal", deals[place]),
            Target("company", companies[place % len(companies)]),
            Target("person", people[place]),
        ),
    )
