"""The settings of selling: pipelines and their stages, for who holds pipelines.edit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField

from client_web.reading import put_back, say, whole
from server.core.checklist import Checklist
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.deals import pipelines as service
from server.deals import queries
from server.deals.pipelines import PipelineChange
from server.deals.rules import StageDraft, StageType
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session

if TYPE_CHECKING:
    from server.core.errors import FieldError
    from server.deals.models import Pipeline, Stage

blueprint = Blueprint("pipelines", __name__)


@dataclass(frozen=True)
class Shown:
    """A pipeline with its stages in their order, and how many deals stand in each."""

    pipeline: "Pipeline"
    stages: "tuple[Stage, ...]"
    counts: dict[int, int]
    place: int

    @property
    def open_ids(self) -> tuple[int, ...]:
        """Return the open stages, which alone can change places."""
        return tuple(one.id for one in self.stages if one.type is StageType.OPEN)


class StageForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What people write down about a stage."""

    name = StringField()
    probability = StringField()
    rot_days = StringField()
    version = HiddenField()

    def draft(self, kind: StageType) -> StageDraft:
        """Return what was typed; raise Invalid for what is unreadable."""
        checks = Checklist()
        probability = checks.take(None, whole, self.probability.data, "probability")
        rot_days = checks.take(None, whole, self.rot_days.data, "rot_days")
        checks.finish()
        usual = {StageType.OPEN: 50, StageType.WON: 100, StageType.LOST: 0}[kind]
        return StageDraft(
            self.name.data or "", usual if probability is None else probability, rot_days, kind
        )


@blueprint.get("/settings/pipelines")
@needs("pipelines.edit")
def page() -> ResponseReturnValue:
    """Show every pipeline with its stages."""
    session, actor = current_session(), current_actor()
    stages = queries.all_stages(session, actor)
    shown = [
        Shown(
            one,
            tuple(stages.get(one.id, [])),
            queries.count_in_stages(session, actor, one.id),
            place,
        )
        for place, one in enumerate(queries.all_pipelines(session, actor))
    ]
    return render_template("pipelines/list.html", shown=shown)


def _back() -> ResponseReturnValue:
    return redirect(url_for("pipelines.page"))


@blueprint.post("/settings/pipelines")
@needs("pipelines.edit")
def create() -> ResponseReturnValue:
    """Write down a pipeline with the standard stages."""
    name = request.form.get("name", "")
    pipeline = service.create_pipeline(current_session(), current_actor(), name)
    say(_("%(name)s is written down, with the usual stages.", name=pipeline.name))
    return _back()


@blueprint.post("/settings/pipelines/<int:pipeline_id>/name")
@needs("pipelines.edit")
def rename(pipeline_id: int) -> ResponseReturnValue:
    """Give a pipeline another name."""
    return _change(pipeline_id, PipelineChange(name=request.form.get("name", "")))


@blueprint.post("/settings/pipelines/<int:pipeline_id>/default")
@needs("pipelines.edit")
def make_default(pipeline_id: int) -> ResponseReturnValue:
    """Let new deals go to this pipeline from now on."""
    return _change(pipeline_id, PipelineChange(is_default=True))


@blueprint.post("/settings/pipelines/<int:pipeline_id>/place/<int:position>")
@needs("pipelines.edit")
def place(pipeline_id: int, position: int) -> ResponseReturnValue:
    """Give a pipeline another place among the others."""
    return _change(pipeline_id, PipelineChange(position=position))


def _change(pipeline_id: int, change: PipelineChange) -> ResponseReturnValue:
    service.change_pipeline(current_session(), current_actor(), pipeline_id, change)
    say(_("The changes are saved."))
    return _back()


@blueprint.post("/settings/pipelines/<int:pipeline_id>/delete")
@needs("pipelines.edit")
def delete(pipeline_id: int) -> ResponseReturnValue:
    """Put a pipeline without deals into the bin, and offer to undo that."""
    pipeline = service.delete_pipeline(current_session(), current_actor(), pipeline_id)
    back = url_for("pipelines.restore", pipeline_id=pipeline_id)
    say(_("%(name)s is in the bin.", name=pipeline.name), undo=back)
    return _back()


@blueprint.post("/settings/pipelines/<int:pipeline_id>/restore")
@needs("pipelines.edit")
def restore(pipeline_id: int) -> ResponseReturnValue:
    """Take a pipeline out of the bin."""
    pipeline = service.restore_pipeline(current_session(), current_actor(), pipeline_id)
    say(_("%(name)s is back.", name=pipeline.name))
    return _back()


@blueprint.get("/settings/pipelines/<int:pipeline_id>/stages/new")
@needs("pipelines.edit")
def new_stage(pipeline_id: int) -> ResponseReturnValue:
    """Show the form for another stage."""
    pipeline = queries.get_pipeline(current_session(), current_actor(), pipeline_id)
    return _form(StageForm(probability=50), pipeline, None)


