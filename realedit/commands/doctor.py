"""Whether this works with a model on this machine. Heavy imports stay inside functions: help needs this module."""

import json
import os
import tempfile
from dataclasses import asdict

import click

from inversion.errors import RealEditError
from realedit.commands.context import RunOptions
from realedit.commands.options import JSON, model_options
from realedit.settings import DEFAULTS, METHOD_NAMES, ModelChoice, Settings


@click.command()
@model_options
@click.option("--steps", type=click.IntRange(4, 1000), default=DEFAULTS.steps, show_default=True)
@click.option("--method", type=click.Choice(METHOD_NAMES), default=DEFAULTS.method, show_default=True)
@JSON
def doctor(model_options: ModelChoice, steps: int, method: str, as_json: bool) -> None:
    """Check a model: its words, equality with diffusers, a gradient, a reconstruction, and a move.

    Exit code 1 if a check fails. Example: realedit doctor --model stable-diffusion-v1-5/stable-diffusion-v1-5
    """
    shared = RunOptions(model_options, prompt=None, method=method, steps=steps, seed=DEFAULTS.seed)
    model = shared.model
    from realedit.commands.diagnostics import ModelUnderTest, peak_memory, run_checks

    lean = f"{model.device}, {str(model.unet.dtype).removeprefix('torch.')}, memory {model.memory.value}"
    if not as_json:
        click.echo(f"{'model':<16}{model.name} ({model.texts.kind}; {lean})")
    tested = ModelUnderTest(model, Settings(steps=steps, method=method), model_options.offline)
    findings = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["REALEDIT_CACHE"] = cache  # what was kept of earlier runs proves nothing about this one
        for finding in run_checks(tested):
            findings.append(finding)
            if not as_json:
                verdict = "pass" if finding.passed else "FAIL"
                click.echo(f"{finding.name:<16}{verdict}  {finding.said}  ({finding.seconds:.1f} s)")
    memory = peak_memory(model.device) / 1e9
    if as_json:
        checks = [asdict(finding) for finding in findings]
        click.echo(json.dumps({"model": model.name, "checks": checks, "memory_gb": memory}, indent=2))
    else:
        click.echo(f"{'memory':<16}{memory:.1f} GB at most")
    failed = [finding.name for finding in findings if not finding.passed]
    if failed:
        raise RealEditError(f"{', '.join(failed)} failed with {model.name}")
