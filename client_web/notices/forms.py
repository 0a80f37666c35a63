"""The forms of warnings: the representative, a test, one's own ways."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from server.notices.rules import PreferenceDraft, RepresentativeDraft


class RepresentativeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Who answers for the licence."""

    name = StringField()
    email = StringField()
    phone = StringField()
    locale = StringField()

    def draft(self) -> RepresentativeDraft:
        """Return what was typed."""
        return RepresentativeDraft(
            self.name.data or "",
            self.email.data or "",
            self.phone.data or "",
            self.locale.data or "",
        )


class TryForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Where to send a test message."""

    channel = StringField()
    to = StringField()


class WaysForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """By which ways one wants to hear of notices."""

    by_email = BooleanField()
    by_sms = BooleanField()
    phone = StringField()

    def draft(self) -> PreferenceDraft:
        """Return what was chosen."""
        return PreferenceDraft(
            bool(self.by_email.data), bool(self.by_sms.data), self.phone.data or ""
        )
