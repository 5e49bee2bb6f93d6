"""The instructor's modules, as they came: no process that a test starts can change what is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType


class ModulesInMemory(MetaPathFinder):
    """Finds modules of which the text is kept; for the end of `sys.meta_path`, after all libraries.

    Args:
        files: Where each now is, by its path in the folder of which modules are imported. They are read here.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._sources = {
            PurePosixPath(name): (path, decode_source(path.read_bytes())) for name, path in files.items()
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        place = PurePosixPath(*fullname.split("."))
        for name, is_package in ((place / "__init__.py", True), (place.with_name(f"{place.name}.py"), False)):
            if name in self._sources:
                return _spec(fullname, *self._sources[name], is_package=is_package)
        if any(place in name.parents for name in self._sources):
            folder = ModuleSpec(fullname, None, is_package=True)
            folder.submodule_search_locations = []
            return folder
        return None


def _spec(fullname: str, path: Path, source: str, *, is_package: bool) -> ModuleSpec:
    spec = ModuleSpec(fullname, _Loader(path, source), origin=str(path), is_package=is_package)
    # Modules look for their data beside `__file__`.
    spec.has_location = True
    return spec


class _Loader(InspectLoader):
    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._source = source

    def get_source(self, fullname: str) -> str:
        return self._source

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._source, str(self._path))
