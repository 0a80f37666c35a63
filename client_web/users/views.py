"""Pages around accounts: signing in and out."""

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask import session as browser
from flask.typing import ResponseReturnValue

from client_web.reading import put_back, say
from client_web.users.forms import NewPasswordForm, SignInForm
from server.core.errors import DaftarError, NotFound, NotSignedIn, TooMany
from server.core.i18n import gettext as _
from server.http.access import public, signed_in, visitor
from server.http.door import door_of
from server.http.unit_of_work import current_session, database
from server.users import links
from server.users import sign_in as accounts

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.users.models import User

blueprint = Blueprint("users", __name__)

COOKIE = "daftar_session"
DEVICE_COOKIE = "daftar_device"  # by which a browser is the same device at its next sign-in
DEVICE_LENGTH = 43  # of 32 random bytes
DEVICE_DAYS = 400  # the longest that browsers keep a cookie


def _safe(target: str) -> str:
    """Return the wanted page when it is one of ours, else the first page."""
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets that are no address
        return url_for("home.page")
    ours = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if ours and not parts.netloc and not parts.scheme else url_for("home.page")


@blueprint.get("/sign-in")
@public()
def sign_in() -> ResponseReturnValue:
    """Show the sign-in form, or go on when somebody is signed in already."""
    target = request.args.get("next", "")
    if visitor() is not None:
        return redirect(_safe(target))
    page = render_template("users/sign_in.html", form=SignInForm(next=target), problem=None)
    return _known_again(current_app.make_response(page), _device())


def _device() -> str:
    """Return the secret by which this browser is known again, a new one for a new browser."""
    known = request.cookies.get(DEVICE_COOKIE, "")
    return known if len(known) == DEVICE_LENGTH else secrets.token_urlsafe(32)


def _known_again(response: Response, device: str) -> Response:
    """Let the browser keep what makes it this device, longer than any sign-in."""
    settings = current_app.extensions["daftar.settings"]
    response.set_cookie(
        DEVICE_COOKIE,
        device,
        max_age=DEVICE_DAYS * 86_400,
        httponly=True,
        samesite="Lax",
        secure=settings.web.https,
    )
    return response


@blueprint.post("/sign-in")
@public()
def enter() -> ResponseReturnValue:
    """Check address and password, outside any writing transaction, since this is slow on purpose."""
    form = SignInForm()
    if not form.validate():
        return render_template("users/sign_in.html", form=form, problem=None), 422
    address = request.remote_addr or ""
    email = form.email.data or ""
    try:
        with database().read() as reading:
            user = accounts.check_sign_in(reading, email, form.password.data or "", address)
    except TooMany as refusal:
        page = render_template("users/sign_in.html", form=form, problem=refusal.message)
        return page, 429, {"Retry-After": str(refusal.retry_after)}
    except NotSignedIn as refusal:
        with database().write() as writing:
            accounts.note_failure(writing, email, address)
        return render_template("users/sign_in.html", form=form, problem=refusal.message), 401
    settings = current_app.extensions["daftar.settings"]
    device, hours = _device(), settings.security.session_hours
    place = accounts.Visitor(address, request.user_agent.string, device)
    before = request.cookies.get(COOKIE, "")
    secret = accounts.open_session(current_session(), user, place, hours=hours, replaces=before)
    browser.clear()
    response = current_app.make_response(redirect(_safe(form.next.data or "")))
    response.set_cookie(
        COOKIE,
        secret,
        max_age=hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.web.https,
    )
    return _known_again(response, device)


@blueprint.post("/sign-out")
@signed_in(always=True, anywhere=True)
def sign_out() -> ResponseReturnValue:
    """End this browser's sign-in."""
    accounts.end_session(current_session(), request.cookies.get(COOKIE, ""))
    browser.clear()
    response = current_app.make_response(redirect(url_for("users.sign_in")))
    response.delete_cookie(COOKIE)
    return response


def link_secret() -> bytes:
    """Return the key that signs the links of this installation."""
    return door_of(current_app).secret_key


@blueprint.get("/choose-password/<token>")
@public()
def choose_password(token: str) -> ResponseReturnValue:
    """Show the form of a link by which somebody chooses a password."""
    user = links.user_of_link(current_session(), token, secret=link_secret())
    return _chosen(NewPasswordForm(), token, user, None)


@blueprint.post("/choose-password/<token>")
@public()
def use_link(token: str) -> ResponseReturnValue:
    """Give the user of the link the chosen password; the link is used up."""
    form, session = NewPasswordForm(), current_session()
    user = links.user_of_link(session, token, secret=link_secret())
    if form.validate():
        try:
            links.choose_password(session, token, form.password.data or "", secret=link_secret())
        except NotFound:
            raise
        except DaftarError as refusal:
            _elsewhere, status = put_back(form, refusal)
            problem = None if form.password.errors else refusal.message
            return _chosen(form, token, user, problem), status
        say(_("The password is set. Please sign in with it."))
        return redirect(url_for("users.sign_in"))
    return _chosen(form, token, user, None), 422


def _chosen(form: NewPasswordForm, token: str, user: "User", problem: str | None) -> str:
    return render_template(
        "users/choose_password.html", form=form, token=token, user=user, problem=problem
    )
