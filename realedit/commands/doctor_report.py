"""What `realedit doctor` found, as a value that can be attached to a bug report: nothing in it names a person or a
folder."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from inversion.model import DiffusionModel
from realedit.commands.diagnostics import CheckResult
from realedit.settings import Settings

PACKAGES = "realedit", "torch", "diffusers", "transformers", "safetensors", "numpy"


def doctor_report(
    model: DiffusionModel, settings: Settings, results: Sequence[CheckResult], memory: int
) -> dict[str, Any]:
    """The machine, the model, every check with its numbers, the seconds in all, and the most `memory` in use, given in
    bytes."""
    return {
        "versions": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": _device(model.device),
        "model": public_name(model.name),
        "fingerprint": model.fingerprint,
        "texts": model.texts.kind,
        "unet": str(model.unet.dtype).removeprefix("torch."),
        "memory": model.parts.memory.value,
        "steps": settings.steps,
        "method": settings.method,
        "checks": [asdict(each) | {"said": without_places(each.said, model.name)} for each in results],
        "seconds": sum(each.seconds for each in results),
        "memory_gb": memory / 1e9,
    }


def public_name(name: str) -> str:
    """A model's name, if it is one that others know; else what it is, without where."""
    path = Path(name)
    return f"a {'folder' if path.is_dir() else 'file'}" if path.exists() else name


def without_places(said: str, model: str) -> str:
    """What was said, without the model's path and the user's folder."""
    return said.replace(model, public_name(model)).replace(str(Path.home()), "~")


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
