"""What a command does before it imports the engine, so that it starts quickly."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast


def skip_address_grammar() -> None:
    """Let jsonschema do without the grammar of international web addresses, which takes it a second to build.

    It is for the formats `iri` and `iri-reference`, which are in no schema of notebooks or of nbgrader's.
    """
    sys.modules.setdefault("rfc3987_syntax", cast(ModuleType, None))
