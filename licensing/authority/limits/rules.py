"""How often somebody may ask: a bucket that fills again steadily (GCRA). Pure."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil

from licensing.authority.config import Limits

MINUTE = 60
DAY = 86_400


@dataclass(frozen=True)
class Rule:
    """At most `burst` at once, then one every `interval` seconds, for each `key`."""

    key: str
    burst: int
    interval: float


def per_minute(name: str, subject: str, count: int) -> Rule:
    """Allow so many a minute."""
    return Rule(f"{name}:{subject}", count, MINUTE / count)


def per_day(name: str, subject: str, count: int) -> Rule:
    """Allow so many a day."""
    return Rule(f"{name}:{subject}", count, DAY / count)


def taken(rule: Rule, full_at: float, now: float) -> float | None:
    """Return the bucket after one more request, or None when it is empty."""
    after = max(full_at, now) + rule.interval
    return after if after - now <= rule.burst * rule.interval + 1e-6 else None


def wait(rule: Rule, full_at: float, now: float) -> int:
    """Return whole seconds until the next request is let in."""
    return max(1, ceil(full_at + rule.interval - now - rule.burst * rule.interval))


def applies_to(limits: Limits, address: str) -> bool:
    """Tell whether callers from this address are limited."""
    if not limits.enabled:
        return False
    try:
        return limits.loopback or not ip_address(address).is_loopback
    except ValueError:
        return True


def network_of(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or an IPv6 network of /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:60]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
