"""A server that looks for what stands between it and its vendor, and whatever it meets on the way."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from licensing.client.diagnosis import Examinee, Found, Step, diagnose
from tests.licensing.client.obstacles import (
    Certificates,
    Listener,
    response,
)
from tests.licensing.client.vendor import Vendor

PAGE = b"<!DOCTYPE html><html><head><title>Welcome to the hotel</title></head></html>"


@dataclass
class Stage:
    """A server that looks, and whatever it meets."""

    subject: Examinee
    certificates: Certificates
    listen: Callable[..., Listener]
    vendor: Vendor
    seen: tuple[Found, ...] = ()

    def look(self, *urls: str, **changes: object) -> dict[str, tuple[str, str]]:
        """Return grade and code of each step on the way to the first address."""
        subject = replace(self.subject, urls=urls, **changes)  # type: ignore[arg-type] # names of fields
        self.seen = diagnose(subject, lambda _found: None)
        first = self.seen[0].url
        return {
            found.step.value: (found.grade.value, found.code)
            for found in self.seen
            if found.url == first
        }

    def facts(self, step: Step) -> dict[str, str]:
        return dict(next(found.facts for found in self.seen if found.step is step))

    def authority(self, path: str) -> bytes:
        if path == "/v1/keyset":
            return response(200, self.vendor.served_keyset, "application/json")
        if path == "/v1/challenge":
            said = {"challenge": "a", "server_time": self.vendor.now}
            return response(200, json.dumps(said).encode(), "application/json")
        return response(404, b"{}", "application/json")


def rest(*steps: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(steps, ("skip", "not_reached"))
