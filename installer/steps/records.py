"""Steps on the database: its tables, the first administrator, the organisation's first pipeline."""

from collections.abc import Iterator
from contextlib import contextmanager

from installer.steps.work import Work
from server.audit.service import watch
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.i18n import gettext as _
from server.core.passwords import set_cost
from server.deals.pipelines import ensure_default_pipeline
from server.migrations.run import current, head, upgrade
from server.notices.queries import representative
from server.notices.rules import RepresentativeDraft
from server.notices.service import name_representative
from server.users.rules import Role, UserDraft
from server.users.service import any_user, create_user


@contextmanager
def _database(work: Work) -> Iterator[Database]:
    database = Database(work.settings.database_url)
    watch(database)
    try:
        yield database
    finally:
        database.dispose()


def migrate(work: Work) -> str:
    """Give the database the shape of this release."""
    url = work.settings.database_url
    if current(url) == head():
        return _("The database has the right shape already: %(revision)s.", revision=head())
    upgrade(url)
    return _("The tables were made: %(revision)s.", revision=head())


def create_administrator(work: Work) -> str:
    """Write down the first administrator, unless somebody can sign in already."""
    security, admin = work.settings.security, work.answers.admin
    set_cost(memory_kib=security.argon2_memory_kib, rounds=security.argon2_rounds)
    with _database(work) as database, database.write(SYSTEM) as session:
        if any_user(session):
            return _("Somebody can sign in already.")
        password, made = work.password()
        draft = UserDraft(
            email=admin.email,
            display_name=admin.name,
            role=Role.ADMIN,
            locale=work.settings.organization.locale,
            password=password,
        )
        user = create_user(session, SYSTEM, draft)
        if made:
            # Before the commit: a password that nobody has seen must not be the one that counts.
            work.say(
                _(
                    "Sign in as %(email)s with this password, shown this once: %(password)s",
                    email=user.email,
                    password=password,
                )
            )
        return _("%(email)s administers this installation.", email=user.email)


def prepare_organization(work: Work) -> str:
    """Give the organisation a pipeline to sell by, in its own language, and its representative."""
    locale = work.settings.organization.locale
    with _database(work) as database, database.write(SYSTEM) as session:
        named = work.answers.representative
        if named.email and representative(session) is None:
            draft = RepresentativeDraft(named.name, named.email, named.phone, named.locale)
            name_representative(session, SYSTEM, draft)
        pipeline = ensure_default_pipeline(session, SYSTEM, locale)
        return _("Deals go to the pipeline “%(name)s”.", name=pipeline.name)
