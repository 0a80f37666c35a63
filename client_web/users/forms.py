"""Forms around accounts."""

from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from client_web.house_form import HouseForm
from server.core.passwords import MAX_PASSWORD
from server.users.rules import Role, UserKind


class SignInForm(HouseForm):
    """Who is there."""

    email = EmailField(validators=[InputRequired(), Length(max=320)])
    password = PasswordField(validators=[InputRequired(), Length(max=256)])
    next = HiddenField()


LANGUAGES = {"fa": "فارسی", "en": "English", "fr": "Français"}


class UserForm(HouseForm):
    """A new colleague or a program. `way` says how a colleague comes to a password."""

    kind = SelectField(choices={kind.value: kind.value for kind in UserKind})
    display_name = StringField(validators=[InputRequired(), Length(max=200)])
    email = EmailField(validators=[InputRequired(), Length(max=320)])
    role = SelectField(choices={role.value: role.value for role in Role})
    locale = SelectField(choices=LANGUAGES)
    way = SelectField(choices={"link": "link", "password": "password"})
    password = PasswordField(validators=[Length(max=MAX_PASSWORD)])


class AccountForm(HouseForm):
    """What administrators change about an account."""

    display_name = StringField(validators=[InputRequired(), Length(max=200)])
    role = SelectField(choices={role.value: role.value for role in Role})
    locale = SelectField(choices=LANGUAGES)
    version = HiddenField()


class TokenForm(HouseForm):
    """A key for a program: what it is for."""

    name = StringField(validators=[InputRequired(), Length(max=100)])


class NewPasswordForm(HouseForm):
    """A password that somebody with a link chooses."""

    password = PasswordField(validators=[InputRequired(), Length(max=MAX_PASSWORD)])


class ProfileForm(HouseForm):
    """What people change about themselves."""

    display_name = StringField(validators=[InputRequired(), Length(max=200)])
    locale = SelectField(choices=LANGUAGES)


class PasswordForm(HouseForm):
    """A new password, with the old one as proof."""

    current = PasswordField(validators=[InputRequired(), Length(max=MAX_PASSWORD)])
    password = PasswordField(validators=[InputRequired(), Length(max=MAX_PASSWORD)])
