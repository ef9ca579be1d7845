"""Lists of jobs: what each format holds, what every row comes to, and every fault with its line."""

import csv
import json
from pathlib import Path

import pytest

from inversion.errors import EditError
from realedit.batch.job_list import JobList, Naming
from realedit.batch.row_recipe import RecipeReader, row_schema
from realedit.batch.rows import read_rows
from realedit.files.captions import FROM_OPTION, FROM_RECIPE
from realedit.files.recipe import Recipe

ROWS = [
    {"photo": "one.png", "kind": "move", "object": "red ball", "to": [0.7, 0.6], "scale": 1.5},
    {"photo": "two.jpg", "id": "2", "output": "sub/b.webp", "kind": "remove", "object": "can", "prompt": "a can"},
    {"photo": "one.png", "output": "c.png", "kind": "move", "object": "x", "by": [-0.1, 0], "mask": "m.png"},
    {"photo": "two.jpg", "output": "d.png", "kind": "remove", "object": "x", "point": [[0.1, 0.2], [0.3, 0.4]]},
]
CELLS = {(0, "to"): "0.7,0.6", (2, "by"): "-0.1, 0", (3, "point"): "0.1,0.2; 0.3,0.4"}


@pytest.fixture
def shop(tmp_path) -> Path:
    """A folder with photos, a mask and a recipe of two edits."""
    for name in ("one.png", "two.jpg", "m.png", "one-mask.png", "two-mask.png"):
        (tmp_path / name).touch()
    (tmp_path / "edits").mkdir()
    (tmp_path / "edits" / "front.png").touch()
    recipe = 'prompt = "a can"\nbehind = "front.png"\nedit = [{ kind = "remove", object = "can" }]\n'
    (tmp_path / "edits" / "clean.toml").write_text(recipe)
    return tmp_path


def written(shop: Path, name: str, rows: list[dict]) -> Path:
    """A job list in the format of its name."""
    path = shop / name
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema_of(rows, pyarrow)), path)
    else:
        names = list(dict.fromkeys(name for row in rows for name in row))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows({n: CELLS.get((k, n), v) for n, v in row.items()} for k, row in enumerate(rows))
    return path


def schema_of(rows: list[dict], pyarrow):
    """Of all columns, not just of those in the first row."""
    return pyarrow.schema([(n, pyarrow.array([r[n]]).type) for n, r in {n: r for r in rows for n in r}.items()])


def jobs_of(path: Path, **naming: str | None) -> JobList:
    return JobList.of(read_rows(path), RecipeReader(path.parent), Naming(**naming))


@pytest.mark.parametrize("name", ["jobs.csv", "jobs.jsonl", "jobs.parquet"])
def test_every_format_says_the_same(shop, name):
    found = jobs_of(written(shop, name, ROWS))
    assert found.faults == []
    assert [(job.id, job.output) for job in found.jobs] == [
        ("one.png", "one.png"),
        ("2", "sub/b.webp"),
        ("c.png", "c.png"),
        ("d.png", "d.png"),
    ]
    recipes = [Recipe.model_validate_json(job.recipe) for job in found.jobs]
    assert (recipes[0].edits[0].to, recipes[0].edits[0].scale) == ((0.7, 0.6), 1.5)
    assert (recipes[2].edits[0].by, recipes[2].where["x"].mask) == ((-0.1, 0), "m.png")
    assert recipes[3].where["x"].points == ((0.1, 0.2), (0.3, 0.4))
    assert (found.jobs[1].prompt, found.jobs[1].prompt_source) == ("a can", FROM_OPTION)
    assert found.jobs[2].files == ("m.png",)


def test_csv_of_spreadsheets_is_read(shop):
    (shop / "jobs.csv").write_bytes('\ufeffphoto;kind;object;scale\r\none.png;resize;"a\nb";1.5\r\n\r\n'.encode())
    (row,) = read_rows(shop / "jobs.csv")
    assert (row.line, row.values) == (2, {"photo": "one.png", "kind": "resize", "object": "a\nb", "scale": "1.5"})


