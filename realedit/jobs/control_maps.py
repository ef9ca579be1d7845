"""The maps that a picture follows, read, with what sees them loaded."""

from pathlib import Path
from typing import TYPE_CHECKING

from realedit.files.reading import load_photo
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import controls
from realedit.generations import Generation
from realedit.jobs.model_run import ModelRun

if TYPE_CHECKING:
    from realedit.methods.controlnet import ControlMap


def control_maps(run: ModelRun, asked: Recipe | Generation, folder: Path) -> "list[ControlMap]":
    """Those that are asked for; `folder` is what their paths start from.

    Raises:
        PhotoError: one cannot be read.
        ModelError: a network cannot be had, or is for another kind of model.
    """
    asked_maps = controls(asked)
    if not asked_maps:
        return []
    from realedit.methods.controlnet import ControlMap, load_controlnet  # loads diffusers

    found = []
    for each in asked_maps:
        picture = load_photo(folder / each.picture)
        network = load_controlnet(each.model, run.model, offline=run.which.offline)
        found.append(ControlMap(network, picture.small(picture.size), each.scale))
    return found
