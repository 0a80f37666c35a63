"""What the licence allows, as a plain object that the gate and every feature may ask.

`server.activation` fills it; nobody else knows where it comes from, so the vendor's authority can use
the same plumbing without a licence.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock


@dataclass(frozen=True)
class Notice:
    """Something the licence wants people to know. `audience` is `admins` or `everybody`.

    `code` is a reason of licensing.md §7 with the mode it brings, or a notice of §9 without a mode and
    with the vendor's own `text`.
    """

    code: str
    audience: str
    level: str
    at: datetime | None = None
    mode: str = ""
    text: str = ""


@dataclass(frozen=True)
class Facts:
    """What sentences about the licence name. A moment is None where nothing is known of it.

    `told_at`, `read_only_at` and `locked_at` come when the vendor is never heard of again; `vendor` is
    how to reach the vendor, in the words of this installation's settings. `outside_visits` are requests of
    the last seven days from outside the networks.
    """

    starts_at: datetime | None = None
    told_at: datetime | None = None
    read_only_at: datetime | None = None
    locked_at: datetime | None = None
    named_used: int = 0
    named_cap: int = 0
    administrators: tuple[str, ...] = ()
    vendor: str = ""
    outside_visits: int = 0


@dataclass(frozen=True)
class Entitlements:
    """The licence's verdict at one moment. `mode` and `reason` are words of licensing.md §7.

    `networks` are where its users may sit (R-LIC-5); `network_mode` is `enforce`, `warn` or `off`.
    """

    mode: str = "setup"
    reason: str = "not_activated"
    license_id: str | None = None
    customer: str | None = None
    features: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    last_contact_at: datetime | None = None
    notices: tuple[Notice, ...] = ()
    networks: tuple[str, ...] = ()
    network_mode: str = "off"
    facts: Facts = Facts()

    @property
    def may_read(self) -> bool:
        """Tell whether records may be shown."""
        return self.mode not in {"locked", "setup"}

    @property
    def may_write(self) -> bool:
        """Tell whether records may be changed."""
        return self.may_read and self.mode != "read_only"


UNLIMITED = Entitlements(mode="ok", reason="fresh")


class EntitlementsBoard:
    """Holds the newest verdict of this process; asking costs one attribute."""

    def __init__(self, verdict: Entitlements | None = None) -> None:
        self.verdict = verdict or Entitlements()
        self._lock = Lock()

    def publish(self, verdict: Entitlements) -> None:
        """Replace the verdict, as a refresh or an accepted answer does."""
        with self._lock:
            self.verdict = replace(verdict)
