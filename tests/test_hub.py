"""Models of a hub: a real one, which this machine serves to itself."""

import os
import subprocess
import sys

import pytest

from inversion.errors import ModelError
from inversion.families import Family
from inversion.hub import wanted_files
from inversion.weights import Source
from tests.local_hub import LocalHub, serving

CODE = """
import sys
from inversion.errors import ModelError
from inversion.loading import load_model
try:
    print(load_model("me/tiny", device="cpu", **eval(sys.argv[1])).fingerprint)
except ModelError as error:
    sys.exit(f"error: {error}")
"""


def load(hub: LocalHub, home, **options) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's address is read when its library is first imported."""
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "PYTHONWARNINGS": "default"}
    return subprocess.run([sys.executable, "-c", CODE, repr(options)], env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def hub(pipelines, folders, tmp_path_factory):
    """One model with two revisions of its weights, beside a pickle, a preview and a safety checker."""
    two = tmp_path_factory.mktemp("two") / "m"
    pipelines["epsilon"].save_pretrained(two)
    pipelines["epsilon"].save_pretrained(two, variant="fp16")
    for name in ("unet/diffusion_pytorch_model.bin", "preview.png", "safety_checker/model.safetensors"):
        (two / name).parent.mkdir(exist_ok=True)
        (two / name).write_bytes(b"not needed")
    with serving({"me/tiny": {"main": two, "v2": folders["v_prediction"]}}) as served:
        yield served


def test_fetched_once_and_then_found_without_a_network(hub, tmp_path):
    """What is fetched is said before, into which folder and how much; only what is loaded is fetched."""
    first = load(hub, tmp_path)
    assert first.returncode == 0, first.stderr
    assert f"fetching me/tiny: 0.00 GB into {tmp_path / 'hub'}" in first.stderr
    fetched = {path.rsplit("/", 1)[-1] for path in hub.asked if "/resolve/" in path}
    assert "diffusion_pytorch_model.safetensors" in fetched
    assert not any(name.endswith((".bin", ".png")) or "fp16" in name for name in fetched)
    assert not any("safety_checker" in path for path in hub.asked)

    asked = len(hub.asked)
    again = load(hub, tmp_path, offline=True)
    assert again.stdout == first.stdout
    assert len(hub.asked) == asked  # nobody was asked

    there = load(hub, tmp_path)
    assert "fetching" not in there.stderr
    gone = LocalHub({})
    gone.url = "http://127.0.0.1:9"  # nobody listens there
    assert load(gone, tmp_path).stdout == first.stdout


def test_a_revision_is_another_model_and_is_kept_under_its_name(hub, tmp_path):
    main, v2 = load(hub, tmp_path), load(hub, tmp_path, revision="v2")
    commit = load(hub, tmp_path, revision=hub.commit("v2"), offline=True)
    assert main.stdout != v2.stdout == commit.stdout
    assert load(hub, tmp_path, revision="v2", offline=True).stdout == v2.stdout


def test_a_variant_alone_is_fetched(hub, tmp_path):
    asked = len(hub.asked)
    assert load(hub, tmp_path, variant="fp16").returncode == 0
    weights = {p.rsplit("/", 1)[-1] for p in hub.asked[asked:] if p.endswith(".safetensors")}
    assert weights == {"diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"offline": True}, 'model "me/tiny" is not in {home}/hub and could not be fetched (--offline)'),
        ({"revision": "v3"}, 'model "me/tiny" at revision "v3" is not in'),
        ({"variant": "ema"}, 'no weights of variant "ema"'),
    ],
)
def test_what_is_not_there_is_said(hub, tmp_path, options, said):
    found = load(hub, tmp_path, **options)
    assert found.returncode == 1
    assert said.format(home=tmp_path) in found.stderr
    assert "Traceback" not in found.stderr


def test_a_cut_off_cache_is_said(hub, tmp_path):
    """A download that stopped between two files."""
    assert load(hub, tmp_path).returncode == 0
    (path,) = (tmp_path / "hub").glob("models--me--tiny/snapshots/*/unet/diffusion_pytorch_model.safetensors")
    path.unlink()
    found = load(hub, tmp_path, offline=True)
    assert 'error: "me/tiny" has no weights of its unet; fetch the model again' in found.stderr
    assert load(hub, tmp_path).returncode == 0  # with a network it is made whole


def test_only_pickles_are_refused_before_they_are_fetched():
    sizes = dict.fromkeys(("unet/config.json", "unet/diffusion_pytorch_model.bin", "vae/config.json"), 1)
    with pytest.raises(ModelError, match="can run any program"):
        wanted_files(sizes, Family.ONE_TEXT, Source("me/tiny"))


def test_a_sharded_variant_is_fetched_whole():
    unet = [f"diffusion_pytorch_model.fp16-0000{k}-of-00002.safetensors" for k in (1, 2)]
    names = ["model.safetensors", "model.fp16.safetensors"]
    sizes = {f"unet/{name}": 1 for name in [*unet, "diffusion_pytorch_model.safetensors.index.fp16.json", *names]}
    sizes |= {f"{part}/{name}": 1 for part in ("vae", "text_encoder") for name in names}
    wanted = wanted_files(sizes, Family.ONE_TEXT, Source("me/tiny", variant="fp16"))
    assert {f"unet/{name}" for name in unet} < set(wanted)
    assert "unet/diffusion_pytorch_model.safetensors.index.fp16.json" in wanted
    assert not any(name.endswith("/model.safetensors") for name in wanted)
