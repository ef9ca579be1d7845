"""What identifies a model: a hash of every tensor, and of whatever else acts, such as the scales of LoRA weights."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inversion.cache_folder import HASHES, cache_folder

DIGITS = 16  # of a fingerprint, hexadecimal
BLOCK = 1 << 23  # bytes that are hashed at once
AT_ONCE = 8  # blocks or tensors that are read and hashed in parallel, at most
SOON_HASHED = 1 << 26  # bytes: the hash of a smaller file is not worth remembering


def fingerprint_of_files(files: Iterable[Path]) -> str:
    """A hash of every file's folder, name and bytes. That of a large file is remembered in the cache folder for as long
    as its size and times stay the same."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.parent.name}/{path.name} {_remembered(path)}\n".encode())
    return digest.hexdigest()[:DIGITS]


def _remembered(path: Path) -> str:
    """The hash of a file, computed once."""
    path = path.resolve()
    status = path.stat()
    if status.st_size < SOON_HASHED:
        return hash_of_file(path)
    now = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    known = _read_hashes().get(str(path))
    if isinstance(known, list) and known[:-1] == now:
        return str(known[-1])
    found = hash_of_file(path)
    _write_hashes(_read_hashes() | {str(path): [*now, found]})
    return found


def _read_hashes() -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return dict(json.loads((cache_folder() / HASHES).read_text(encoding="utf-8")))
    return {}


def _write_hashes(hashes: Mapping[str, Any]) -> None:
    """Remember hashes, whole or not at all; where that cannot be, they are computed again next time."""
    kept = {path: value for path, value in hashes.items() if os.path.exists(path)}
    folder = cache_folder()
    part = folder / f"{HASHES}.{os.getpid()}.part"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(json.dumps(kept), encoding="utf-8")
            os.replace(part, folder / HASHES)
        finally:
            part.unlink(missing_ok=True)


def hash_of_file(path: Path) -> str:
    """The hash of a file's bytes: of the hashes of its blocks."""

    def block(start: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(BLOCK)

    size = path.stat().st_size
    return _hash_of(lambda k: block(k * BLOCK), range(-(-size // BLOCK)))


def _hash_of(read: Callable[[Any], Any], keys: Iterable[Any]) -> str:
    """The hash of the hashes of what is read for every key, in order."""
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:  # hashing leaves Python's lock
        parts = pool.map(lambda key: hashlib.sha256(read(key)).digest(), keys)
        return hashlib.sha256(b"".join(parts)).hexdigest()


def fingerprint_of_networks(networks: Mapping[str, nn.Module], beside: Any) -> str:
    """A hash of networks in memory by their names: of the name, type, shape and bytes of every tensor, and of all that
    acts beside them; and of what else a model is made of, `beside` them, in values that JSON has."""
    digest = hashlib.sha256(json.dumps(beside, sort_keys=True, default=str).encode())
    for what, network in networks.items():
        tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
        said = [f"{name} {tensor.dtype} {tuple(tensor.shape)}" for name, tensor in tensors.items()]
        digest.update(json.dumps([what, said, acting_state(network)], sort_keys=True).encode())
        digest.update(_hash_of(_bytes_of, tensors.values()).encode())
    return digest.hexdigest()[:DIGITS]


def _bytes_of(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().cpu().reshape(-1).view(torch.uint8).numpy()


BESIDE = frozenset({"training", "gradient_checkpointing", "_name_or_path"})  # changes no output


def acting_state(network: nn.Module) -> dict[str, dict[str, Any]]:
    """What modules hold beside tensors and other modules and is not empty, by their names: numbers, words, and lists
    and tables of them. So scales and names of active adapters are there, FreeU's factors, slicing and the kind of
    attention; whatever adds to a network keeps there how it acts."""
    found = {}
    for name, module in network.named_modules():
        values = {key: _plain(value) for key, value in vars(module).items() if key not in BESIDE}
        values["class"] = type(module).__name__
        processor = getattr(module, "processor", None)
        if processor is not None:
            values["processor"] = [type(processor).__name__, _plain(vars(processor))]
        found[name] = {key: value for key, value in values.items() if value}
    return found


def _plain(value: Any) -> Any:
    """Numbers and words, and tables and lists of them, as JSON has them; None for anything else."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        plain = {str(key): _plain(each) for key, each in value.items() if key not in BESIDE}
        return {key: each for key, each in plain.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else None
