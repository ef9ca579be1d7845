"""Models of a hub: a real one, which this machine serves to itself."""

import warnings

import pytest
from huggingface_hub import constants

from inversion.errors import ModelError
from inversion.families import ModelFamily
from inversion.hub import wanted_files
from inversion.loading import load_model
from inversion.weights import ModelSource
from tests.local_hub import NOBODY, serving, set_address


@pytest.fixture
def home(hub, tmp_path, monkeypatch):
    """The hub's cache, which is this test's own; it is filled from the hub that this machine serves."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    set_address(monkeypatch, hub.url)
    return tmp_path / "hub"


def load(*each: dict) -> tuple[list[str], str]:
    """A line for each load, and what was said besides."""
    lines = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for options in each:
            try:
                lines.append(load_model("me/tiny", device="cpu", **options).fingerprint)
            except ModelError as error:
                lines.append(f"error: {error}")
    return lines, "\n".join(str(warning.message) for warning in said)


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


def test_fetched_once_and_then_found_without_a_network(hub, home, monkeypatch):
    """What is fetched is said before, into which folder and how much; only what is loaded is fetched."""
    already = len(hub.asked)
    first, said = load({}, {})
    assert first[0] == first[1]
    assert said.count(f"fetching me/tiny: 0.00 GB into {home}") == 1
    fetched = {path.rsplit("/", 1)[-1] for path in hub.asked[already:] if "/resolve/" in path}
    assert "diffusion_pytorch_model.safetensors" in fetched
    assert not any(name.endswith((".bin", ".png")) or "fp16" in name for name in fetched)
    assert not any("safety_checker" in path for path in hub.asked[already:])
    asked = len(hub.asked)
    assert load({"offline": True})[0] == first[:1]
    assert len(hub.asked) == asked  # nobody was asked
    set_address(monkeypatch, NOBODY)
    assert load({})[0] == first[:1]


def test_a_revision_is_kept_under_its_name_and_its_commit(hub, home):
    commit = hub.commit("v2")
    found, _ = load({"revision": "v2"}, {"revision": commit, "offline": True}, {"offline": True})
    assert found[0] == found[1]
    assert 'error: model "me/tiny" is not in' in found[2]  # the main one was never fetched


def test_a_variant_alone_is_fetched(hub, home):
    asked = len(hub.asked)
    assert "error" not in load({"variant": "fp16"})[0][0]
    weights = {p.rsplit("/", 1)[-1] for p in hub.asked[asked:] if p.endswith(".safetensors")}
    assert weights == {"diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors"}


def test_what_is_not_there_is_said(home):
    offline, revision, variant = load({"offline": True}, {"revision": "v3"}, {"variant": "ema"})[0]
    assert f'error: model "me/tiny" is not in {home} and could not be fetched (--offline)' in offline
    assert 'error: model "me/tiny" at revision "v3" is not in' in revision
    assert 'no weights of variant "ema"; it has: plain ones' in variant


def test_a_cut_off_cache_is_said(home):
    """A download that stopped between two files."""
    load({})
    (path,) = home.glob("models--me--tiny/snapshots/*/unet/diffusion_pytorch_model.safetensors")
    path.unlink()
    offline, online = load({"offline": True}, {})[0]
    assert offline == 'error: "me/tiny" has no weights of its unet; fetch the model again'
    assert "error" not in online  # with a network it is made whole


def test_only_pickles_are_refused_before_they_are_fetched():
    sizes = dict.fromkeys(("unet/config.json", "unet/diffusion_pytorch_model.bin", "vae/config.json"), 1)
    with pytest.raises(ModelError, match="can run any program"):
        wanted_files(sizes, ModelFamily.ONE_TEXT, ModelSource("me/tiny"))


def test_a_sharded_variant_is_fetched_whole():
    unet = [f"diffusion_pytorch_model.fp16-0000{k}-of-00002.safetensors" for k in (1, 2)]
    names = ["model.safetensors", "model.fp16.safetensors"]
    sizes = {f"unet/{name}": 1 for name in [*unet, "diffusion_pytorch_model.safetensors.index.fp16.json", *names]}
    sizes |= {f"{part}/{name}": 1 for part in ("vae", "text_encoder") for name in names}
    wanted = wanted_files(sizes, ModelFamily.ONE_TEXT, ModelSource("me/tiny", variant="fp16"))
    assert {f"unet/{name}" for name in unet} < set(wanted)
    assert "unet/diffusion_pytorch_model.safetensors.index.fp16.json" in wanted
    assert not any(name.endswith("/model.safetensors") for name in wanted)
