"""The vendor's people: who may come in, invitations, lost second factors."""

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from licensing.authority.console.desk import fresh, operator, reveal, revealed, say
from licensing.authority.console.entry import link_secret
from licensing.authority.staff import links, queries, service
from licensing.authority.staff.rules import (
    PERMISSION_LABELS,
    PERMISSIONS,
    ROLE_HINTS,
    ROLE_LABELS,
    Role,
)
from licensing.authority.staff.service import StaffDraft
from server.core.errors import Conflict, DaftarError, Invalid
from server.core.i18n import gettext as _
from server.http.access import needs
from server.http.forms import put_back
from server.http.unit_of_work import current_session

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from licensing.authority.staff.models import StaffMember

blueprint = Blueprint("staff", __name__)

INVITATION = "invitation"


class StaffForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What an owner writes down about a colleague."""

    email = StringField()
    name = StringField()
    role = StringField()
    locale = StringField()

    def chosen_role(self) -> Role:
        """Return the role that was chosen, or raise Invalid."""
        try:
            return Role(self.role.data or "")
        except ValueError as error:
            raise Invalid(_("Choose what they may do."), field="role") from error


@blueprint.get("/staff")
@needs("staff.see")
def page() -> ResponseReturnValue:
    """List everybody who may or might come in."""
    return render_template(
        "console/staff/list.html",
        members=queries.list_staff(current_session()),
        labels=PERMISSION_LABELS,
        permissions={role: PERMISSIONS[role] for role in Role},
    )


@blueprint.get("/staff/new")
@needs("staff.manage")
@fresh
def new() -> ResponseReturnValue:
    """Show the form for a new colleague."""
    return _form(StaffForm(role=Role.SUPPORT.value, locale=operator().locale), None)


def _roles() -> list[tuple[str, str]]:
    """Return the roles with what each of them may do, as choices."""
    return [(role.value, f"{_(ROLE_LABELS[role])}: {_(ROLE_HINTS[role])}") for role in Role]


def _form(form: StaffForm, problem: str | None) -> str:
    return render_template(
        "console/staff/form.html", form=form, problem=problem, roles_with_hints=_roles()
    )


@blueprint.post("/staff/new")
@needs("staff.manage")
@fresh
def create() -> ResponseReturnValue:
    """Write the colleague down and make the first invitation."""
    form, session = StaffForm(), current_session()
    try:
        draft = StaffDraft(
            email=form.email.data or "",
            name=form.name.data or "",
            role=form.chosen_role(),
            locale=form.locale.data or "",
        )
        member = service.add_member(session, operator().email, draft)
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _form(form, refusal.message), status
    return _invited(member)


def _invited(member: "StaffMember") -> ResponseReturnValue:
    made = links.invite(current_session(), operator().email, member.id, secret=link_secret())
    address = url_for("entry.choose_password", token=made.token, _external=True)
    reveal(INVITATION, address=address, until=made.expires_at.isoformat())
    return redirect(url_for("staff.show", staff_id=member.id))


@blueprint.get("/staff/<int:staff_id>")
@needs("staff.see")
def show(staff_id: int) -> ResponseReturnValue:
    """Show one member of the staff."""
    return _page(staff_id, None, None)


def _page(staff_id: int, form: StaffForm | None, problem: str | None) -> str:
    session = current_session()
    member = queries.get_member(session, staff_id)
    return render_template(
        "console/staff/show.html",
        member=member,
        form=form or StaffForm(formdata=None, name=member.name, role=member.role.value),
        problem=problem,
        roles_with_hints=_roles(),
        browsers=queries.browsers_of(session, staff_id),
        invitation=revealed(INVITATION),
        is_self=member.id == operator().staff_id,
        days=links.LASTS_DAYS,
    )


@blueprint.post("/staff/<int:staff_id>")
@needs("staff.manage")
@fresh
def change(staff_id: int) -> ResponseReturnValue:
    """Change name and role."""
    form = StaffForm()
    try:
        service.change_member(
            current_session(),
            operator().email,
            staff_id,
            name=form.name.data or "",
            role=form.chosen_role(),
        )
    except DaftarError as refusal:
        current_session().expire_all()
        _elsewhere, status = put_back(form, refusal)
        return _page(staff_id, form, refusal.message), status
    say(_("The changes are saved."))
    return redirect(url_for("staff.show", staff_id=staff_id))


@blueprint.post("/staff/<int:staff_id>/<any(invite, deactivate, reactivate, reset):step>")
@needs("staff.manage")
@fresh
def act(staff_id: int, step: str) -> ResponseReturnValue:
    """Invite, deactivate, let in again, or reset the second factor."""
    session, who = current_session(), operator()
    if staff_id == who.staff_id:
        raise Conflict(_("Nobody does this to their own account. Ask another owner."))
    if step == "invite":
        return _invited(queries.get_member(session, staff_id))
    deeds = {
        "deactivate": service.deactivate_member,
        "reactivate": service.reactivate_member,
        "reset": service.reset_second_factor,
    }
    member = deeds[step](session, who.email, staff_id)
    said = {
        "deactivate": _("%(name)s can no longer sign in.", name=member.name),
        "reactivate": _("%(name)s may sign in again.", name=member.name),
        "reset": _("%(name)s sets up a new second factor at the next sign-in.", name=member.name),
    }
    say(said[step])
    return redirect(url_for("staff.show", staff_id=staff_id))
