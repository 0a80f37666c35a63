"""The form whose own refusals speak the reader's language; what a form means is for its slice to say."""

from typing import Any

from flask_wtf import FlaskForm

from server.core.i18n import gettext, mark, ngettext

# What the validators of WTForms say, for the catalogue.
SENTENCES = (
    mark("This field is required."),
    mark("Not a valid choice."),
    mark("Field cannot be longer than %(max)d character."),
    mark("Field cannot be longer than %(max)d characters."),
)


class _Words:
    """Gives WTForms our catalogue."""

    def gettext(self, sentence: str) -> str:
        """Translate one sentence."""
        return gettext(sentence)

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Translate a sentence that counts; WTForms fills in the places itself."""
        return ngettext(one, many, n) if "%(" not in one else gettext(one if n == 1 else many)


class HouseForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A form with CSRF and our words."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc] # Flask-WTF has no types
        """Where WTForms asks for translations."""

        def get_translations(self, _form: Any) -> _Words:
            """Return our catalogue."""
            return _Words()
