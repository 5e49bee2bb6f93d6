"""A deployment's choices: `settings.yaml` in its state folder, checked once at start."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

import course
from course.errors import FileProblems
from course.state import StateFolder

SAMPLE_MODULES_DIR = Path(course.__file__).parent / "modules"


class Settings(BaseModel):
    """Everything that differs between two deployments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modules_dir: Path = Field(SAMPLE_MODULES_DIR, description="The folder with course.yaml and the modules.")
    port: int = Field(8000, ge=1, le=65535, description="TCP port of the proxy, on loopback.")
    public_url: str = Field("", description="Address that members open; empty: http://127.0.0.1:PORT.")
    cohort_title: str = Field("", description="How the group is called; empty: the course's title.")
    cohort_start: date | None = Field(
        None, description="First day; due dates count from it. Empty: none are due."
    )
    time_zone: str = Field("Europe/Paris", description="IANA name of due dates and last days.")
    language: Literal["en", "fr"] = Field("en", description="Language of what the platform says to members.")
    idle_minutes: int = Field(60, ge=5, description="A member's server stops after so long without activity.")

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {name!r}; an example is Europe/Paris") from error
        return name

    @property
    def url(self) -> str:
        """The address that members open, without a slash at its end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")


def settings_path(state: StateFolder) -> Path:
    return state.root / "settings.yaml"


def read_settings(state: StateFolder) -> Settings:
    """Read the settings of a deployment; the defaults where it has no file.

    Raises:
        FileProblems: The file is not YAML or breaks a rule; every problem is named.
    """
    path = settings_path(state)
    if not path.exists():
        return Settings()
    try:
        return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise FileProblems(path, [f"not valid YAML: {error}"]) from error
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors()]
        raise FileProblems(path, problems, "The settings are described in docs/operator.md.") from error


def write_settings(state: StateFolder, settings: Settings) -> None:
    """Keep `settings` for the next start; the folder must exist. Comments in the file do not outlive it.

    Who reads the file meanwhile, or after the machine went down, finds the old settings or the new ones.
    """
    chosen = settings.model_dump(mode="json", exclude_defaults=True)
    path = settings_path(state)
    whole = path.with_name(f".{path.name}.new")
    with whole.open("w", encoding="utf-8") as file:
        yaml.safe_dump(chosen, file, sort_keys=False, allow_unicode=True)
        file.flush()
        os.fsync(file.fileno())
    whole.replace(path)
