"""Tiny random models of every family, saved in diffusers' layout, and the bundled one, for all tests.

What is heavy is imported where it is used: the process that hands tests to its workers imports this too, before they
start."""

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

# A thread for each process: tests run in several at once, and small tensors on many threads crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from realedit.cli import COLLECTED_FROM

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    from inversion.model import DiffusionModel


def pytest_configure():
    gc.set_threshold(*COLLECTED_FROM)


def pytest_collection_finish():
    """What was imported for tests stays: nothing there is garbage."""
    gc.freeze()


def __getattr__(name: str) -> object:
    """What tests import from here of the tiny models."""
    if name not in ("CAPTIONS", "PROMPT", "random_latent") and not name.startswith("tiny_"):
        raise AttributeError(name)
    from tests import tiny_models

    return getattr(tiny_models, name)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """As with `OMP_NUM_THREADS`."""
    import cv2

    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def pipelines() -> "dict[str, StableDiffusionPipeline | StableDiffusionXLPipeline]":
    from tests.tiny_models import tiny_pipelines

    return tiny_pipelines()


@pytest.fixture(scope="session")
def folders(pipelines, tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    for name, pipe in pipelines.items():
        pipe.save_pretrained(root / name)
    return {name: root / name for name in pipelines}


@pytest.fixture(scope="session", params=["epsilon", "v_prediction", "xl"])
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def tiny(kind, folders) -> "DiffusionModel":
    """A tiny model of every kind in turn, loaded as a user's would be."""
    from inversion.loading import load_model

    return load_model(str(folders[kind]), device="cpu")


@pytest.fixture(scope="session")
def pipe(kind, folders, pipelines) -> "StableDiffusionPipeline | StableDiffusionXLPipeline":
    """The same model as diffusers itself loads it. Out of the same files, since a processor may round otherwise
    where weights lie otherwise in memory."""
    loaded = type(pipelines[kind]).from_pretrained(folders[kind])
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture(scope="session")
def model(folders) -> "DiffusionModel":
    """The tiny epsilon model, for what does not depend on the kind."""
    from inversion.loading import load_model

    return load_model(str(folders["epsilon"]), device="cpu")


@pytest.fixture(scope="session")
def tabletop() -> "DiffusionModel":
    from inversion.loading import load_model

    return load_model(device="cpu")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def shared_cache(_own_cache, tmp_path_factory, monkeypatch):
    """A cache that tests have in common: a photo that several of them edit is inverted once."""
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path_factory.getbasetemp() / "shared-cache"))


@pytest.fixture
def plain(tmp_path) -> Path:
    """A photo that the bundled model does not know: marked, its disc is edited without inversion."""
    from realedit.files.writing import save_photo
    from tests.plain_scene import scene

    save_photo(scene(), tmp_path / "plain.png")
    return tmp_path / "plain.png"
