"""Forms around accounts."""

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from server.users.rules import MAX_PASSWORD, Role


class SignInForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """Who is there."""

    email = EmailField(validators=[InputRequired(), Length(max=320)])
    password = PasswordField(validators=[InputRequired(), Length(max=256)])
    next = HiddenField()


LANGUAGES = [("fa", "فارسی"), ("en", "English"), ("fr", "Français")]


class UserForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A new colleague."""

    display_name = StringField(validators=[InputRequired(), Length(max=200)])
    email = EmailField(validators=[InputRequired(), Length(max=320)])
    role = SelectField(choices=[(role.value, role.value) for role in Role])
    locale = SelectField(choices=LANGUAGES)
    password = PasswordField(validators=[InputRequired(), Length(max=MAX_PASSWORD)])


class ProfileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What people change about themselves."""

    display_name = StringField(validators=[InputRequired(), Length(max=200)])
    locale = SelectField(choices=LANGUAGES)


class PasswordForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """A new password, with the old one as proof."""

    current = PasswordField(validators=[InputRequired(), Length(max=MAX_PASSWORD)])
    password = PasswordField(validators=[InputRequired(), Length(max=MAX_PASSWORD)])
