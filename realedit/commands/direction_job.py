"""Directions, from files to files: found from two folders of photos, and a photo moved along one."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from inversion.errors import EditError, PhotoError
from realedit.commands.context import RunOptions
from realedit.commands.generation_batch import Series, asked_of_part, draw_each
from realedit.commands.generation_job import GenerationJob
from realedit.commands.marks import MarkOptions
from realedit.commands.output_options import DrawingOptions
from realedit.files.access import shown_name
from realedit.files.captions import Prompt
from realedit.files.kinds import PHOTOS
from realedit.files.reading import PhotoFile, load_photo
from realedit.files.writing import check_folder, check_outputs, write_bytes
from realedit.methods.boundary import require_scikit_learn
from realedit.methods.direction import HEADER, TENSORS, Direction, load_direction
from realedit.methods.direction_fit import check_count, fit_direction
from realedit.sampling.session import Session
from realedit.settings import Settings

FROM_DIRECTION = "the direction"  # under whose prompt photos are inverted


def fit_from_folders(shared: RunOptions, folders: tuple[Path, Path], output: Path, *, force: bool) -> None:
    """Write the direction from the photos of the second folder to those of the first.

    Raises:
        PhotoError: a folder holds no photos, or one cannot be read.
        EditError: one holds too few, or scikit-learn is not there.
        OutputError: the direction cannot be written.
    """
    require_scikit_learn()
    paths = [_photos_of(folder) for folder in folders]
    files = [output / HEADER, output / TENSORS]
    if output.exists():
        check_outputs((), files, force=force, inputs=[path for own in paths for path in own])
    else:
        check_folder(output.parent)
    with shared.stages() as show:
        show(shared.loading)
        model = shared.model
        session = Session(model, Settings(steps=shared.steps, seed=shared.seed), show)
        show("reading the pictures")
        pictures = [torch.cat([_middle(path, model.native_size) for path in own]) for own in paths]
        found = fit_direction(session, (pictures[0], pictures[1]), shared.prompt or "")
        output.mkdir(exist_ok=True)
        for path, data in found.files(output).items():
            write_bytes(data, path)
    _tell(shared, found, output)


def _photos_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise EditError(f"{shown_name(folder)} is no folder; give one with photos that show it, and one with others")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PHOTOS and p.is_file())
    if not found:
        raise PhotoError(f"the folder {shown_name(folder)} holds no photos")
    check_count(len(found), f"the folder {shown_name(folder)}")
    return found


def _middle(path: Path, side: int) -> Tensor:
    """The middle square (1, 3, side, side) of a photo."""
    photo = load_photo(path)
    width, height = photo.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    return photo.cropped((left, top, left + short, top + short)).small((side, side))


def _tell(shared: RunOptions, found: Direction, output: Path) -> None:
    """What was found, and how sure it is."""
    told = found.header
    if shared.as_json:
        click.echo(json.dumps({"direction": shown_name(output), **asdict(told)}, indent=2))
        return
    best = told.found
    click.echo(f"from {told.pictures[0]} pictures with it and {told.pictures[1]} without it, of {told.model_name}")
    click.echo("timestep  held out: bottleneck  latent   radius: inverted  noised")
    for each in told.scanned:
        accuracy = f"{each.bottleneck_accuracy:20.0%}{each.latent_accuracy:8.0%}"
        mark = "  <- mixing step" if each == best else ""
        click.echo(f"{each.timestep:8d}{accuracy}{each.radius:19.1f}{each.noised_radius:8.1f}{mark}")
    shared.say(f"wrote {shown_name(output)}")


def slide(
    shared: RunOptions,
    path: Path,
    engines: Sequence[dict[str, Any]],
    marks: MarkOptions,
    output: Path,
    options: DrawingOptions,
) -> None:
    """Write a photo as every engine draws it, as a recipe would say them; they are of one direction.

    Raises:
        EditError: there is no direction, or it belongs to another model or layer.
    """
    told = load_direction(Path(engines[0]["direction"])).header
    prompt = Prompt(shared.prompt, shared.said_in) if shared.prompt else Prompt(told.prompt, FROM_DIRECTION)
    file = PhotoFile.open(path)
    series = Series.of(output, len(engines), options, (path,))
    jobs = []
    for engine in engines:
        whole = asked_of_part(shared, {"kind": "redraw", "engine": engine}, marks)(file)
        jobs.append((f"{engine['by']:+g}", GenerationJob(whole, prompt, path, file.photo)))
    draw_each(shared, jobs, series)
