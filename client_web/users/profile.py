"""One's own account: name and language, password, the browsers signed in, tokens for programs."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.reading import put_back, say
from client_web.users.forms import LANGUAGES, PasswordForm, ProfileForm, TokenForm
from client_web.users.views import COOKIE
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.http.access import current_actor, needs, signed_in
from server.http.unit_of_work import current_session
from server.users import queries, service, sign_in
from server.users.agents import device_name
from server.users.holders import devices_of

blueprint = Blueprint("profile", __name__)


def profile_tabs(here: str) -> list[dict[str, object]]:
    """Return the tabs of one's own pages; `here` is the endpoint of the one that is shown."""
    pages = [
        ("profile.page", _("About you"), "user"),
        ("profile.security", _("Password and devices"), "lock"),
        ("own_notices.page", _("Notices"), "bell"),
    ]
    if current_actor().may("tokens.own"):
        pages.append(("profile.tokens", _("API tokens"), "key"))
    return [
        {"label": label, "url": url_for(name), "icon": icon, "active": name == here}
        for name, label, icon in pages
    ]


@blueprint.get("/settings/profile")
@signed_in(always=True)
def page() -> ResponseReturnValue:
    """Show one's own name and language."""
    actor = current_actor()
    return _page(ProfileForm(display_name=actor.name, locale=actor.locale))


def _page(form: ProfileForm) -> str:
    languages = list(LANGUAGES.items())
    return render_template(
        "users/profile.html", form=form, languages=languages, tabs=profile_tabs("profile.page")
    )


@blueprint.post("/settings/profile")
@signed_in(always=True)
def save() -> ResponseReturnValue:
    """Change one's own name and language."""
    form, actor = ProfileForm(), current_actor()
    if form.validate():
        change = service.ProfileChange(display_name=form.display_name.data, locale=form.locale.data)
        try:
            service.change_user(current_session(), actor, actor.user_id or 0, change)
        except Invalid as refusal:
            put_back(form, refusal)
        else:
            say(_("Your profile is saved."))
            return redirect(url_for("profile.page"))
    return _page(form), 422


@blueprint.get("/settings/profile/security")
@signed_in(always=True)
def security() -> ResponseReturnValue:
    """Show the form for a new password, and where one is signed in."""
    return _security(PasswordForm())


def _security(form: PasswordForm) -> str:
    session, actor = current_session(), current_actor()
    return render_template(
        "users/security.html",
        form=form,
        tabs=profile_tabs("profile.security"),
        devices=devices_of(session, actor.user_id),
        here=sign_in.sign_in_id(session, request.cookies.get(COOKIE, "")),
        device_name=device_name,
    )


@blueprint.post("/settings/profile/password")
@signed_in(always=True)
def change_password() -> ResponseReturnValue:
    """Give oneself a new password; every sign-in with the old one ends."""
    form, actor, session = PasswordForm(), current_actor(), current_session()
    if not form.validate():
        return _security(form), 422
    try:
        _confirm(form)
        service.set_password(session, actor, actor.user_id or 0, form.password.data or "")
    except Invalid as refusal:
        put_back(form, refusal)
        return _security(form), 422
    say(_("The new password is set. Please sign in with it."))
    return redirect(url_for("users.sign_in"))


def _confirm(form: PasswordForm) -> None:
    try:
        queries.confirm_password(current_session(), current_actor(), form.current.data or "")
    except Invalid as refusal:
        raise Invalid(refusal.message, field="current", code=refusal.code) from refusal


@blueprint.post("/settings/profile/sign-ins/<int:sign_in_id>/end")
@signed_in(always=True)
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """Sign oneself out in one of one's browsers."""
    sign_in.end_own_sign_in(current_session(), current_actor(), sign_in_id)
    say(_("That browser is signed out."))
    return redirect(url_for("profile.security"))


@blueprint.post("/settings/profile/sign-ins/end-others")
@signed_in(always=True)
def end_other_sign_ins() -> ResponseReturnValue:
    """Sign oneself out everywhere but here."""
    secret = request.cookies.get(COOKIE, "")
    ended = sign_in.end_other_sign_ins(current_session(), current_actor(), secret)
    say(ngettext("%(n)s browser is signed out.", "%(n)s browsers are signed out.", ended))
    return redirect(url_for("profile.security"))


@blueprint.get("/settings/profile/tokens")
@needs("tokens.own", always=True)
def tokens() -> ResponseReturnValue:
    """Show one's own tokens."""
    return _tokens(TokenForm())


def _tokens(form: TokenForm) -> str:
    own = queries.tokens_of(current_session(), current_actor())
    return render_template(
        "users/tokens.html", form=form, tokens=own, tabs=profile_tabs("profile.tokens")
    )


@blueprint.post("/settings/profile/tokens")
@needs("tokens.own")
def create_token() -> ResponseReturnValue:
    """Make a token and show it this once."""
    form, actor = TokenForm(), current_actor()
    if not form.validate():
        return _tokens(form), 422
    name = form.name.data or ""
    try:
        made = sign_in.create_token(current_session(), actor, actor.user_id or 0, name)
    except Invalid as refusal:
        put_back(form, refusal)
        return _tokens(form), 422
    back = url_for("profile.tokens")
    return render_template("users/token_made.html", token=made, name=name, back=back)


@blueprint.post("/settings/profile/tokens/<int:token_id>/revoke")
@needs("tokens.own", always=True)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End one of one's tokens at once."""
    sign_in.revoke_token(current_session(), current_actor(), token_id)
    say(_("The token no longer works."))
    return redirect(url_for("profile.tokens"))
