"""Recipes: what they hold, what they refuse and at which line; sidecars that keep them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inversion.errors import EditError
from realedit.edits import Duplicate, Insert, Move, ObjectSource, Remove, Resize, Restyle, Swap, Transfer
from realedit.files.recipe import Recipe, line_of, read_recipe, schema
from realedit.files.sidecar import SidecarOrigin, read_sidecar
from realedit.generations import SameAppearance

BOWL = ObjectSource("shop.png", "bowl")
EVERYTHING = """
prompt = "a photo of a cup, a jug, a pan and a plate"
seed = 3

[[edit]]
kind = "move"
object = "cup"
to = [0.7, 0.6]

[[edit]]
kind = "restyle"
object = "cup"
as = "red cup"

[[edit]]
kind = "transfer"
object = "jug"
from = "other.png"
from_object = "vase"

[[edit]]
kind = "remove"
object = "pan"

[[edit]]
kind = "insert"
from = "shop.png"
to = [0.2, 0.5]
scale = 0.5

[where.cup]
box = [0.1, 0.2, 0.3, 0.4]

[photos."other.png"]
prompt = "a photo of a vase"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "edits.toml"
    path.write_text(text)
    return path


def test_a_recipe_is_edits(tmp_path):
    recipe = read_recipe(written(tmp_path, EVERYTHING))
    assert recipe.edits == (
        Move("cup", to=(0.7, 0.6)),
        Restyle("cup", "red cup"),
        Transfer("jug", ObjectSource("other.png", "vase")),
        Remove("pan"),
        Insert(ObjectSource("shop.png"), (0.2, 0.5), 0.5),
    )
    assert recipe.other_photos == ("other.png", "shop.png")
    assert recipe.where["cup"].box == (0.1, 0.2, 0.3, 0.4)
    assert recipe.photos["other.png"].prompt == "a photo of a vase"
    assert recipe.seed == 3


def test_a_recipe_survives_being_written_as_json():
    recipe = Recipe(edit=(Restyle("cup", "red cup"), Move("jug", by=(0.1, 0.0)), Insert(BOWL, (0.2, 0.5))))
    again = Recipe.model_validate_json(json.dumps(recipe.model_dump(by_alias=True, mode="json")))
    assert again == recipe


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 20))
def test_numbers_come_back_exactly(x, y, scale):
    recipe = Recipe(edit=(Move("cup", to=(x, y), scale=scale),))
    assert Recipe.model_validate_json(recipe.model_dump_json(by_alias=True)) == recipe


