"""A recipe as a person would write it, in TOML. No torch."""

import json
import re
from typing import Any

from realedit.files.recipe import Recipe

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def recipe_text(recipe: Recipe) -> str:
    """The text of a recipe file that is read as the same recipe; what it leaves out is the default."""
    values = recipe.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    edits = recipe.model_dump(by_alias=True, exclude_none=True, mode="json")["edit"]
    values.pop("edit", None)
    lines = [f"{_key(name)} = {_value(value)}" for name, value in values.items() if not isinstance(value, dict)]
    lines += ["edit = [", *(f"    {_value(edit)}," for edit in edits), "]"]
    for table, entries in values.items():
        if isinstance(entries, dict):
            lines += [f"\n[{table}]", *(f"{_key(name)} = {_value(entry)}" for name, entry in entries.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        parts = [f"{_key(name)} = {_value(part)}" for name, part in value.items() if part is not None]
        return f"{{ {', '.join(parts)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(part) for part in value)}]"
    if isinstance(value, str):
        # JSON escapes as TOML does, but for DEL, which TOML takes only as an escape.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
