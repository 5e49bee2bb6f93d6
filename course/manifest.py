"""What a course and its modules promise: `course.yaml` and each `module.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, StringConstraints, ValidationInfo, field_validator

from course.document import Document, Location, read_document

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

COURSE_FILE = "course.yaml"
MODULE_FILE = "module.yaml"


class CourseManifest(Document):
    """A `course.yaml`."""

    id: Slug = Field(description="Short name: nbgrader's course id.")
    title: Text
    language: Literal["en", "fr"] = Field(description="Language that the modules are written in.")
    description: Text = Field(description="What a learner will be able to do.")
    audience: Text = Field(description="For whom it is, and what they bring.")
    modules: tuple[Slug, ...] = Field(min_length=1, description="Folder names in the order of the course.")

    def rules(self) -> Iterator[tuple[Location, str]]:
        """A module comes once."""
        for index, slug in enumerate(self.modules):
            if slug in self.modules[:index]:
                yield ("modules", index), f"{slug} stands in the list twice"


class ModuleManifest(Document):
    """A `<slug>/module.yaml`."""

    slug: Slug = Field(description="The folder's name: nbgrader's assignment name.")
    title: Text
    minutes: PositiveInt = Field(description="Time that a learner needs for all of it, in minutes.")
    objectives: tuple[Text, ...] = Field(
        min_length=1, description="What a learner can do afterwards, each starting with a verb."
    )
    teaches: tuple[Slug, ...] = Field(min_length=1, description="Ids of skills in skills.yaml.")
    requires: tuple[Slug, ...] = Field((), description="Ids of skills that a learner must bring.")
    due_days: PositiveInt | None = Field(
        None, description="Due at 23:59 so many days after the cohort's first day. Left out: never due."
    )
    referee: Literal["auto", "strict"] = Field(
        "auto",
        description="A test that can only run beside the learner's code, where its score can be forged:"
        " auto runs it there and says so, strict refuses it.",
    )

    @field_validator("slug")
    @classmethod
    def _is_the_folders_name(cls, slug: str, info: ValidationInfo) -> str:
        folder = (info.context or {}).get("folder", slug)
        if slug != folder:
            raise ValueError(f"must be the name of the folder, {folder}")
        return slug

    def rules(self) -> Iterator[tuple[Location, str]]:
        """A skill is either taught or required, and named once."""
        for field, skills in (("teaches", self.teaches), ("requires", self.requires)):
            for index, skill in enumerate(skills):
                if skill in skills[:index]:
                    yield (field, index), f"{skill} stands in the list twice"
                elif field == "requires" and skill in self.teaches:
                    yield (field, index), f"{skill} is what the module teaches"


def read_course(modules_dir: Path) -> CourseManifest:
    """Read `course.yaml` of the folder that holds the modules.

    Raises:
        FileProblems: It is missing, is not YAML, or breaks a rule.
    """
    return read_document(
        modules_dir / COURSE_FILE, CourseManifest, next_step="docs/author.md describes every key."
    )


def read_module(module_dir: Path) -> ModuleManifest:
    """Read `module.yaml` of one module's folder.

    Raises:
        FileProblems: It is missing, is not YAML, or breaks a rule.
    """
    return read_document(
        module_dir / MODULE_FILE,
        ModuleManifest,
        context={"folder": module_dir.resolve().name},
        next_step=f"Then run: spoc module lint {module_dir.resolve().name}",
    )
