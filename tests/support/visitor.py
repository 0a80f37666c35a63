"""Somebody with a browser of their own, without a browser: opens pages, sends forms, follows answers."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass
class PageVisitor:
    """Opens pages and sends forms. `forms` are the pages where the token of a form may be fetched."""

    client: FlaskClient
    token: str = field(default="")
    forms: ClassVar[tuple[str, ...]] = ()

    def get(self, address: str) -> TestResponse:
        """Open a page."""
        answer = self.client.get(address)
        found = re.search(r'name="csrf-token" content="([^"]+)"', answer.get_data(as_text=True))
        if found:
            self.token = found[1]
        return answer

    def read(self, address: str) -> str:
        """Open a page that must be there, and return its text."""
        answer = self.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        return answer.get_data(as_text=True)

    def post(self, address: str, **fields: object) -> TestResponse:
        """Send a form with the token of the last page."""
        if not self.token:
            for form in self.forms:
                self.get(form)
        return self.client.post(address, data={"csrf_token": self.token, **fields})