FAULTS = [
    ("one.png,move,ball,,,", "a move needs either a target (to) or a shift (by)"),
    ("one.png,mov,ball,,,", "'mov' found"),
    ('one.png,move,ball,"0.1,2",,', "lies outside the photo"),
    ("one.png,move,ball,0.1;x,,", 'to: "0.1;x" is not numbers'),
    ("none.png,remove,ball,,,", "the photo none.png does not exist"),
    ("one.png,remove,ball,,,../x.png", "does not lie below --out-dir"),
    ("one.png,remove,ball,,,x.gif", 'cannot write "x.gif"'),
    (",remove,ball,,,", "no photo"),
    ("one.png,,,,,", "no edit: give kind and object"),
    ("one.png,,ball,,,", "no kind of edit, beside object"),
    ("one.png,remove,ball,,none.toml,", "beside a recipe"),
    ("one.png,,,,none.toml,", "cannot be read as a recipe"),
    ("one.png,remove", "2 cells, where the first line names 6 columns"),
    ('two.jpg,remove,ball,,,"first.png"', "output first.png is that of line 2 too"),
]


def test_every_fault_is_said_with_its_line(shop):
    lines = ["photo,kind,object,to,recipe,output", "one.png,remove,ball,,,first.png", *(line for line, _ in FAULTS)]
    (shop / "jobs.csv").write_text("\n".join(lines))
    found = jobs_of(shop / "jobs.csv")
    assert [fault.line for fault in found.faults if "id " not in fault.said] == list(range(3, 3 + len(FAULTS)))
    said = {fault.line: fault.said for fault in found.faults if "id " not in fault.said}
    for line, (_, expected) in enumerate(FAULTS, 3):
        assert expected in said[line], line
    with pytest.raises(EditError, match="14 of the job list's rows are wrong"):
        found.require_no_fault()


def test_json_lines_that_are_none(shop):
    (shop / "jobs.jsonl").write_text('{"photo": "one.png"\n[1]\n\n{"photo": 3, "kind": "remove", "object": "x"}\n')
    said = [(fault.line, fault.said.split(":")[0]) for fault in jobs_of(shop / "jobs.jsonl").faults]
    assert said == [
        (1, "no JSON"),
        (2, "a row is an object with names and values, such as {...}"),
        (4, "photo 3 is no text"),
    ]


def test_unknown_columns_and_kinds_of_files_are_refused(shop):
    found = jobs_of(written(shop, "jobs.jsonl", [{**ROWS[0], "colour": "red"}]))
    assert found.faults[0].said.startswith("colour: Extra inputs are not permitted")
    with pytest.raises(EditError, match=r"jobs\.xlsx is no job list"):
        list(read_rows(shop / "jobs.xlsx"))
    with pytest.raises(EditError, match="may hold"):
        Naming("{stme}.png")


def test_recipes_masks_and_results_that_rows_leave_out(shop):
    (shop / "jobs.csv").write_text("photo,recipe\none.png,edits/clean.toml\ntwo.jpg,edits/clean.toml\n")
    first, second = jobs_of(shop / "jobs.csv", mask_pattern="{stem}-mask.png", kind="webp").jobs
    recipe = Recipe.model_validate_json(second.recipe)
    assert (recipe.behind, recipe.where["can"].mask) == ("edits/front.png", "two-mask.png")
    assert (first.output, second.output, second.prompt, second.prompt_source) == (
        "one.webp",
        "two.webp",
        "a can",
        FROM_RECIPE,
    )
    (shop / "edits" / "clean.toml").write_text('behind = "../m.png"\nedit = [{ kind = "remove", object = "can" }]\n')
    assert "lies outside its folder" in jobs_of(shop / "jobs.csv").faults[0].said


def test_results_never_lie_where_something_is_read(shop):
    found = jobs_of(written(shop, "jobs.jsonl", ROWS[:3]))
    found.check_outputs_apart(shop / "out")
    assert found.faults == []
    found.check_outputs_apart(shop)
    assert [fault.line for fault in found.faults] == [1]


def test_schema_accepts_what_the_program_does():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(row_schema())
    jsonschema.Draft202012Validator.check_schema(row_schema())
    for row in (*ROWS, {"photo": "a.png", "recipe": "r.toml"}):
        assert validator.is_valid(row), row
    for row in ({"photo": "a.png"}, {**ROWS[0], "colour": 1}, {**ROWS[1], "kind": "mov"}, {**ROWS[1], "photo": 1}):
        assert not validator.is_valid(row), row
