"""Fingerprints of files: of every byte, and remembered only for as long as a file is the same."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inversion import fingerprints
from inversion.fingerprints import HASHES, fingerprint_of_files, hash_of_file
from inversion.loading import load_model


@pytest.fixture
def all_remembered(monkeypatch) -> None:
    """As if every file were large."""
    monkeypatch.setattr(fingerprints, "SOON_HASHED", 0)


@pytest.fixture
def weights(tmp_path) -> Path:
    """A file of a megabyte, as long as weights are in what matters: its middle is in no first or last 64 KiB."""
    path = tmp_path / "unet" / "model.safetensors"
    path.parent.mkdir()
    path.write_bytes(bytes(range(256)) * 4096)
    return path


def flipped(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("place", [0, 1, 70_000, 524_288, 1_048_575])
def test_every_bit_counts(weights, place):
    before = fingerprint_of_files([weights])
    assert len(before) == 16
    flipped(weights, place)
    assert fingerprint_of_files([weights]) != before
    flipped(weights, place)
    assert fingerprint_of_files([weights]) == before


def test_blocks_count_in_their_order(weights, monkeypatch):
    monkeypatch.setattr(fingerprints, "BLOCK", 1 << 10)
    before = hash_of_file(weights)
    data = weights.read_bytes()
    weights.write_bytes(b"\x01" * 1024 + data[1024:])
    first = hash_of_file(weights)
    weights.write_bytes(data[1024:2048] + b"\x01" * 1024 + data[2048:])
    assert len({before, first, hash_of_file(weights)}) == 3


def test_files_count_by_their_names_in_the_model_and_not_by_their_place(weights, tmp_path):
    moved = shutil.copytree(tmp_path / "unet", tmp_path / "elsewhere" / "unet") / weights.name
    assert fingerprint_of_files([moved]) == fingerprint_of_files([weights])
    other = shutil.copytree(tmp_path / "unet", tmp_path / "vae") / weights.name
    assert fingerprint_of_files([other]) != fingerprint_of_files([weights])
    assert fingerprint_of_files([weights, other]) == fingerprint_of_files([other, weights])


def remembered(tmp_path: Path) -> dict:
    return json.loads((tmp_path / "cache" / HASHES).read_text())


def test_a_file_is_hashed_once_and_again_when_it_changes(weights, tmp_path, all_remembered):
    before = fingerprint_of_files([weights])
    known = remembered(tmp_path)
    assert known[str(weights)][-1] == hash_of_file(weights)
    known[str(weights)][-1] = "what was remembered"
    (tmp_path / "cache" / HASHES).write_text(json.dumps(known))
    assert fingerprint_of_files([weights]) != before  # it is believed, so the file was not read
    times = weights.stat()
    flipped(weights, 524_288)
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))  # of the same size and time, as a copying tool sets it
    changed = fingerprint_of_files([weights])
    assert remembered(tmp_path)[str(weights)][-1] == hash_of_file(weights)
    flipped(weights, 524_288)
    assert fingerprint_of_files([weights]) == before != changed


def test_a_link_is_the_file_that_it_leads_to(weights, tmp_path, all_remembered):
    """As the hub's cache has them."""
    link = tmp_path / "snapshot" / "unet" / weights.name
    link.parent.mkdir(parents=True)
    link.symlink_to(weights)
    assert fingerprint_of_files([link]) == fingerprint_of_files([weights])
    assert list(remembered(tmp_path)) == [str(weights)]


def test_files_that_are_gone_are_forgotten(weights, tmp_path, all_remembered):
    fingerprint_of_files([weights])
    other = weights.with_name("other.safetensors")
    weights.rename(other)
    fingerprint_of_files([other])
    assert list(remembered(tmp_path)) == [str(other)]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [HASHES]


@pytest.mark.parametrize("spoil", ["rubbish", "list", "file"])
def test_a_cache_that_cannot_be_used_costs_time_alone(weights, tmp_path, all_remembered, spoil):
    before = fingerprint_of_files([weights])
    if spoil == "file":
        shutil.rmtree(tmp_path / "cache")
        (tmp_path / "cache").write_bytes(b"")
    else:
        (tmp_path / "cache" / HASHES).write_text({"rubbish": "{", "list": "[1, 2]"}[spoil])
    assert fingerprint_of_files([weights]) == before


def test_small_files_leave_nothing_in_the_cache(tmp_path, tabletop):
    """The bundled model is hashed as fast as a note is read."""
    load_model(device="cpu")
    assert not (tmp_path / "cache").exists()


def test_a_lora_merged_into_a_large_file_is_another_model(folders, tmp_path):
    """Into all attention weights, in a file whose first and last 64 KiB stay the same."""
    folder = shutil.copytree(folders["epsilon"], tmp_path / "m")
    before = load_model(str(folder), device="cpu").fingerprint
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors, old = load_file(path), path.read_bytes()
    merged = [name for name in tensors if ".attn" in name and name.endswith("weight")]
    for name in merged:
        down, up = torch.randn(2, tensors[name].shape[1]), torch.randn(tensors[name].shape[0], 2)
        tensors[name] += 0.01 * up @ down
    save_file(tensors, path, {"format": "pt"})
    assert path.stat().st_size == len(old)
    assert load_model(str(folder), device="cpu").fingerprint != before
    path.write_bytes(old)
    assert load_model(str(folder), device="cpu").fingerprint == before
