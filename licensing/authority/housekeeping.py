"""What the authority does by the clock: forget what limits nobody, and warn of keys that end."""

import logging
from datetime import timedelta

from sqlalchemy import delete

from licensing.authority.activations.models import Head, KeptAnswer
from licensing.authority.audit.chain import seal_all, verify_and_remember
from licensing.authority.backups.service import back_up_daily
from licensing.authority.config import Settings
from licensing.authority.keys.rules import DAY, OVERLAP_DAYS, ending
from licensing.authority.keys.store import Keys
from licensing.authority.licenses.terms import begin_next_terms
from licensing.authority.limits.service import forget_full_buckets
from licensing.authority.warnings.service import tell_customers, tell_staff
from server.core import clock
from server.core.db import Database
from server.core.postman import Postman, carriers, forget_settled
from server.core.schedule import Job, daily, every

log = logging.getLogger(__name__)

DENIALS_KEPT_DAYS = 30
# Longer than any lease with all its bounds: whoever still shows one is locked, and has asked anew.
CHAINS_KEPT_DAYS = 400
SEAL = timedelta(seconds=10)
SEND = timedelta(seconds=5)
WARN = timedelta(minutes=15)


def jobs(settings: Settings, database: Database, keys: Keys) -> list[Job]:
    """Return every job of the authority."""
    timezone = settings.selling.timezone
    found = [
        *letters(settings, database),
        Job("customers.warn", every(WARN), lambda: warn_customers(database), at_start=True),
        Job("staff.warn", every(WARN), lambda: warn_staff(settings, database, keys), at_start=True),
        Job("audit.seal", every(SEAL), lambda: seal_trail(database), at_start=True),
        Job("audit.verify", daily("04:20", timezone), lambda: verify_trail(database)),
        Job(
            "limits.forget",
            every(timedelta(hours=1)),
            lambda: forget_full_buckets(database),
            at_start=True,
        ),
        Job("answers.forget", daily("04:10", timezone), lambda: forget_old_denials(database)),
        Job("chains.forget", daily("04:15", timezone), lambda: forget_old_chains(database)),
        Job(
            "terms.begin",
            every(timedelta(minutes=15)),
            lambda: tell_begun_terms(database, keys),
            at_start=True,
        ),
        Job("keys.watch", daily("09:00", timezone), lambda: watch_keys(keys), at_start=True),
    ]
    if settings.backup.enabled:
        nightly = daily(settings.backup.time, timezone)
        found.append(Job("backups.daily", nightly, lambda: back_up_daily(settings, database)))
    return found


def letters(settings: Settings, database: Database) -> list[Job]:
    """Return the jobs that bring mail and SMS out, and forget them half a year later."""
    carrying = carriers(
        settings.mail, settings.sms, home=settings.home, secrets_dir=settings.secrets_dir
    )
    postman = Postman(database, carrying)
    nightly = daily("03:50", settings.selling.timezone)
    return [
        Job("letters.send", every(SEND), postman.keep_going, at_start=True),
        Job("letters.forget", nightly, lambda: forget_letters(database)),
    ]


def forget_letters(database: Database) -> None:
    """Remove the messages that were settled half a year ago."""
    log.info("Forgot %s messages that were settled long ago.", forget_settled(database))


def warn_customers(database: Database) -> None:
    """Write to customers whose term ends, whose server is silent, or who were dealt with (R-LIC-7)."""
    if count := tell_customers(database):
        log.info("%s messages to customers were written.", count)


def warn_staff(settings: Settings, database: Database, keys: Keys) -> None:
    """Write to the vendor's people about flags, keys that end and work that failed."""
    # Here, since it loads the web, which commands can do without.
    from licensing.authority.console.words import FLAG

    words = {kind.value: label for kind, label in FLAG.items()}
    tell_staff(database, settings.selling.timezone, ending_soon(keys), words)


def seal_trail(database: Database) -> None:
    """Chain what was noted in the audit trail a moment ago."""
    seal_all(database)


def verify_trail(database: Database) -> None:
    """Walk along the whole audit trail; raise Broken when somebody changed it past the program."""
    verify_and_remember(database)


def forget_old_denials(database: Database) -> None:
    """Remove what was refused a month ago; its challenge is dead, so it would be refused again."""
    before = clock.timestamp() - DENIALS_KEPT_DAYS * DAY
    with database.write() as session:
        session.execute(
            delete(KeptAnswer).where(KeptAnswer.answered_at < before, KeptAnswer.is_denial)
        )


def forget_old_chains(database: Database) -> None:
    """Remove given up heads that no living server can show any more; one would count as restored.

    Bundles are never forgotten: there is one for each activation.
    """
    before = clock.timestamp() - CHAINS_KEPT_DAYS * DAY
    with database.write() as session:
        session.execute(delete(Head).where(Head.given_up_at < before))


def tell_begun_terms(database: Database, keys: Keys) -> None:
    """Sign the licences anew whose next term, loaded ahead, has begun."""
    if count := begin_next_terms(database, keys):
        log.info("The next term of %s licences has begun.", count)


def watch_keys(keys: Keys) -> None:
    """Log a warning for what ends within the overlap and has no successor."""
    for name in ending_soon(keys):
        log.warning("The last %s ends within %s days. Run keys rotate.", name, OVERLAP_DAYS)


def ending_soon(keys: Keys) -> list[str]:
    """Return the roles whose last key ends within the overlap, and `keyset` if it does."""
    ring = keys.ring()
    found = ending(ring.keyset, ring.held(), clock.timestamp())
    return [one.role.value if one.role else "keyset" for one in found]
