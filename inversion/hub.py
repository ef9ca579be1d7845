"""Models on the Hugging Face hub: which of their files are needed, and how they get into the hub's cache."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from inversion.errors import ModelError, Notice, first_line
from inversion.families import ModelFamily, family_of
from inversion.weights import ModelSource, check_variant, variant_of, weights_in

INDEX = "model_index.json"
UNANNOUNCED = 1_000_000  # bytes: a single file below this is fetched without a word

Found = TypeVar("Found")


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
    return _online_or_kept(source, _fetched, kept)


def file_names(source: ModelSource) -> list[str]:
    """The files of a hub model by their paths in its repository: all of them as the hub lists them, or those in its
    cache, if the source is offline or the hub cannot be reached.

    Raises:
        ModelError: neither is to be had.
    """
    return _online_or_kept(source, lambda source: list(_listed(source)[0]), _kept_names)


def fetch_file(source: ModelSource, name: str) -> Path:
    """One file of a hub model, `name` in its repository, in the hub's own cache; downloaded first where it is missing,
    unless the source is offline.

    Raises:
        ModelError: it is not in the cache and cannot be downloaded.
    """

    def fetched(source: ModelSource) -> Path:
        from huggingface_hub import hf_hub_download

        sizes, commit = _listed(source)
        if name not in sizes:
            raise ModelError(f'"{source.name}" has no {name} on the hub')
        if sizes[name] >= UNANNOUNCED:
            _announce(source, {name: sizes[name]}, commit)
        return Path(hf_hub_download(source.name, name, revision=source.revision))

    def in_cache(source: ModelSource) -> Path:
        found = _in_cache(source.name, name, source.revision)
        if found is None:
            raise _not_here(source)
        return found

    return _online_or_kept(source, fetched, in_cache)


def _online_or_kept(
    source: ModelSource, online: Callable[[ModelSource], Found], cached: Callable[[ModelSource], Found]
) -> Found:
    """What the hub says, or what its cache does, if the source is offline or the hub cannot be reached."""
    _stay_quiet()
    if source.offline:
        return cached(source)
    try:
        return online(source)
    except ModelError:
        raise
    except Exception as error:  # the hub library raises many unrelated types when it cannot reach a model
        try:
            return cached(source)
        except ModelError as missing:
            raise ModelError(f"{missing} ({type(error).__name__}: {first_line(error)})") from error


def kept(source: ModelSource) -> Path:
    """The folder of a hub model in the hub's own cache, which may lack files; loading it then fails.

    Raises:
        ModelError: it is not in the cache.
    """
    found = _in_cache(source.name, INDEX, source.revision)
    if found is None:
        raise _not_here(source)
    return found.parent


def _kept_names(source: ModelSource) -> list[str]:
    """The files of a hub model that are in the hub's cache, by their paths in its repository."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    repository = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=source.name, repo_type="model")
    reference = repository / "refs" / (source.revision or "main")
    commit = reference.read_text() if reference.is_file() else source.revision or "main"
    folder = repository / "snapshots" / commit
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    if not names:
        raise _not_here(source)
    return sorted(names)


def _not_here(source: ModelSource) -> ModelError:
    from huggingface_hub import constants

    at = f' at revision "{source.revision}"' if source.revision else ""
    return ModelError(
        f'model "{source.name}"{at} is not in {constants.HF_HUB_CACHE} and could not be fetched'
        + (" (--offline)" if source.offline else "")
        + f"; with a network: hf download {source.name}; or give a folder with {source.option}"
    )


def _listed(source: ModelSource) -> tuple[dict[str, int], str | None]:
    """The bytes of every file of a model on the hub, by its path in the repository, and the commit."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(source.name, revision=source.revision, files_metadata=True)
    return {file.rfilename: file.size or 0 for file in info.siblings or ()}, info.sha


def _announce(source: ModelSource, sizes: Mapping[str, int], commit: str | None) -> None:
    """Say how much of these files, whose bytes are given by their names, is still to be fetched, and where it goes."""
    from huggingface_hub import constants

    missing = sum(size for name, size in sizes.items() if not _in_cache(source.name, name, commit))
    if missing:
        warnings.warn(
            Notice(f"fetching {source.name}: {missing / 1e9:.2f} GB into {constants.HF_HUB_CACHE}"), stacklevel=2
        )


def _fetched(source: ModelSource) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download

    sizes, commit = _listed(source)
    if INDEX not in sizes:
        raise ModelError(f'"{source.name}" is not a model in the diffusers layout: it has no {INDEX}')
    index = json.loads(Path(hf_hub_download(source.name, INDEX, revision=source.revision)).read_text())
    files = wanted_files(sizes, family_of(index, source.name), source)
    _announce(source, {name: sizes[name] for name in files}, commit)
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
