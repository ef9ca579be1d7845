"""Whether this works with a model on this machine. Heavy imports stay inside functions: help needs this module."""

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inversion.errors import RealEditError
from inversion.phrases import find_phrase
from realedit.commands.calibration import Calibration, calibration_options
from realedit.commands.context import RunOptions
from realedit.commands.options import FORCE, JSON, model_options
from realedit.commands.parameter_types import FILE
from realedit.settings import DEFAULTS, METHOD_NAMES, ModelChoice, Settings

if TYPE_CHECKING:
    from realedit.commands.diagnostics import CheckResult
    from realedit.commands.model_under_test import KnownObject, ModelUnderTest


@click.command()
@model_options
@click.option("--steps", type=click.IntRange(4, 1000), default=DEFAULTS.steps, show_default=True)
@click.option("--method", type=click.Choice(METHOD_NAMES), default=DEFAULTS.method, show_default=True)
@calibration_options
@click.option("--report", type=FILE, help="Write all numbers to this JSON file, as for a bug report.")
@FORCE
@JSON
def doctor(
    model_options: ModelChoice,
    steps: int,
    method: str,
    calibration: Calibration,
    report: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Check a model: its weights and words, equality with diffusers, a gradient, a reconstruction, masks by words, and
    a move in each mode.

    Exit code 1 if a check fails. Example: realedit doctor --model stable-diffusion-v1-5/stable-diffusion-v1-5
    """
    from realedit.files.writing import check_outputs, write_bytes

    if report is not None:
        check_outputs((), (report,), force=force, inputs=calibration.files)
    shared = RunOptions(model_options, calibration.prompt, method, steps, DEFAULTS.seed)
    known = _known(shared, calibration)
    model = shared.model
    from realedit.commands.diagnostics import peak_memory
    from realedit.commands.doctor_report import doctor_report
    from realedit.commands.model_under_test import ModelUnderTest

    if not as_json:
        lean = f"{model.device}, {str(model.unet.dtype).removeprefix('torch.')}, memory {model.parts.memory.value}"
        click.echo(f"{'model':<16}{model.name} ({model.texts.kind}; {lean})")
    settings = Settings(steps=steps, method=method)
    results = _results(ModelUnderTest(model, settings, model_options.offline, known), told=not as_json)
    found = doctor_report(model, settings, results, peak_memory(model.device))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(f"{'in all':<16}{found['seconds']:.1f} s, {found['memory_gb']:.1f} GB at most")
    if report is not None:
        write_bytes(json.dumps(found, indent=2).encode(), report)
    failed = [each.name for each in results if not each.passed]
    if failed:
        raise RealEditError(f"{', '.join(failed)} failed with {model.name}")


def _known(shared: RunOptions, calibration: Calibration) -> "KnownObject | None":
    """The object of the user's own photo, if one is given.

    Raises:
        RealEditError: the photo or the mask cannot be used, or no prompt names the object.
    """
    if calibration.photo is None or calibration.mask is None or calibration.phrase is None:
        return None
    from realedit.commands.model_under_test import KnownObject
    from realedit.files.reading import load_photo
    from realedit.objects.user_masks import load_mask

    photo, phrase = load_photo(calibration.photo), calibration.phrase
    prompt = shared.prompt_of(calibration.photo, photo, [phrase]).text
    find_phrase(prompt, phrase)
    return KnownObject("calibration", photo, prompt, phrase, load_mask(calibration.mask, photo))


def _results(tested: "ModelUnderTest", *, told: bool) -> "list[CheckResult]":
    """What every check finds, told as it comes."""
    from realedit.commands.diagnostics import run_checks

    results = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["REALEDIT_CACHE"] = cache  # what was kept of earlier runs proves nothing about this one
        for result in run_checks(tested):
            results.append(result)
            if told:
                verdict = "pass" if result.passed else "FAIL"
                click.echo(f"{result.name:<16}{verdict}  {result.said}  ({result.seconds:.1f} s)")
    return results
