"""Which stage a word of a file means: one of the pipeline, won or lost in any language, or a new one."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import fold
from server.deals.queries import all_pipelines, default_pipeline, stages_of
from server.deals.service import (
    STANDARD_STAGES,
    StageType,
    ensure_default_pipeline,
    find_or_add_stage,
    same_stage,
)
from server.exchange.rules import MAX_NEW_STAGES

_CLOSED = {
    "won": "won|closed won|close won|win|success|successful|برنده|برد|موفق|فروخته شد|gagné|gagnée|conclu",
    "lost": "lost|closed lost|close lost|loss|failed|باخت|باخته|ناموفق|از دست رفته|شکست|perdu|perdue",
}
_CLOSED_WORDS = {
    fold(word): status for status, words in _CLOSED.items() for word in words.split("|")
}


@dataclass(frozen=True)
class KnownStage:
    """A stage as far as finding it goes. Before the first deal of all, ids are not known and below 0."""

    id: int
    name: str
    type: str


@dataclass
class Stages:
    """The stages of the pipeline that an import fills, and what words were taken for."""

    pipeline_id: int | None
    known: list[KnownStage]
    may_add: bool
    new: dict[str, str] = field(default_factory=dict)
    found: dict[str, KnownStage | None] = field(default_factory=dict)

    def find(self, word: str) -> KnownStage | None:
        """Return the stage that the word means, None for one to be added; raise Invalid if it may not be."""
        key = fold(word)
        if key not in self.found:
            self.found[key] = self.match(word)
        stage = self.found[key]
        if stage is None and key not in self.new:
            self._add(word, key)
        return stage

    def match(self, word: str) -> KnownStage | None:
        """Return the stage of that name, or the closed one that the word means in any language."""
        status = _CLOSED_WORDS.get(fold(word))
        same = (stage for stage in self.known if same_stage(stage.name, word))
        closed = (stage for stage in self.known if stage.type == status)
        return next(same, None) or next(closed, None)

    def _add(self, word: str, key: str) -> None:
        if not self.may_add:
            raise Invalid(
                _(
                    "The pipeline has no stage “%(name)s”. Say in the mapping which stage it means, "
                    "or ask an administrator to add it.",
                    name=word[:60],
                )
            )
        if len(self.new) >= MAX_NEW_STAGES:
            raise Invalid(
                _(
                    "The column of the stage holds more than %(most)s unknown words, “%(name)s” among "
                    "them. Is it the right column?",
                    most=MAX_NEW_STAGES,
                    name=word[:60],
                )
            )
        self.new[key] = word

    def make(self, session: Session, actor: Actor, word: str) -> tuple[int, bool]:
        """Return the id of the stage of that name, and whether it was added now, before the won one."""
        stage = find_or_add_stage(session, actor, self.pipeline_id or 0, word[:100])
        fresh = all(stage.id != one.id for one in self.known)
        known = KnownStage(stage.id, stage.name, stage.type.value)
        if fresh:
            self.known.append(known)
        self.found[fold(word)] = known
        return stage.id, fresh


def stages_for_import(
    session: Session, actor: Actor, pipeline: str, new: dict[str, str], *, writes: bool
) -> Stages:
    """Return the stages that an import chooses from: of the named pipeline, else of the default one.

    `new` holds the unknown words that the same run has met before.
    """
    pipeline_id = _pipeline(session, actor, pipeline, writes=writes)
    if pipeline_id is None:
        known = [
            KnownStage(-place, stage.name, stage.type.value)
            for place, stage in enumerate(STANDARD_STAGES, start=1)
        ]
    else:
        known = [
            KnownStage(stage.id, stage.name, stage.type.value)
            for stage in stages_of(session, actor, pipeline_id)
        ]
    return Stages(pipeline_id, known, actor.may("pipelines.edit"), new)


def _pipeline(session: Session, actor: Actor, name: str, *, writes: bool) -> int | None:
    if name:
        for pipeline in all_pipelines(session, actor):
            if fold(pipeline.name) == fold(name):
                return pipeline.id
        raise Invalid(_("There is no pipeline “%(name)s”.", name=name), field="pipeline")
    if writes:
        return ensure_default_pipeline(session, actor).id
    home = default_pipeline(session, actor)
    return home.id if home else None


def is_closed(stage: KnownStage | None) -> bool:
    """Tell whether a deal in the stage is won or lost."""
    return stage is not None and stage.type != StageType.OPEN.value


@dataclass(frozen=True)
class StageGuess:
    """A word of the file and the name of the stage that it is taken for, None when there is no such."""

    word: str
    stage: str | None


def guess_stages(
    session: Session, actor: Actor, pipeline: str, words: Iterable[str]
) -> tuple[list[StageGuess], list[str]]:
    """Return what each word is taken for, and the names of the stages one can choose from."""
    stages = stages_for_import(session, actor, pipeline, {}, writes=False)
    guesses = []
    for word in words:
        stage = stages.match(word)
        guesses.append(StageGuess(word, stage.name if stage else None))
    return guesses, [stage.name for stage in stages.known]
