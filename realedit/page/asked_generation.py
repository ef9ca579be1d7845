"""What the page asks of a whole picture, as the value that commands make: files and marks are named by what the page
was given."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from inversion.errors import EditError
from realedit.generations import Generation
from realedit.page.asked_recipe import Given, cannot_be_done, check_fill

OF_KIND = {
    "generate": ("guider",),
    "relook": ("as", "guider"),
    "redraw": ("as", "guider"),
    "relayout": (),
    "fill": ("as", "fill"),
    "transfer-whole": ("from",),
}
"""What the page says to each kind, as it is; what more it may say is put together here."""
OF_ENGINE = ("kind", "strength", "repeats", "weights", "blend", "bank")  # those that are options of the command
OF_REPAINT = ("jump", "repeats")  # the same of RePaint
OF_RUN = ("method", "steps", "seed")
CONTROLLED = ("generate", "relook", "redraw")
MARKED = ("redraw", "fill")
LEAST_SIDE, MOST_SIDE = 64, 2048  # pixels of a picture that is drawn from words


def generation_of(values: Mapping[str, Any], given: Given) -> Generation:
    """The whole picture that the page asks for: `where` is the number of a selection; `from`, and the `picture` that is
    followed, are names of other photos.

    Raises:
        EditError: it is none, or names what the page was not given.
    """
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in OF_KIND:
        raise EditError(f"a picture is drawn by {', '.join(OF_KIND)}")
    asked: dict[str, Any] = {"kind": kind, **_taken(values, (*OF_KIND[kind], *OF_RUN))}
    check_fill(asked.get("fill"), given.offered)
    if kind == "generate" and values.get("size"):
        asked["size"] = _size(values["size"])
    if kind == "transfer-whole":
        _check_other(asked.get("from"), given)
        asked["prompt"] = str(values.get("from_prompt") or "")
    if kind == "redraw":
        asked["engine"] = _taken(_said(values, "engine"), OF_ENGINE)
    if kind == "fill":
        asked["repaint"] = _taken(_said(values, "repaint"), OF_REPAINT)
    if kind in CONTROLLED and values.get("control"):
        asked["controls"] = [_control(_said(values, "control"), given)]
    if kind in MARKED and values.get("where") is not None:
        asked["where"] = given.marked_region(values["where"]).model_dump(by_alias=True, exclude_none=True)
    try:
        return TypeAdapter[Generation](Generation).validate_python(asked)
    except ValidationError as error:
        raise cannot_be_done(error) from error


def _taken(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) not in (None, "")}


def _said(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name) or {}
    if not isinstance(found, dict):
        raise EditError(f"this cannot be done: {name}: expected several values by their names")
    return found


def _size(asked: object) -> tuple[int, int]:
    if isinstance(asked, list) and len(asked) == 2 and all(isinstance(side, int) for side in asked):
        width, height = asked
        if all(LEAST_SIDE <= side <= MOST_SIDE for side in asked):
            return width, height
    raise EditError(f"a picture has two sides of {LEAST_SIDE} to {MOST_SIDE} pixels")


def _control(asked: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """A map that the picture follows, and what sees it."""
    _check_other(asked.get("picture"), given)
    if asked.get("model") not in given.offered.controlnets:
        raise EditError("no such ControlNet is offered; name it with --controlnet when the page is opened")
    return _taken(asked, ("picture", "model", "scale"))


def _check_other(name: object, given: Given) -> None:
    if name not in given.other_names():
        raise EditError("the other photo is not here any more; choose it again")
