"""The files that recipes and sidecars name: kept inside their folder, found from elsewhere, and named before models are
loaded."""

import json
import os
import shutil
from pathlib import Path

import pytest

from inversion.errors import EditError
from realedit.files.captions import Prompt
from realedit.files.recipe import Recipe
from realedit.files.recipe_files import model_from, named_files, named_models, renamed, require_inside
from realedit.files.sidecar import SidecarOrigin
from realedit.generations import GlobalAppearance
from tests.test_cli import PHOTOS, error_line, run

RECIPE = Recipe.model_validate(
    {
        "edit": [
            {"kind": "transfer", "object": "cup", "from": "other.png"},
            {"kind": "insert", "from": "shop.png", "to": [0.5, 0.5]},
        ],
        "where": {"cup": {"mask": "cup.png"}},
        "photos": {"shop.png": {"where": {"around": "rough.png", "segmenter": "sams/small"}}},
        "behind": "fence.png",
        "fill": "lama.onnx",
    }
)


def test_every_file_and_model_is_known_and_renamed():
    assert set(named_files(RECIPE)) == {"other.png", "shop.png", "cup.png", "rough.png", "fence.png"}
    assert set(named_models(RECIPE)) == {"sams/small", "lama.onnx"}
    moved = renamed(RECIPE, lambda name: f"in/{name}", lambda name: f"models/{name}")
    assert set(named_files(moved)) == {f"in/{name}" for name in named_files(RECIPE)}
    assert set(named_models(moved)) == {f"models/{name}" for name in named_models(RECIPE)}
    assert moved.photos["in/shop.png"].where.around == "in/rough.png"
    assert renamed(moved, lambda name: name[3:], lambda name: name[7:]) == RECIPE
    whole = GlobalAppearance(photo="a.png", prompt="a cup")
    assert named_files(renamed(whole, lambda name: f"in/{name}", str)) == ("in/a.png",)


OUTSIDE = ("../secret.png", "/etc/hostname", "link.png", "to_outside/secret.png", "sub/../../secret.png", "told.png")


def test_names_stay_inside_the_folder_whatever_links_say(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.png").write_text("")
    (tmp_path / "secret.txt").write_text("a caption")
    os.symlink(tmp_path / "secret.png", folder / "link.png")
    os.symlink(tmp_path, folder / "to_outside")
    os.symlink(tmp_path / "secret.txt", folder / "told.txt")  # would be taken for the caption of told.png
    for name in OUTSIDE:
        with pytest.raises(EditError, match="outside its folder; give --allow-outside"):
            require_inside([name], folder, folder, "the recipe")
    os.symlink(folder, tmp_path / "way_in")
    require_inside(["a.png", "sub/b.png", "sub/../a.png", "a\0.png"], tmp_path / "way_in", folder, "the recipe")


def test_models_are_found_from_the_files_folder(tmp_path):
    (tmp_path / "sam").mkdir()
    assert model_from(tmp_path, "sam") == str(tmp_path / "sam")
    assert model_from(tmp_path, "facebook/sam") == "facebook/sam"


def test_a_sidecar_names_all_from_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    recipe = Recipe.model_validate(
        {"edit": [{"kind": "remove", "object": "cup"}], "where": {"cup": {"mask": str(tmp_path / "cup.png")}}}
    )
    made = SidecarOrigin(Path("a.png"), Path(), Path("out/a.png"), recipe, Prompt("a cup", "--prompt"))
    assert made.relative_recipe().where["cup"].mask == "../cup.png"
    assert made.relative_model("models/mine") == "../models/mine"
    assert made.relative_model(str(tmp_path / "out")) == "./."
    assert made.relative_model("owner/name") == "owner/name"
    assert made.relative_model("tabletop") == "tabletop"


@pytest.fixture
def drawn(folders, tmp_path, monkeypatch) -> Path:
    """A picture drawn with a model that was named from another folder."""
    shutil.copytree(folders["epsilon"], tmp_path / "models" / "mine")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "models")
    run("generate", "--prompt", "a red ball", "--model", "mine", "--steps", "2", "-o", "../out/a.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out" / "a.png"


def test_redo_finds_a_model_from_another_folder_and_names_it(drawn, tmp_path):
    sidecar = (tmp_path / "out" / "a.png.realedit.json").read_text()
    assert json.loads(sidecar)["model"] == "../models/mine"
    assert str(tmp_path) not in sidecar
    said = run("redo", "out/a.png", "--offline", "-q").stderr
    assert said == "realedit: the sidecar asks for the model models/mine\n"
    assert "is the input" in error_line_of_redo(drawn, "-o", drawn, "--force")
    (tmp_path / "models").rename(tmp_path / "elsewhere")
    moved = run("redo", drawn, "--model", "elsewhere/mine", "--force").stderr
    assert "the same pixels" in moved
    assert "asks for" not in moved


def error_line_of_redo(*args: object, code: int = 1) -> str:
    (line,) = [
        line
        for line in run("redo", *args, code=code).stderr.splitlines()
        if "asks for" not in line and not line.endswith(" ...")
    ]
    return line


def test_a_sidecar_reads_nothing_elsewhere_unless_that_is_allowed(folders, tmp_path):
    shutil.copy(PHOTOS / "03.png", tmp_path / "photo.png")
    out = tmp_path / "out"
    out.mkdir()
    marked = ["thing", "--box", "0.3,0.4,0.5,0.7", "--as", "green thing", "--model", folders["epsilon"]]
    run("restyle", tmp_path / "photo.png", *marked, "--keep-going", "-o", out / "a.png")
    line = error_line_of_redo(out / "a.png", code=2)
    assert "../photo.png, which lies outside its folder; say where it is with --photo, or give --allow-outside" in line
    for way in (["--photo", tmp_path / "photo.png"], ["--allow-outside", "--force"]):
        assert "the same pixels" in run("redo", out / "a.png", *way).stderr


def test_a_recipe_reads_nothing_elsewhere_unless_that_is_allowed(tmp_path):
    shutil.copy(PHOTOS / "03.png", tmp_path / "photo.png")
    folder = tmp_path / "recipes"
    folder.mkdir()
    path = folder / "edits.toml"
    path.write_text('edit = [{ kind = "remove", object = "egg" }]\n[where.egg]\nmask = "../mask.png"\n')
    line = error_line(run("edit", tmp_path / "photo.png", "--recipe", path, code=2))
    assert "mask.png, which lies outside its folder; give --allow-outside" in line
    allowed = run("edit", tmp_path / "photo.png", "--recipe", path, "--allow-outside", code=1)
    assert "mask.png does not exist" in error_line(allowed)


def test_models_of_a_recipe_are_named_before_anything_is_fetched(tmp_path):
    shutil.copy(PHOTOS / "03.png", tmp_path / "photo.png")
    path = tmp_path / "edits.toml"
    path.write_text(
        'fill = "a/b"\nedit = [{ kind = "remove", object = "egg" }]\n[where.egg]\nbox = [0.3, 0.4, 0.5, 0.7]\n'
    )
    said = run("edit", tmp_path / "photo.png", "--recipe", path, "--offline", "-q", code=3).stderr.splitlines()
    assert said[0] == "realedit: the recipe asks for the model that fills old places a/b"
    assert "could not be fetched (--offline)" in said[1]
