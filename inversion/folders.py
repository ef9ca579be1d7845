"""What the folder of a model in the diffusers layout says of it before any of its networks is loaded."""

import json
from pathlib import Path
from typing import Any

from inversion import hub
from inversion.errors import ModelError
from inversion.families import SUPPORTED, ModelFamily, check_unet, family_of, is_unconditional
from inversion.file_types import check_head, what_folder
from inversion.fingerprints import fingerprint_of_files
from inversion.parts import Sizes
from inversion.weights import ModelSource, check_variant, variant_of, weights_in


def fingerprint_of_folder(folder: Path, source: ModelSource) -> str:
    """What identifies a model in the diffusers layout by the files of its folder; nothing of it is loaded.

    Raises:
        ModelError: it belongs to no supported family, or lacks the variant that was asked for.
    """
    family = family_of(read_configuration(folder / hub.INDEX, source.name), source.name)
    chosen = chosen_weights(folder, source, family)
    return fingerprint_of_files([path for _, paths in chosen.values() for path in paths] + configuration_files(folder))


def sizes_in(folder: Path, name: str) -> Sizes | None:
    """Those of a model in the diffusers layout, None where its configuration leaves any to its networks; `name` is what
    messages call it.

    Raises:
        ModelError: its configuration is damaged, or it belongs to no supported family.
    """
    index = read_configuration(folder / hub.INDEX, name)
    if is_unconditional(index):
        return None
    family = family_of(index, name)
    unet, vae = (read_configuration(folder / part / "config.json", name) for part in ("unet", "vae"))
    check_unet(unet, vae, family, name)
    return Sizes.of(unet, vae) if Sizes.told_by(unet, vae) else None


def chosen_weights(folder: Path, source: ModelSource, family: ModelFamily) -> dict[str, tuple[str | None, list[Path]]]:
    """For every part with weights, the variant that is loaded and its files.

    Raises:
        ModelError: there are none, or none of the variant that was asked for.
    """
    chosen = {}
    for part in family.with_weights:
        names = [p.name for p in (folder / part).glob("*") if p.is_file()]
        variant = variant_of(names, source, part)
        chosen[part] = variant, [folder / part / name for name in weights_in(names, variant)]
    check_variant([variant for variant, _ in chosen.values()], source)
    return chosen


def configuration_files(folder: Path) -> list[Path]:
    """The files of a folder that define a model beside its weights: its index, and the configurations of its networks,
    its sampler and its tokenizers."""
    parts = [p for p in folder.glob("*/*") if p.suffix in (".json", ".txt") and ".index." not in p.name]
    return [folder / hub.INDEX, *parts]


def read_configuration(path: Path, name: str) -> dict[str, Any]:
    """A configuration as a dictionary.

    Raises:
        ModelError: it is not there, or damaged.
    """
    if not path.is_file():
        what = what_folder(path.parent) if path.name == hub.INDEX and path.parent.is_dir() else None
        if what is not None:
            raise ModelError(f'"{name}" is {what}; {SUPPORTED}')
        raise ModelError(f'"{name}" is not a model in the diffusers layout: {path.name} is missing in {path.parent}')
    check_head(path, name)
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ModelError(f'"{name}": {path} is not readable as JSON; fetch the model again') from error
