"""Models that fill holes, by their ids on a hub: a real one, which this machine serves to itself."""

import functools

import pytest
from huggingface_hub import constants

from inversion.errors import ModelError
from realedit.inpainting.filler import load_filler, parse_fill
from tests.local_hub import NOBODY, serving, set_address
from tests.test_filler import COLOUR, lama_file
from tests.tiny_inpainting import tiny_inpainting_pipeline


@pytest.fixture(scope="module")
def hub(pipelines, folders, tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    tiny_inpainting_pipeline(pipelines["epsilon"]).save_pretrained(root / "inpainting")
    for name in ("lama", "text"):
        (root / name).mkdir()
    (root / "text" / "README.md").write_text("nothing else")
    for name in ("lama.onnx", "lama_fp32.onnx"):
        lama_file(root / "lama" / name, COLOUR)
    models = {f"me/{name}": {"main": root / name} for name in ("inpainting", "lama", "text")}
    with serving(models | {"me/tiny": {"main": folders["epsilon"]}}) as served:
        yield served


@pytest.fixture
def address(hub, tmp_path, monkeypatch):
    """Sets the address of the hub; the cache is this test's own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    set_address(monkeypatch, hub.url)
    return functools.partial(set_address, monkeypatch)


def load(name, offline=False):
    return load_filler(parse_fill(name), "cpu", offline=offline).name


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("me/lama", "LaMa (lama_fp32.onnx)"),
        ("me/lama/lama.onnx", "LaMa (lama.onnx)"),
        ("me/inpainting", "inpainting model me/inpainting"),
    ],
)
def test_kinds_are_told_fetched_once_and_found_without_a_network(hub, address, name, wanted):
    with pytest.raises(ModelError, match=r"could not be fetched \(--offline\)"):
        load(name, offline=True)
    address(NOBODY)
    with pytest.raises(ModelError, match=r"could not be fetched; .* or give a folder with --fill \(\w+: .*\)") as error:
        load(name)
    assert error.value.exit_code == 3
    assert "\n" not in str(error.value)
    address(hub.url)
    assert load(name) == wanted
    asked = len(hub.asked)
    assert load(name, offline=True) == wanted
    assert len(hub.asked) == asked  # nobody was asked
    address(NOBODY)
    assert load(name) == wanted


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("me/tiny", '--fill "me/tiny" is a text-to-image model, whose U-Net takes 4 channels and not 9'),
        ("me/text", '--fill "me/text" has neither a model_index.json'),
        ("me/unknown", 'model "me/unknown" is not in'),
        ("me/lama/small.onnx", '"me/lama" has no small.onnx on the hub'),
    ],
)
def test_what_fills_no_holes_is_refused_before_it_is_fetched(hub, address, name, said):
    asked = len(hub.asked)
    with pytest.raises(ModelError) as error:
        load(name)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert not any(path.endswith((".safetensors", ".onnx")) for path in hub.asked[asked:])
