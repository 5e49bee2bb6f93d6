"""Makes a new module: small, complete and without findings, so that an author changes what works."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from string import Template

import yaml

from course.errors import Conflict, CourseError, NotFound
from course.manifest import COURSE_FILE, read_course
from course.schema import write_schemas
from course.skills import SKILLS_FILE, read_skills
from graders.authoring.build import replacement

_STARTER = Path(__file__).parent / "starter_module"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COURSE = """\
# yaml-language-server: $schema=.schemas/course.json
id: {slug}
title: {title}
language: en
description: What a learner will be able to do.
audience: For whom it is, and what they bring.
modules:
  - {slug}
"""
_SKILLS = """\
# yaml-language-server: $schema=.schemas/skills.json
levels:
  - level: 1
    title: Does it with an example at hand
  - level: 2
    title: Does it alone, on new data
skills:
{skill}"""
_SKILL = """\
{dash}- id: {slug}
{dash}  title: {title}
{dash}  description: What somebody who has this skill does.
{dash}  requires: []
"""


def new_module(modules_dir: Path, slug: str, *, title: str = "", skills: Sequence[str] = ()) -> Path:
    """Make a module and add it to the course; return its folder.

    Args:
        modules_dir: Becomes a course when it has no course.yaml yet.
        slug: Lower-case words and digits joined by hyphens.
        title: What learners read; empty: made from the slug.
        skills: Ids of skills that it teaches; empty: a new skill of the module's name is added to the map.

    Raises:
        CourseError: The slug is no slug.
        Conflict: There is a folder or a module of that name.
        NotFound: The map has no such skill.
        FileProblems: course.yaml or skills.yaml cannot be used.
    """
    if not _SLUG.fullmatch(slug) or len(slug) > 40:
        raise CourseError(
            f"{slug!r} cannot be a module's name.", "Take lower-case words joined by hyphens, at most 40."
        )
    folder, title = modules_dir / slug, title or slug.replace("-", " ").capitalize()
    if folder.exists():
        raise Conflict(f"{folder} exists already.", "Choose another name.")
    changed = {
        modules_dir / COURSE_FILE: _course_with(modules_dir, slug, title),
        modules_dir / SKILLS_FILE: _skills_with(modules_dir, slug, title, skills),
    }
    write_schemas(modules_dir / ".schemas")
    taught = tuple(skills) or (slug,)
    values = {
        "slug": slug,
        "title": json.dumps(title, ensure_ascii=False),
        "skills": ", ".join(taught),
        "quoted_skills": json.dumps(taught)[1:-1],
    }
    with replacement(folder) as made:
        for source in sorted(_STARTER.iterdir()):
            if source.is_dir():
                shutil.copytree(source, made / source.name)
            else:
                plain = values if source.suffix == ".yaml" else {**values, "title": title}
                text = Template(source.read_text(encoding="utf-8")).substitute(plain)
                (made / source.name).write_text(text, encoding="utf-8")
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return folder


def _course_with(modules_dir: Path, slug: str, title: str) -> str:
    """Return the text of a course.yaml that has the module."""
    path = modules_dir / COURSE_FILE
    if not path.exists():
        return _COURSE.format(slug=slug, title=json.dumps(title, ensure_ascii=False))
    if slug in read_course(modules_dir).modules:
        return path.read_text(encoding="utf-8")
    return _appended(path, "modules", "{dash}- {slug}\n", slug=slug)


def _skills_with(modules_dir: Path, slug: str, title: str, skills: Sequence[str]) -> str:
    """Return the text of a skills.yaml that has what the module teaches."""
    path, values = modules_dir / SKILLS_FILE, {"slug": slug, "title": json.dumps(title, ensure_ascii=False)}
    if not path.exists():
        for skill in skills:
            raise NotFound(f"There is no skill {skill!r}: {path} does not exist.", "Leave --teaches out.")
        return _SKILLS.format(skill=_SKILL.format(dash="  ", **values))
    known = read_skills(modules_dir)
    for skill in skills:
        known.get(skill)
    if skills or slug in known.ids:
        return path.read_text(encoding="utf-8")
    return _appended(path, "skills", _SKILL, **values)


def _appended(path: Path, key: str, item: str, **values: str) -> str:
    """Return the text of a YAML file with one more item in the list `key`; comments stay where they are.

    Raises:
        CourseError: The list is written as `[a, b]`.
    """
    text = path.read_text(encoding="utf-8")
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(tree, yaml.MappingNode)
    items = next(value for name, value in tree.value if name.value == key)
    if items.flow_style:
        raise CourseError(f"{path}: {key} is a list in brackets.", "Write one item a line, each after `- `.")
    lines = text.splitlines(keepends=True)
    end = items.value[-1].end_mark.line + (1 if items.value[-1].end_mark.column else 0)
    # A block ends where the next thing begins; comments and blank lines before that belong to what follows.
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    lines.insert(end, item.format(dash=" " * items.start_mark.column, **values))
    return "".join(lines)
