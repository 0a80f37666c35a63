"""The settings of selling without a browser."""

from server.core.actor import SYSTEM
from server.core.db import Database
from server.deals import queries
from server.deals.models import Stage
from server.deals.pipelines import create_pipeline
from tests.client_web.conftest import Visit
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, new_deal


def names(database: Database, pipeline_id: int) -> list[str]:
    with database.read() as session:
        return [stage.name for stage in queries.stages_of(session, SYSTEM, pipeline_id)]


def test_stages_are_added_changed_and_put_in_order(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    root = visit(cast.root)
    new = f"/settings/pipelines/{selling.pipeline_id}/stages/new"
    assert "New stage of Sales" in root.read(new)

    root.post(new, name="Contract", probability="۸۰", rot_days="10")
    assert names(database, selling.pipeline_id)[3] == "Contract"
    stage_id = next(stage.id for stage in _stages(database, selling) if stage.name == "Contract")
    root.post(f"/settings/stages/{stage_id}/place", position=0)
    assert names(database, selling.pipeline_id)[0] == "Contract"
    page = root.read("/settings/pipelines")
    for words in ("Contract", "80 %", "10 days"):
        assert words in page, words

    edit = f"/settings/stages/{stage_id}"
    version = next(s.version for s in _stages(database, selling) if s.id == stage_id)
    assert root.post(edit, name="Deed", probability="70", version=version).status_code == 302
    late = root.post(edit, name="Pact", probability="60", version=version)
    assert late.status_code == 412
    assert "it is now “Deed” with 70 %" in late.get_data(as_text=True)
    wrong = root.post(edit, name="", probability="x", version=version + 1)
    assert wrong.status_code == 422
    assert "“x” is no whole number." in wrong.get_data(as_text=True)
    assert root.post(edit, name="Deed", probability="101", version=version + 1).status_code == 422
    assert "Deed" in names(database, selling.pipeline_id)


def _stages(database: Database, selling: Selling) -> list[Stage]:
    with database.read() as session:
        return queries.stages_of(session, SYSTEM, selling.pipeline_id)


def test_a_won_stage_is_renamed_and_keeps_its_probability(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    root = visit(cast.root)
    form = root.read(f"/settings/stages/{selling.won}")
    assert 'name="probability"' not in form

    root.post(f"/settings/stages/{selling.won}", name="Sold", version=1)

    won = next(stage for stage in _stages(database, selling) if stage.id == selling.won)
    assert (won.name, won.probability) == ("Sold", 100)


def test_a_stage_is_retired_with_its_deals_sent_on_and_brought_back(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    deal_id = new_deal(database, cast.anna, stage_id=selling.engaging)
    root, address = visit(cast.root), f"/settings/stages/{selling.engaging}/retire"
    assert "1 deal stands in this stage." in root.read(address)

    assert root.post(address).status_code == 409
    root.post(address, move_to=selling.proposal)

    assert "Engaging" not in names(database, selling.pipeline_id)
    with database.read() as session:
        assert queries.get_deal(session, SYSTEM, deal_id).stage_id == selling.proposal
    assert f"/settings/stages/{selling.engaging}/restore" in root.read("/settings/pipelines")
    root.post(f"/settings/stages/{selling.engaging}/restore")
    assert "Engaging" in names(database, selling.pipeline_id)


def test_pipelines_are_made_named_ordered_and_deleted(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    root = visit(cast.root)

    root.post("/settings/pipelines", name="Service")
    with database.read() as session:
        service = queries.all_pipelines(session, SYSTEM)[1]
    address = f"/settings/pipelines/{service.id}"
    root.post(f"{address}/name", name="Care")
    root.post(f"{address}/place/0")
    root.post(f"{address}/default")

    with database.read() as session:
        found = [(one.name, one.is_default) for one in queries.all_pipelines(session, SYSTEM)]
    assert found == [("Care", True), ("Sales", False)]
    assert root.post(f"{address}/delete").status_code == 409
    assert root.post("/settings/pipelines", name=" ").status_code == 422
    sales = f"/settings/pipelines/{selling.pipeline_id}"
    root.post(f"{sales}/delete")
    assert "Sales is in the bin." in root.read("/settings/pipelines")
    root.post(f"{sales}/restore")
    assert "Sales" in root.read("/deals")


def test_a_deal_changes_its_pipeline_in_its_form_and_the_board_shows_either(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    with database.write(SYSTEM) as session:
        other = create_pipeline(session, SYSTEM, "Service").id
        first = queries.stages_of(session, SYSTEM, other)[0].id
    deal_id = new_deal(database, cast.anna, title="Pumps")
    anna = visit(cast.anna)
    assert "<optgroup" in anna.read(f"/deals/{deal_id}/edit")

    anna.post(
        f"/deals/{deal_id}/edit",
        title="Pumps",
        currency="USD",
        stage_id=first,
        owner_id=cast.anna.user_id,
        version=1,
    )

    assert "Pumps" not in anna.read("/deals")
    assert "Pumps" in anna.read(f"/deals?filter[pipeline_id]={other}")
    assert "Pumps" not in anna.read("/deals?filter[pipeline_id]=x")
