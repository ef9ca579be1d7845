"""A recipe as a command and as a file: both are read as the same recipe."""

import shlex
import tomllib

import pytest
from click.testing import CliRunner

from realedit.cli import main
from realedit.commands import one_edit
from realedit.files.reading import PhotoFile
from realedit.files.recipe import Recipe
from realedit.files.recipe_text import recipe_text
from realedit.jobs.command_line import command_line, is_one_command
from realedit.jobs.model_run import ModelRun
from realedit.settings import ModelChoice

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
