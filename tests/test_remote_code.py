"""No program that comes with a model is ever run: folders of every kind with one planted, and "y" to whatever is
asked."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from transformers import AutoConfig

from realedit.cli import main
from tests.test_broken_models import SAMPLER, configured
from tests.test_sam import sam

__all__ = ["sam"]  # the fixture

PROGRAM = """
from pathlib import Path
from transformers import PretrainedConfig

Path({mark!r}).touch()


class Config(PretrainedConfig):
    model_type = "planted"


class Thing(Config):
    pass
"""
NAMES = ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoImageProcessor", "AutoProcessor", "AutoFeatureExtractor")
MAP = {name: "planted.Config" if name == "AutoConfig" else "planted.Thing" for name in NAMES}

Plant = Callable[[Path, Path], object]


class Touch:
    """Touches a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def mapped(*files: str) -> Plant:
    """Configurations that name a program for whatever loads them."""

    def plant(folder: Path, mark: Path) -> None:
        for name in files:
            path = folder / name
            values = json.loads(path.read_text()) if path.is_file() else {"model_type": "planted"}
            path.write_text(json.dumps(values | {"auto_map": MAP}))

    return plant


def pickled(name: str, *instead: str) -> Plant:
    """A pickle that runs a program, instead of other files."""

    def plant(folder: Path, mark: Path) -> None:
        for other in instead:
            (folder / other).unlink()
        (folder / name).write_bytes(pickle.dumps({"weight": Touch(mark)}))

    return plant


def listed(**fields: object) -> Plant:
    return lambda folder, mark: configured("model_index.json", **fields)(folder)


UNET, TEXT = "unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"
MODELS: dict[str, Plant] = {
    "unet": mapped("unet/config.json"),
    "vae": mapped("vae/config.json"),
    "text encoder": mapped("text_encoder/config.json"),
    "tokenizer": mapped("tokenizer/tokenizer_config.json"),
    "tokenizer with a configuration": mapped("tokenizer/tokenizer_config.json", "tokenizer/config.json"),
    "scheduler": mapped(SAMPLER),
    "scheduler by name": lambda folder, mark: configured(SAMPLER, _class_name="planted.Thing")(folder),
    "index": mapped("model_index.json"),
    "pipeline": listed(_class_name=["planted", "Thing"]),
    "pipeline by name": listed(_class_name="Thing", custom_pipeline="planted"),
    "part": listed(unet=["planted", "Thing"]),
    "part under a known name": listed(unet=["planted", "UNet2DConditionModel"]),
    "tokenizer by name": listed(tokenizer=["planted", "Thing"]),
    "pickle as U-Net": pickled("unet/diffusion_pytorch_model.bin", UNET),
    "pickle as text encoder": pickled("text_encoder/pytorch_model.bin", TEXT),
    "pickle under another name": pickled(UNET),
    "pickle beside": pickled("unet/diffusion_pytorch_model.bin"),
    "adapter": lambda folder, mark: [
        (folder / "text_encoder" / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2})),
        pickled("text_encoder/adapter_model.bin")(folder, mark),
    ],
}
SEGMENTERS: dict[str, Plant] = {
    "configuration": lambda folder, mark: (folder / "config.json").write_text(
        json.dumps({"model_type": "planted", "auto_map": MAP, "architectures": ["Thing"]})
    ),
    "configuration of a SAM": mapped("config.json"),
    "processor": mapped("config.json", "processor_config.json", "preprocessor_config.json"),
    "image processor by name": lambda folder, mark: (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": "Thing", "processor_class": "Thing", "auto_map": MAP})
    ),
    "pickle": pickled("pytorch_model.bin", "model.safetensors"),
    "pickle under another name": pickled("model.safetensors"),
}


def planted(source: Path | str, tmp_path: Path, plant: Plant) -> tuple[Path, Path]:
    """A copy of a folder with a program everywhere, and the file that it touches when it runs."""
    folder, mark = tmp_path / "folder", tmp_path / "ran"
    shutil.copytree(source, folder)
    for place in [folder, *(path for path in folder.iterdir() if path.is_dir())]:
        for name in ("planted.py", "pipeline.py", "modeling_planted.py"):
            (place / name).write_text(PROGRAM.format(mark=str(mark)))
    plant(folder, mark)
    return folder, mark


def removed(tmp_path: Path, *options: object) -> str:
    """What the removal of a ball says to whom answers "y" to everything."""
    ball = ("ball", "--prompt", "a red ball", "--steps", "2", "--box", "0.2,0.2,0.6,0.6")
    return said_yes(tmp_path, "remove", *ball, *options)


def said_yes(tmp_path: Path, command: str, *options: object) -> str:
    """What a command says to whom answers "y" to everything."""
    Image.new("RGB", (64, 64), (90, 60, 30)).save(tmp_path / "photo.png")
    words = [command, tmp_path / "photo.png", *options, "--offline"]
    result = CliRunner().invoke(main, [str(word) for word in words], input="y\n" * 20)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "[y/N]" not in result.output
    return result.output


@pytest.mark.parametrize("name", MODELS)
def test_no_program_of_a_model_is_run(folders, tmp_path, name):
    folder, mark = planted(folders["epsilon"], tmp_path, MODELS[name])
    removed(tmp_path, "--model", folder)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["planted.ckpt", "planted.bin", "planted.pt", "planted.safetensors"])
def test_no_pickle_is_opened(tmp_path, name):
    pickled(name)(tmp_path, tmp_path / "ran")
    assert "realedit: " in removed(tmp_path, "--model", tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", SEGMENTERS)
def test_no_program_of_a_segmenter_is_run(sam, tmp_path, name):
    folder, mark = planted(sam[0], tmp_path, SEGMENTERS[name])
    said = said_yes(tmp_path, "mask", "--segmenter", folder, "--point", "0.4,0.4")
    assert not mark.exists()
    if name == "configuration":
        assert "it holds a program of its own, which is never run" in said


def test_no_program_of_a_segmenter_in_a_recipe_is_run(sam, tmp_path):
    folder, mark = planted(sam[0], tmp_path, SEGMENTERS["configuration"])
    Image.new("RGB", (64, 64), (90, 60, 30)).save(tmp_path / "photo.png")
    recipe = ['prompt = "a red ball"', "[[edit]]", 'kind = "remove"', 'object = "ball"']
    where = ["[where.ball]", "point = [0.4, 0.4]", f'segmenter = "{folder}"']
    (tmp_path / "edits.toml").write_text("\n".join([*recipe, *where]))
    command = ["edit", str(tmp_path / "photo.png"), "--recipe", str(tmp_path / "edits.toml"), "--offline"]
    result = CliRunner().invoke(main, command, input="y\n" * 20)
    assert result.exit_code == 3
    assert "it holds a program of its own, which is never run" in result.stderr
    assert not mark.exists()


def test_the_program_runs_where_it_is_trusted(sam, tmp_path):
    """So that the tests above can fail."""
    folder, mark = planted(sam[0], tmp_path, SEGMENTERS["configuration"])
    AutoConfig.from_pretrained(folder, trust_remote_code=True)
    assert mark.exists()
    mark.unlink()
    pickle.loads(pickle.dumps(Touch(mark)))
    assert mark.exists()
