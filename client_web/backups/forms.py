"""The forms by which a person signs what they saw of a backup, proves a key or makes keys anew."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField, TextAreaField

from server.backups.custody import Role
from server.backups.service import NOTE_LENGTH, Choice
from server.core.errors import FieldError, Invalid
from server.core.i18n import gettext as _


class CheckForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """In order or not, in what words, and the password again as a signature."""

    choice = StringField()
    note = TextAreaField()
    password = PasswordField()

    def said(self) -> tuple[Choice, str]:
        """Return what was said, or raise Invalid with every field that is not right."""
        note = (self.note.data or "").strip()
        errors = []
        if self.choice.data not in list(Choice):
            errors.append(FieldError("choice", _("Say whether the backup is in order.")))
        elif self.choice.data == Choice.PROBLEM_FOUND and not note:
            errors.append(FieldError("note", _("Say what the problem is.")))
        if len(note) > NOTE_LENGTH:
            errors.append(FieldError("note", _("This text is too long.")))
        if not self.password.data:
            errors.append(
                FieldError("password", _("Your password is asked again, as your signature."))
            )
        if errors:
            raise Invalid(_("Some fields do not fit yet. Look at each of them."), errors=errors)
        return Choice(self.choice.data or ""), note


class LettersForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """The letters of a key's test."""

    letters = StringField()


class RotationForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Which offline keys are made anew, and the password again."""

    working = BooleanField()
    escrow = BooleanField()
    password = PasswordField()

    def roles(self) -> tuple[Role, ...]:
        """Return the keys to make, or raise Invalid with what is missing."""
        chosen = ((Role.WORKING, self.working.data), (Role.ESCROW, self.escrow.data))
        roles = tuple(role for role, wanted in chosen if wanted)
        errors = []
        if not roles:
            errors.append(
                FieldError("working", _("Say which key is made anew: working or escrow."))
            )
        if not self.password.data:
            errors.append(FieldError("password", _("Your password is asked again before this.")))
        if errors:
            raise Invalid(_("Some fields do not fit yet. Look at each of them."), errors=errors)
        return roles
