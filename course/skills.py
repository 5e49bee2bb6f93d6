"""The skill map: what a course can teach, what builds on what, and how far each role has to get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pydantic import Field, PositiveInt

from course.document import Document, Location, read_document
from course.errors import NotFound
from course.manifest import Slug, Text

SKILLS_FILE = "skills.yaml"


class Level(Document):
    """One step on the way to mastery, the same for all skills."""

    level: PositiveInt
    title: Text


class Skill(Document):
    """Something a learner can do, and which skills come before it."""

    id: Slug
    title: Text
    description: Text
    requires: tuple[Slug, ...] = Field((), description="Ids of the skills that it builds on directly.")


class SkillRole(Document):
    """A role in the company: the level it needs of each skill; a skill it lacks is not needed."""

    id: Slug
    title: Text
    targets: Mapping[Slug, PositiveInt] = Field(min_length=1, description="Level by skill id.")


class SkillMap(Document):
    """A `skills.yaml`."""

    levels: tuple[Level, ...] = Field(min_length=1, description="Lowest first.")
    skills: tuple[Skill, ...] = Field(min_length=1)
    roles: tuple[SkillRole, ...] = ()

    def rules(self) -> Iterator[tuple[Location, str]]:
        """Ids are unique and known, levels rise from 1, prerequisites have an order."""
        yield from self._levels_rise()
        yield from self._ids_are_unique_and_known()
        yield from self._prerequisites_have_an_order()

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all skills."""
        return frozenset(skill.id for skill in self.skills)

    def get(self, skill_id: str) -> Skill:
        """Return one skill.

        Raises:
            NotFound: The map has no such skill.
        """
        for skill in self.skills:
            if skill.id == skill_id:
                return skill
        raise NotFound(f"There is no skill {skill_id!r}.", f"{SKILLS_FILE} lists the skills.")

    def _levels_rise(self) -> Iterator[tuple[Location, str]]:
        for index, level in enumerate(self.levels):
            if level.level != index + 1:
                yield ("levels", index, "level"), f"must be {index + 1}: levels count up from 1"

    def _ids_are_unique_and_known(self) -> Iterator[tuple[Location, str]]:
        for group, members in (("skills", self.skills), ("roles", self.roles)):
            ids = [member.id for member in members]
            for index, member_id in enumerate(ids):
                if member_id in ids[:index]:
                    yield (group, index, "id"), f"{member_id} is the id of another one too"
        for index, skill in enumerate(self.skills):
            for place, required in enumerate(skill.requires):
                if required not in self.ids:
                    yield ("skills", index, "requires", place), f"there is no skill {required}"
        for index, role in enumerate(self.roles):
            for skill_id, target in role.targets.items():
                location = ("roles", index, "targets", skill_id)
                if skill_id not in self.ids:
                    yield location, f"there is no skill {skill_id}"
                if target > len(self.levels):
                    yield location, f"the highest level is {len(self.levels)}"

    def _prerequisites_have_an_order(self) -> Iterator[tuple[Location, str]]:
        try:
            TopologicalSorter({skill.id: skill.requires for skill in self.skills}).prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1]
            index = next(number for number, skill in enumerate(self.skills) if skill.id in cycle)
            yield ("skills", index, "requires"), f"each builds on the next: {' ← '.join(cycle)}"


def read_skills(modules_dir: Path) -> SkillMap:
    """Read `skills.yaml` of the folder that holds the modules.

    Raises:
        FileProblems: It is missing, is not YAML, or breaks a rule.
    """
    return read_document(modules_dir / SKILLS_FILE, SkillMap, next_step="docs/author.md describes every key.")
