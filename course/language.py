"""Messages in the reader's language, from the gettext catalogues in `course/locale`.

Catalogues are read as `.po`: nothing has to be compiled, and a translator sees a change at the next start.
There is one catalogue per surface (`quiz`, `hub`, `exchange`, `report`) and language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

LOCALE_DIR = Path(__file__).parent / "locale"
LANGUAGES = ("en", "fr")


@cache
def catalogue(surface: str, language: str) -> Mapping[str, str]:
    """Return the translations of `surface` into `language`; empty for the source language, English.

    Raises:
        FileNotFoundError: There is no catalogue of that surface in that language.
    """
    if language == "en":
        return {}
    path = LOCALE_DIR / language / f"{surface}.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    return {str(message.id): str(message.string) for message in messages if message.id and message.string}


def translator(surface: str, language: str) -> Callable[[str], str]:
    """Return the function that translates a message of `surface`; an untranslated one stays English."""
    messages = catalogue(surface, language)
    return lambda message: messages.get(message, message)


def choose_language(accept_language: str) -> str:
    """Return the first of our languages that an `Accept-Language` header asks for, else English."""
    for wanted in accept_language.split(","):
        code = wanted.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "en"
