"""Pipelines and their stages over JSON."""

from dataclasses import replace

from apiflask import APIBlueprint
from flask import Response, request, url_for

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import small_number
from server.deals import pipelines as service
from server.deals import queries, schema
from server.deals.rules import CLOSED_PROBABILITY, StageDraft
from server.deals.schema import show_pipeline, show_stage
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import MAX_ID, check_version, created, gone, listed, shown, told
from server.http.unit_of_work import current_session

pipelines = APIBlueprint("pipelines_api", __name__, url_prefix="/pipelines", tag="pipelines")
stages = APIBlueprint("stages_api", __name__, url_prefix="/stages", tag="stages")


@pipelines.get("")
@needs("deals.see")
@pipelines.output(schema.PipelineList)
@pipelines.doc(description=told(queries.PIPELINES))
def list_pipelines() -> Response:
    """List pipelines."""
    page = queries.list_pipelines(current_session(), current_actor(), list_query())
    return listed(page, show_pipeline)


@pipelines.post("")
@needs("pipelines.edit")
@pipelines.input(schema.NewPipeline)
@pipelines.output(schema.PipelineShown, status_code=201)
def create_pipeline(json_data: schema.NewPipeline) -> Response:
    """Write down a pipeline; it begins with the standard stages."""
    pipeline = service.create_pipeline(current_session(), current_actor(), json_data.name)
    address = url_for("pipelines_api.get_pipeline", pipeline_id=pipeline.id)
    return created(show_pipeline(pipeline), address, version=pipeline.version)


@pipelines.get("/<int:pipeline_id>")
@needs("deals.see")
@pipelines.output(schema.PipelineShown)
def get_pipeline(pipeline_id: int) -> Response:
    """Return one pipeline."""
    pipeline = queries.get_pipeline(current_session(), current_actor(), pipeline_id)
    return shown(show_pipeline(pipeline), version=pipeline.version)


@pipelines.patch("/<int:pipeline_id>")
@needs("pipelines.edit")
@pipelines.input(schema.PipelineChange)
@pipelines.output(schema.PipelineShown)
def change_pipeline(pipeline_id: int, json_data: schema.PipelineChange) -> Response:
    """Rename a pipeline, place it elsewhere, or make it the one that new deals go to."""
    session, actor = current_session(), current_actor()
    pipeline = queries.get_pipeline(session, actor, pipeline_id)
    check_version(pipeline.version, lambda: show_pipeline(pipeline))
    change = service.PipelineChange(**json_data.sent())
    changed = service.change_pipeline(session, actor, pipeline_id, change)
    return shown(show_pipeline(changed), version=changed.version)


@pipelines.delete("/<int:pipeline_id>")
@needs("pipelines.edit")
@pipelines.output({}, status_code=204)
def delete_pipeline(pipeline_id: int) -> Response:
    """Put a pipeline without deals into the bin."""
    service.delete_pipeline(current_session(), current_actor(), pipeline_id)
    return gone()


@pipelines.post("/<int:pipeline_id>/restore")
@needs("pipelines.edit")
@pipelines.output(schema.PipelineShown)
def restore_pipeline(pipeline_id: int) -> Response:
    """Take a pipeline out of the bin, its stages with it."""
    pipeline = service.restore_pipeline(current_session(), current_actor(), pipeline_id)
    return shown(show_pipeline(pipeline), version=pipeline.version)


@stages.get("")
@needs("deals.see")
@stages.output(schema.StageList)
@stages.doc(description=told(queries.STAGES))
def list_stages() -> Response:
    """List stages."""
    page = queries.list_stages(current_session(), current_actor(), list_query())
    return listed(page, show_stage)


@stages.post("")
@needs("pipelines.edit")
@stages.input(schema.NewStage)
@stages.output(schema.StageShown, status_code=201)
def create_stage(json_data: schema.NewStage) -> Response:
    """Add an open stage to a pipeline."""
    session, actor = current_session(), current_actor()
    draft = StageDraft(json_data.name, json_data.probability, json_data.rot_days)
    stage = service.add_stage(session, actor, json_data.pipeline_id, draft)
    if "position" in json_data.model_fields_set:
        service.change_stage(session, actor, stage.id, draft, json_data.position)
    address = url_for("stages_api.get_stage", stage_id=stage.id)
    return created(show_stage(stage), address, version=stage.version)


@stages.get("/<int:stage_id>")
@needs("deals.see")
@stages.output(schema.StageShown)
def get_stage(stage_id: int) -> Response:
    """Return one stage."""
    stage = queries.get_stage(current_session(), current_actor(), stage_id)
    return shown(show_stage(stage), version=stage.version)


@stages.patch("/<int:stage_id>")
@needs("pipelines.edit")
@stages.input(schema.StageChange)
@stages.output(schema.StageShown)
def change_stage(stage_id: int, json_data: schema.StageChange) -> Response:
    """Change a stage, its place among the open ones included."""
    session, actor = current_session(), current_actor()
    stage = queries.get_stage(session, actor, stage_id)
    check_version(stage.version, lambda: show_stage(stage))
    members = json_data.sent()
    position = members.pop("position", None)
    if stage.type in CLOSED_PROBABILITY:
        members.setdefault("probability", stage.probability)
    draft = replace(service.stage_draft_of(stage), **members)
    changed = service.change_stage(session, actor, stage_id, draft, position)
    return shown(show_stage(changed), version=changed.version)


@stages.delete("/<int:stage_id>")
@needs("pipelines.edit")
@stages.output({}, status_code=204)
@stages.doc(description="`?move_to=ID` names the open stage to which its deals go.")
def delete_stage(stage_id: int) -> Response:
    """Put a stage into the bin; deals in it go to the stage `move_to`."""
    service.delete_stage(current_session(), current_actor(), stage_id, move_to=_move_to())
    return gone()


@stages.post("/<int:stage_id>/restore")
@needs("pipelines.edit")
@stages.output(schema.StageShown)
def restore_stage(stage_id: int) -> Response:
    """Take a stage out of the bin."""
    stage = service.restore_stage(current_session(), current_actor(), stage_id)
    return shown(show_stage(stage), version=stage.version)


def _move_to() -> int | None:
    text = request.args.get("move_to", "")
    if not text:
        return None
    stage_id = small_number(text) if text.isascii() else None
    if stage_id is None or stage_id > MAX_ID:
        raise Invalid(_("“%(value)s” is no id of a stage.", value=text), field="move_to")
    return stage_id