ONE = '[[edit]]\nkind = "remove"\nobject = "cup"\n'
WRONG = {
    "a seed that no generator takes": (f"seed = {2**63}\n{ONE}", "line 1: seed: Input should be less than"),
    "a negative seed": (f"seed = -1\n{ONE}", "line 1: seed: Input should be greater than"),
    "not-a-number": (f"seed = 1\npitch = nan\n{ONE}", "line 2: pitch: Input should be a finite number"),
    "an infinite width": (f"feather = inf\n{ONE}", "line 1: feather: Input should be a finite number"),
    "a shift that is none": (
        '[[edit]]\nkind = "move"\nobject = "cup"\nby = [nan, 0.1]\n',
        "line 4: move.by: Input should be a finite number",
    ),
    "an infinite scale": (
        '[[edit]]\nkind = "resize"\nobject = "cup"\nscale = inf\n',
        "line 4: resize.scale: Input should be a finite number",
    ),
    "a box with a hole": (
        f"[where.cup]\nbox = [0, 0, nan, 1]\n{ONE}",
        "where.cup.box: Input should be a finite number",
    ),
    "not TOML": ("[[edit]\n", "is not TOML"),
    "no edit": ("seed = 1\n", "line 1: Field required"),
    "unknown kind": ('seed = 1\n[[edit]]\nkind = "paint"\nobject = "cup"\n', "line 2"),
    "unknown key": (
        '[[edit]]\nkind = "remove"\nobject = "cup"\nsoftly = true\n',
        "line 4: remove.softly: Extra inputs are not permitted",
    ),
    "not a number": (
        '[[edit]]\nkind = "remove"\nobject = "a"\n[[edit]]\nkind = "move"\nobject = "cup"\nto = [0.5, "x"]\n',
        "line 7: move.to",
    ),
    "field named as in Python": (
        '[[edit]]\nkind = "restyle"\nobject = "cup"\nas = "red cup"\nwords = "red cup"\n',
        "line 5: restyle.words: Extra inputs are not permitted",
    ),
    "missing photo": ('[[edit]]\nkind = "insert"\nto = [0.5, 0.5]\n', "line 1: insert.from: Field required"),
    "missing object": ('[[edit]]\nkind = "resize"\nscale = 2.0\n', "line 1: resize.object: Field required"),
    "steps out of range": ('steps = 1\n[[edit]]\nkind = "remove"\nobject = "cup"\n', "line 1: steps"),
    "unknown method": ('method = "guess"\n[[edit]]\nkind = "remove"\nobject = "cup"\n', "line 1: method: Value error"),
    "two targets": (
        '[[edit]]\nkind = "move"\nobject = "cup"\nto = [0.5, 0.5]\n'
        '[[edit]]\nkind = "resize"\nobject = "cup"\nscale = 2.0\n',
        "contradict each other",
    ),
    "no target": ('[[edit]]\nkind = "move"\nobject = "cup"\n', "either a target (to) or a shift (by)"),
    "outside": ('[[edit]]\nkind = "move"\nobject = "cup"\nto = [1.5, 0.5]\n', "lies outside the photo"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named_with_their_line(tmp_path, name):
    text, said = WRONG[name]
    with pytest.raises(EditError) as caught:
        read_recipe(written(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_recipe(tmp_path):
    with pytest.raises(EditError, match="No such file"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EditError, match="it is not text"):
        read_recipe(tmp_path / "binary.toml")


@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_one_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("recipe") / "edits.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EditError, match=r"edits\.toml"):  # no text this short and random names an edit
        read_recipe(path)


def test_lines_are_looked_for_within_their_own_edit():
    assert line_of(EVERYTHING, ("edit", 1, "restyle", "object")) == 12
    assert line_of(EVERYTHING, ("seed",)) == 3
    assert line_of(EVERYTHING, ("where", "cup", "box")) == 32


def test_every_edit_is_written_as_it_is_read():
    written = [
        {"kind": "move", "object": "cup", "by": [0.1, 0.0], "scale": 1.0},
        {"kind": "duplicate", "object": "can", "to": [0.1, 0.2], "scale": 2.0},
        {"kind": "resize", "object": "jug", "scale": 0.5},
        {"kind": "remove", "object": "pan"},
        {"kind": "swap", "object": "egg", "other": "vase"},
        {"kind": "restyle", "object": "cup", "as": "red cup"},
        {"kind": "transfer", "object": "jug", "from": "other.png", "from_object": "bowl"},
        {"kind": "insert", "from": "shop.png", "from_object": "bowl", "to": [0.2, 0.5], "scale": 1.0},
    ]
    recipe = Recipe.model_validate({"edit": written})
    assert recipe.edits == (
        Move("cup", by=(0.1, 0.0)),
        Duplicate("can", (0.1, 0.2), scale=2.0),
        Resize("jug", 0.5),
        Remove("pan"),
        Swap("egg", "vase"),
        Restyle("cup", "red cup"),
        Transfer("jug", ObjectSource("other.png", "bowl")),
        Insert(BOWL, to=(0.2, 0.5)),
    )
    again = recipe.model_dump(by_alias=True, exclude_none=True, mode="json")["edit"]
    assert json.dumps(again) == json.dumps(written)


def test_the_schema_keeps_its_names():
    definitions = schema()["$defs"]
    edits = ("Move", "Duplicate", "Resize", "Remove", "Swap", "Restyle", "Transfer", "Insert")
    assert set(definitions) == {"Where", "Photo", "Control", *(f"{edit}Item" for edit in edits)}
    for name, definition in definitions.items():
        assert definition["title"] == name
        assert definition["additionalProperties"] is False
    assert list(definitions["TransferItem"]["properties"]) == ["kind", "object", "from", "from_object"]
    assert list(definitions["InsertItem"]["properties"]) == ["kind", "from", "from_object", "to", "scale"]


def test_sidecar_paths_start_from_the_sidecar(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    photo = tmp_path / "in" / "photo.png"
    made = SidecarOrigin(photo, tmp_path, tmp_path / "out" / "a.png", SameAppearance(), "a ball")
    assert made.relative(photo) == "../in/photo.png"
    assert made.path == tmp_path / "out" / "a.png.realedit.json"


def test_a_result_without_a_whole_sidecar(tmp_path):
    with pytest.raises(EditError, match="only results with one"):
        read_sidecar(tmp_path / "a.png")
    (tmp_path / "a.png.realedit.json").write_text('{"photo": ')
    with pytest.raises(EditError, match="not a whole sidecar"):
        read_sidecar(tmp_path / "a.png")
