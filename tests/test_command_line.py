"""A recipe as a command and as a file: both are read as the same recipe."""

import shlex
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter

from realedit.cli import main
from realedit.commands import generation_batch, one_edit
from realedit.files.reading import PhotoFile
from realedit.files.recipe import Recipe
from realedit.files.recipe_text import recipe_text
from realedit.generations import Generation, GlobalAppearance, TextToImage
from realedit.jobs.command_line import command_line, is_one_command
from realedit.jobs.generation_command_line import generation_command_line, sentence_files
from realedit.jobs.model_run import ModelRun
from realedit.settings import ModelChoice
from tests.plain_scene import scene

PLAIN = scene()
RUN = ModelRun(ModelChoice(model="other model", offline=True), None, "fixed-point", 25, 0)
MARKED = {"red ball": {"point": [[0.25, 0.5], [0.3, 0.51]], "not": [[0.9, 0.1]]}}
RECIPES = [
    {"edit": [{"kind": "move", "object": "red ball", "by": [-0.12345, 0.1]}], "where": MARKED},
    {"edit": [{"kind": "move", "object": "red ball", "to": [0.5, 0.25], "scale": 1.25}], "pitch": -10.5},
    {
        "edit": [{"kind": "resize", "object": 'it\'s "red"', "scale": 0.5}],
        "where": {'it\'s "red"': {"mask": "a b.png"}},
    },
    {"edit": [{"kind": "remove", "object": "red ball"}], "where": {"red ball": {"box": [0.1, 0.2, 0.3, 0.4]}}},
    {"edit": [{"kind": "duplicate", "object": "red ball", "by": [0.1, 0]}], "shadow": "none", "fill": "photo"},
    {"edit": [{"kind": "swap", "object": "red ball", "other": "can"}], "mode": "regenerate", "steps": 12, "seed": 7},
    {"edit": [{"kind": "resize", "object": "can", "scale": 2.0}], "mode": "regenerate", "energies": "my heads"},
    {"edit": [{"kind": "restyle", "object": "red ball", "as": "grün $HOME"}], "prompt": "a photo of a red ball"},
    {
        "edit": [{"kind": "transfer", "object": "ball", "from": "o.png", "from_object": "can"}],
        "photos": {"o.png": {"prompt": "a photo of a can", "where": {"point": [0.5, 0.5]}}},
        "where": {"ball": {"point": [0.5, 0.5]}},
    },
    {"edit": [{"kind": "insert", "from": "o.png", "to": [0.5, 0.75], "scale": 2.0}], "feather": 0.02},
]


@pytest.mark.parametrize("values", RECIPES, ids=lambda values: values["edit"][0]["kind"])
def test_a_command_says_what_its_recipe_says(values, plain, monkeypatch):
    recipe, asked = Recipe.model_validate(values), []

    def run_jobs(shared, photos, recipe_of, options, word):
        asked.append((shared, recipe_of(PhotoFile.open(photos[0]))))

    monkeypatch.setattr(one_edit, "run_jobs", run_jobs)
    line = command_line(RUN, recipe, str(plain), "edits.toml")
    done = CliRunner().invoke(main, shlex.split(line)[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    ((shared, found),) = asked
    told = {name: entry for name, entry in found.photos.items() if entry != type(entry)()}
    assert found.model_copy(update={"photos": told}) == recipe
    assert shared.which == RUN.which


WHERE = {"box": [0.1, 0.2, 0.3, 0.4], "not": [[0.9, 0.1]]}
WHOLES = [
    {"kind": "relook", "as": "grün $HOME", "guider": "apg", "seed": 3},
    {"kind": "relook", "controls": [{"picture": "a b.png", "model": "nets/edges", "scale": 0.5}]},
    {"kind": "relayout", "steps": 12, "method": "ddim"},
    {"kind": "redraw", "engine": {"kind": "sdedit", "strength": 0.25, "repeats": 2}, "where": WHERE},
    {
        "kind": "redraw",
        "as": "two",
        "engine": {"kind": "prompt-to-prompt", "weights": {"two=2": 1.5, "b": -1}, "blend": "two"},
    },
    {"kind": "redraw", "engine": {"kind": "plug-and-play"}},
    {"kind": "redraw", "engine": {"kind": "pix2pix-zero", "bank": {"old": ["a cat", "one cat"], "new": ["a dog"]}}},
    {"kind": "fill", "where": WHERE, "fill": "repaint", "repaint": {"jump": 3, "repeats": 4}, "as": "a floor"},
    {"kind": "fill", "where": {"mask": "m.png", "segmenter": None}},
]


@pytest.mark.parametrize("values", WHOLES, ids=lambda values: values["kind"])
def test_a_command_says_what_a_whole_picture_is(values, plain, monkeypatch):
    whole, asked = TypeAdapter(Generation).validate_python(values), []
    monkeypatch.setattr(generation_batch, "run_whole", lambda shared, job, outputs: asked.append(job) or (PLAIN, ""))
    monkeypatch.chdir(plain.parent)
    for name, text in sentence_files(whole).items():
        Path(name).write_text(text)
    said = replace(RUN, prompt="a photo of one")
    line = generation_command_line(said, whole, plain.name)
    done = CliRunner().invoke(main, shlex.split(line)[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (job,) = asked
    assert job.whole == whole
    assert job.prompt.text == "a photo of one"


def test_commands_of_pictures_from_words_and_of_a_whole_look():
    drawn = TextToImage(size=(96, 128), seed=2, controls=({"picture": "m.png", "model": "n"},))
    assert generation_command_line(replace(RUN, prompt="a b"), drawn, None) == (
        "realedit generate --size 96,128 --prompt 'a b' --seed 2 --control m.png --controlnet n "
        "--model 'other model' --offline"
    )
    look = GlobalAppearance(photo="o.png", prompt="a can")
    assert generation_command_line(RUN, look, "a.png").startswith(
        "realedit transfer a.png --whole --from o.png --from-prompt 'a can' --model"
    )


@pytest.mark.parametrize("values", RECIPES)
def test_a_recipe_is_read_as_it_was_written(values):
    recipe = Recipe.model_validate(values)
    assert Recipe.model_validate(tomllib.loads(recipe_text(recipe))) == recipe


def test_what_does_not_fit_in_a_line_names_a_file():
    both = [{"kind": "remove", "object": "can"}, {"kind": "move", "object": "ball", "by": [0.1, 0]}]
    recipe = Recipe.model_validate({"edit": both, "where": {"can": {"box": [0, 0, 0.5, 0.5]}}})
    assert not is_one_command(recipe)
    line = command_line(RUN, recipe, "a b.jpg", "a b.toml", keep_going=True)
    assert line == "realedit edit 'a b.jpg' --recipe 'a b.toml' --model 'other model' --offline --keep-going"
    swapped = {"edit": [{"kind": "swap", "object": "a", "other": "b"}], "where": {"a": {"point": [0.5, 0.5]}}}
    assert "--recipe" in command_line(RUN, Recipe.model_validate(swapped), "a.jpg", "a.toml")  # it takes no marks
    assert Recipe.model_validate(tomllib.loads(recipe_text(recipe))) == recipe
