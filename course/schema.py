"""JSON Schemas of the files that authors write, for editors that check while one types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from course.manifest import CourseManifest, ModuleManifest
from course.quiz import Quiz
from course.skills import SkillMap

MODELS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {"course": CourseManifest, "module": ModuleManifest, "quiz": Quiz, "skills": SkillMap}
)
"""By the name of the file without `.yaml`."""


def json_schema(name: str) -> dict[str, Any]:
    """Return the schema of `<name>.yaml`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **MODELS[name].model_json_schema()}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write `<name>.json` for every file; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"{name}.json" for name in MODELS)
    for path in paths:
        text = json.dumps(json_schema(path.stem), indent=2, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
    return paths
