"""Models on the Hugging Face hub: which of their files are needed, and how they get into the hub's cache."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from inversion.errors import ModelError, Notice, first_line
from inversion.families import ModelFamily, family_of
from inversion.weights import ModelSource, check_variant, variant_of, weights_in

INDEX = "model_index.json"


def wanted_files(sizes: Mapping[str, int], family: ModelFamily, source: ModelSource) -> list[str]:
    """Those of a model's files that are loaded: configurations, tokenizers, and one variant of the weights of every
    part. `sizes`: the bytes of every file, by its path in the repository.

    Raises:
        ModelError: a part has no usable weights, or no part has the variant that was asked for.
    """
    wanted, found = [INDEX], []
    folders: dict[str, list[str]] = {}
    for name in sizes:
        folder = PurePosixPath(name).parent.as_posix()
        folders.setdefault(folder, []).append(PurePosixPath(name).name)
    for part in family.with_weights:
        files = folders.get(part, [])
        variant = variant_of(files, source, part)
        found.append(variant)
        wanted += [f"{part}/{name}" for name in ("config.json", *weights_in(files, variant)) if name in files]
    for part in ("scheduler", *family.tokenizers):
        wanted += [f"{part}/{name}" for name in folders.get(part, []) if name.endswith((".json", ".txt"))]
    check_variant(found, source)
    return wanted


def fetch(source: ModelSource) -> Path:
    """The folder of a hub model in the hub's own cache; what is missing there is downloaded first, unless the source
    is offline.

    Raises:
        ModelError: it is not in the cache and cannot be downloaded, or belongs to no supported family.
    """
    _stay_quiet()
    if source.offline:
        return kept(source)
    try:
        return _fetched(source)
    except ModelError:
        raise
    except Exception as error:  # the hub library raises many unrelated types when it cannot reach a model
        try:
            return kept(source)
        except ModelError as missing:
            raise ModelError(f"{missing} ({type(error).__name__}: {first_line(error)})") from error


def kept(source: ModelSource) -> Path:
    """The folder of a hub model in the hub's own cache, which may lack files; loading it then fails.

    Raises:
        ModelError: it is not in the cache.
    """
    from huggingface_hub import constants

    found = _in_cache(source.name, INDEX, source.revision)
    if found is not None:
        return found.parent
    at = f' at revision "{source.revision}"' if source.revision else ""
    raise ModelError(
        f'model "{source.name}"{at} is not in {constants.HF_HUB_CACHE} and could not be fetched'
        + (" (--offline)" if source.offline else "")
        + f"; with a network: hf download {source.name}; or give a folder with --model"
    )


def _fetched(source: ModelSource) -> Path:
    from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download

    info = HfApi().model_info(source.name, revision=source.revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    if INDEX not in sizes:
        raise ModelError(f'"{source.name}" is not a model in the diffusers layout: it has no {INDEX}')
    index = json.loads(Path(hf_hub_download(source.name, INDEX, revision=source.revision)).read_text())
    files = wanted_files(sizes, family_of(index, source.name), source)
    total = sum(sizes[name] for name in files)
    missing = total - sum(sizes[name] for name in files if _in_cache(source.name, name, info.sha))
    if missing:
        warnings.warn(
            Notice(f"fetching {source.name}: {missing / 1e9:.2f} GB into {constants.HF_HUB_CACHE}"), stacklevel=2
        )
    return Path(snapshot_download(source.name, revision=source.revision, allow_patterns=files))


def fetch_configuration(name: str, offline: bool) -> Path:
    """The folder with the configurations and tokenizers of the hub model `name`, without its weights. `offline`: take
    them from the hub's cache alone.

    Raises:
        ModelError: they are not in the cache and cannot be downloaded.
    """
    from huggingface_hub import snapshot_download

    _stay_quiet()
    found = _in_cache(name, INDEX, None)
    if offline and found is not None:
        return found.parent
    patterns = ["*.json", "*/*.json", "*/*.txt"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, local_files_only=offline))
    except Exception as error:
        raise ModelError(
            f'a single file holds weights alone, and its configuration, that of "{name}", is not on this machine '
            f"and could not be fetched ({type(error).__name__}); with a network: hf download {name} --include "
            '"*.json" "*/*.json" "*/*.txt"'
        ) from error


def _in_cache(name: str, file: str, revision: str | None) -> Path | None:
    """The path of a model's `file` in the hub's cache; None if it is not there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(name, file, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _stay_quiet() -> None:
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