@blueprint.post("/settings/pipelines/<int:pipeline_id>/stages/new")
@needs("pipelines.edit")
def add_stage(pipeline_id: int) -> ResponseReturnValue:
    """Add an open stage, or show the form again with what does not fit."""
    session, actor = current_session(), current_actor()
    form = StageForm()
    try:
        stage = service.add_stage(session, actor, pipeline_id, form.draft(StageType.OPEN))
    except DaftarError as refusal:
        elsewhere, status = put_back(form, refusal)
        pipeline = queries.get_pipeline(session, actor, pipeline_id)
        return _form(form, pipeline, None, refusal.message, elsewhere), status
    say(_("%(name)s is written down.", name=stage.name))
    return _back()


@blueprint.get("/settings/stages/<int:stage_id>")
@needs("pipelines.edit")
def edit_stage(stage_id: int) -> ResponseReturnValue:
    """Show the form of a stage."""
    session, actor = current_session(), current_actor()
    stage = queries.get_stage(session, actor, stage_id)
    known = {name: getattr(stage, name) for name in ("name", "probability", "rot_days", "version")}
    pipeline = queries.get_pipeline(session, actor, stage.pipeline_id)
    return _form(StageForm(**known), pipeline, stage)


@blueprint.post("/settings/stages/<int:stage_id>")
@needs("pipelines.edit")
def change_stage(stage_id: int) -> ResponseReturnValue:
    """Change the stage, unless somebody else did so since the form was opened."""
    session, actor = current_session(), current_actor()
    stage = queries.get_stage(session, actor, stage_id)
    pipeline = queries.get_pipeline(session, actor, stage.pipeline_id)
    form = StageForm()
    if form.version.data != str(stage.version):
        return _form(form, pipeline, stage, _somebody_was_faster(form, stage)), 412
    try:
        service.change_stage(session, actor, stage_id, form.draft(stage.type))
    except DaftarError as refusal:
        session.refresh(stage)
        elsewhere, status = put_back(form, refusal)
        return _form(form, pipeline, stage, refusal.message, elsewhere), status
    say(_("The changes are saved."))
    return _back()


def _somebody_was_faster(form: StageForm, stage: "Stage") -> str:
    form.version.data = form.version.raw_data = None
    form.version.process_data(stage.version)
    return _(
        "Somebody else changed this stage while you were writing: it is now “%(name)s” with "
        "%(percent)s %%. Save again to replace that.",
        name=stage.name,
        percent=stage.probability,
    )


def _form(
    form: StageForm,
    pipeline: "Pipeline",
    stage: "Stage | None",
    trouble: str = "",
    elsewhere: "list[FieldError] | tuple[()]" = (),
) -> str:
    return render_template(
        "pipelines/stage.html",
        form=form,
        pipeline=pipeline,
        stage=stage,
        trouble=trouble,
        elsewhere=elsewhere,
        closed=stage is not None and stage.type is not StageType.OPEN,
    )


@blueprint.post("/settings/stages/<int:stage_id>/place")
@needs("pipelines.edit")
def place_stage(stage_id: int) -> ResponseReturnValue:
    """Give an open stage another place among its neighbours."""
    session, actor = current_session(), current_actor()
    draft = service.stage_draft_of(queries.get_stage(session, actor, stage_id))
    position = whole(request.form.get("position"), "position")
    service.change_stage(session, actor, stage_id, draft, position)
    return _back()


@blueprint.get("/settings/stages/<int:stage_id>/retire")
@needs("pipelines.edit")
def ask_retire(stage_id: int) -> ResponseReturnValue:
    """Ask where the deals of a stage should go before it is retired."""
    session, actor = current_session(), current_actor()
    stage = queries.get_stage(session, actor, stage_id)
    others = [
        (one.id, one.name)
        for one in queries.stages_of(session, actor, stage.pipeline_id)
        if one.type is StageType.OPEN and one.id != stage_id
    ]
    count = queries.count_in_stages(session, actor, stage.pipeline_id).get(stage_id, 0)
    return render_template("pipelines/retire.html", stage=stage, others=others, count=count)


@blueprint.post("/settings/stages/<int:stage_id>/retire")
@needs("pipelines.edit")
def retire_stage(stage_id: int) -> ResponseReturnValue:
    """Retire a stage; its deals go to the one that was chosen."""
    move_to = whole(request.form.get("move_to"), "move_to")
    stage = service.delete_stage(current_session(), current_actor(), stage_id, move_to=move_to)
    back = url_for("pipelines.restore_stage", stage_id=stage_id)
    say(_("The stage “%(name)s” is retired.", name=stage.name), undo=back)
    return _back()


@blueprint.post("/settings/stages/<int:stage_id>/restore")
@needs("pipelines.edit")
def restore_stage(stage_id: int) -> ResponseReturnValue:
    """Bring a retired stage back."""
    stage = service.restore_stage(current_session(), current_actor(), stage_id)
    say(_("%(name)s is back.", name=stage.name))
    return _back()
