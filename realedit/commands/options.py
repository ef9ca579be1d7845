"""How options reach commands, and those that say which model is used and how. Nothing heavy: help needs it."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import click

from realedit.commands.parameter_types import FILE, SEED, WORDS, FiniteType
from realedit.settings import DEFAULTS, MEMORY_NAMES, METHOD_NAMES, ModelChoice

Command = Callable[..., Any]
Option = Callable[[Command], Command]

OUTPUT = click.option("-o", "--output", type=FILE, help='Where to write, "-" for standard output; default: beside.')
FORCE = click.option("--force", is_flag=True, help="Replace files that exist.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead of text.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="No progress and no notes.")
MAX_LPIPS = click.option("--max-lpips", type=FiniteType(min=0), help="Exit 1 if the rest changed more than this.")


def with_options(command: Command, options: Sequence[Option]) -> Command:
    """A command with options, which its help lists in this order, before those that it has."""
    for option in reversed(options):
        command = option(command)
    return command


def as_one(name: str, kind: type, command: Command, options: Sequence[Option]) -> Command:
    """A command with options whose values it is given as one value of a dataclass, called `name`."""

    @functools.wraps(command)
    def wrapped(**values: Any) -> Any:
        own = {f.name: values.pop(f.name) for f in fields(kind) if f.name in values}
        return command(**{name: kind(**own)}, **values)

    return with_options(wrapped, options)


def model_options(command: Command) -> Command:
    """Hand the options that say which model is used to a command as one `ModelChoice`."""
    default = ModelChoice()
    options = (
        click.option(
            "--model", default=default.model, show_default=True, help="Bundled, folder, .safetensors file, or hub id."
        ),
        click.option("--revision", help="Of a hub model: branch, tag or commit."),
        click.option("--variant", help="Of the model's weights, such as fp16."),
        click.option("--offline", is_flag=True, help="Fetch nothing."),
        click.option("--device", default=default.device, show_default=True, help="cpu, cuda, cuda:1, mps."),
        click.option(
            "--dtype",
            type=click.Choice(("auto", "float32", "bfloat16", "float16")),
            default=default.dtype,
            show_default=True,
            help="Of the U-Net; everything else is float32.",
        ),
        click.option(
            "--memory",
            type=click.Choice(MEMORY_NAMES),
            default=default.memory,
            show_default=True,
            help="What is done to fit the device; auto finds out what is needed.",
        ),
    )
    return as_one("model_options", ModelChoice, command, options)


def seeing_options(command: Command) -> Command:
    """Options of every command that looks at a photo with a model."""
    options = (
        click.option("--prompt", type=WORDS, help="What the photo shows; default: a .txt beside it, or its caption."),
        click.option(
            "--method",
            type=click.Choice(METHOD_NAMES),
            default=DEFAULTS.method,
            show_default=True,
            help="How the photo is inverted.",
        ),
        click.option(
            "--steps",
            type=click.IntRange(2, 1000),
            default=DEFAULTS.steps,
            show_default=True,
            help="Steps between noise and photo.",
        ),
        click.option("--seed", type=SEED, default=DEFAULTS.seed, show_default=True, help="Of all fresh noise."),
        JSON,
        QUIET,
        click.option("-v", "--verbose", is_flag=True, help="Say more on stderr."),
    )
    return with_options(model_options(command), options)
