"""Engines on the command line: what they leave alone, that they can be done again, and what is refused."""

import itertools
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from click.testing import CliRunner

from realedit.cli import main
from realedit.commands.engine_options import DIRECTION_ENGINES, ENGINE_NAMES, SELF_GUIDANCE
from realedit.engines import Asyrp, BoundaryDiffusion, DiffuseIT, Drag, Engine, PromptToPrompt
from realedit.files.reading import load_photo
from realedit.files.recipe_files import named_files, named_models, renamed
from realedit.generations import Filling, Redrawing
from realedit.geometry.boxes import mask_box
from realedit.methods.notes import SYSTEM_NOTES
from realedit.methods.systems import SYSTEMS
from realedit.objects.mark import Mark
from realedit.objects.selection import select
from tests.test_cli import error_line, run

SAMPLES = Path(__file__).parent.parent / "samples" / "photos"
LARGE = SAMPLES / "10-large.png"


def outside(photo: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """All but a box and a tenth of its sides beyond it."""
    height, width = photo.shape[:2]
    across, down = 0.1 * (box[2] - box[0]), 0.1 * (box[3] - box[1])
    box = box[0] - across, box[1] - down, box[2] + across, box[3] + down
    left, top, right, bottom = (round(v * n) for v, n in zip(box, (width, height, width, height), strict=True))
    kept = np.ones((height, width), bool)
    kept[top:bottom, left:right] = False
    return kept


def test_every_engine_has_a_system_a_name_and_a_note():
    kinds = {each: each.model_fields["kind"].default for each in get_args(get_args(Engine)[0])}
    assert set(SYSTEMS) == {*kinds, Drag, Asyrp, BoundaryDiffusion}
    assert (SELF_GUIDANCE, *kinds.values()) == ENGINE_NAMES
    noted = {note.name for note in SYSTEM_NOTES}
    others = {"repaint", "controlnet", "classifier-guidance", "drag", *DIRECTION_ENGINES}
    assert {SELF_GUIDANCE, *others, *kinds.values()} <= noted
    for note in SYSTEM_NOTES:
        assert all(vars(note).values()), note.name


def test_the_list_is_for_people_and_for_programs():
    text, values = run("methods").stdout, json.loads(run("methods", "--json").stdout)
    assert all(each["name"] in text and each["paper"] in text and each["cost"] in text for each in values)


def test_an_engine_of_a_part_leaves_the_rest_of_a_large_photo_and_can_be_done_again(tmp_path):
    box = (0.3, 0.35, 0.6, 0.7)
    photo = tmp_path / "photo.png"
    photo.write_bytes(LARGE.read_bytes())
    photo.with_suffix(".txt").write_text(LARGE.with_suffix(".txt").read_text())
    out = tmp_path / "out.png"
    drawn = ["--engine", "sdedit", "--repeats", 1, "--guider", "apg", "--steps", 2]
    run("relook", photo, *drawn, "--box", ",".join(map(str, box)), "-o", out)
    before, after = load_photo(photo).rgb, load_photo(out).rgb
    kept = outside(before, mask_box(select(load_photo(photo), Mark(box=box))))
    assert np.array_equal(before[kept], after[kept])
    assert (before != after).any()
    assert "the same pixels" in run("redo", out).stderr
    sidecar = json.loads((tmp_path / "out.png.realedit.json").read_text())["recipe"]
    assert sidecar["engine"] == {
        "kind": "sdedit", "strength": 0.5, "repeats": 1, "eta": 1.0, "guidance_scale": 7.5
    }  # fmt: skip
    assert sidecar["guider"] == "apg"


def test_what_is_marked_is_filled_as_the_model_knows_it_or_as_the_photo_does(plain, tmp_path):
    box = (0.62, 0.2, 0.98, 0.66)
    for photo, marked in ((SAMPLES / "03.png", box), (plain, (0.15, 0.3, 0.42, 0.75))):
        out = tmp_path / f"{photo.stem}-filled.png"
        few = ["--jump", 1, "--repeats", 2, "--steps", 2]
        run("fill", photo, "--box", ",".join(map(str, marked)), *few, "-o", out)
        before, after = load_photo(photo).rgb, load_photo(out).rgb
        kept = outside(before, marked)
        assert np.array_equal(before[kept], after[kept])
        assert (before != after).any()
    assert "does not know such photos" in error_line(
        run("fill", plain, "--box", "0.15,0.3,0.42,0.75", "--fill", "repaint", "-o", tmp_path / "no.png", code=1)
    )


def test_what_engines_read_is_named_and_goes_along():
    where = {"mask": "m.png", "segmenter": "sams/small"}
    control = {"picture": "edges.png", "model": "nets/edges"}
    one = Redrawing(engine=PromptToPrompt(), where=where, controls=(control,))
    two = Filling(where=where, fill="lama.onnx")
    three = Redrawing(engine=DiffuseIT(vit="nets/dino", like="look.png"))
    assert set(named_files(one)) == {"m.png", "edges.png"}
    assert set(named_models(one)) == {"sams/small", "nets/edges"}
    assert set(named_models(two)) == {"sams/small", "lama.onnx"}
    assert (*named_files(three), *named_models(three)) == ("look.png", "nets/dino")
    along = Redrawing(engine=Asyrp(direction="redness"), where=where)
    assert set(named_files(along)) == {"m.png", "redness"}
    for each in (one, two, three, along):
        there = renamed(each, lambda name: f"in/{name}", lambda name: f"models/{name}")
        assert set(named_files(there)) == {f"in/{name}" for name in named_files(each)}
        assert set(named_models(there)) == {f"models/{name}" for name in named_models(each)}
        assert renamed(there, lambda name: name[3:], lambda name: name[7:]) == each


ENGINE = "--engine"
REFUSED = {
    "for self-guidance": (["relook", "P", "--strength", "0.5"], 2, "--strength is not for self-guidance"),
    "a part for self-guidance": (["relook", "P", "--box", "0,0,1,1"], 2, "give an --engine that edits what is marked"),
    "for another engine": (["relook", "P", ENGINE, "sdedit", "--weight", "a=2"], 2, "--weight is not for the engine"),
    "too strong": (["relook", "P", ENGINE, "sdedit", "--strength", "2"], 2, "--strength: Input should be less"),
    "no strength": (["relook", "P", ENGINE, "sdedit", "--strength", "nan"], 2, "'nan' is no number"),
    "no weight": (["relook", "P", ENGINE, "prompt-to-prompt", "--weight", "red"], 2, "'red' is no weight of words"),
    "half a direction": (["relook", "P", ENGINE, "pix2pix-zero", "--to-sentences", "P"], 2, "needs both"),
    "no sentences": (
        ["relook", "P", ENGINE, "pix2pix-zero", "--from-sentences", "EMPTY", "--to-sentences", "EMPTY"],
        2,
        "empty.txt has no sentences",
    ),
    "no file of sentences": (
        ["relook", "P", ENGINE, "pix2pix-zero", "--from-sentences", "NONE", "--to-sentences", "EMPTY"],
        2,
        "cannot be read: No such file",
    ),
    "no such engine": (["relook", "P", ENGINE, "magic"], 2, "'magic' is not one of"),
    "nothing to fill": (["fill", "P"], 2, "say what to fill"),
    "no mask": (["fill", "P", "--mask", "NONE"], 1, "does not exist"),
    "the model's plate": (["fill", "P", "--box", "0.2,0.2,0.5,0.5", "--fill", "model"], 2, "take repaint or photo"),
    "no filler": (["fill", "P", "--box", "0.2,0.2,0.5,0.5", "--fill", "no/such/one"], 2, "no such file or folder"),
    "a map without a network": (["generate", "--prompt", "a", "--control", "P"], 2, "as many --controlnet"),
    "scales": (["relook", "P", *["--control-scale", "1"] * 2], 2, "one --control-scale for all maps"),
    "no map": (
        ["generate", "--prompt", "a", "--control", "NONE", "--controlnet", "NONE", "--offline"],
        1,
        "does not exist",
    ),
    "no network": (
        ["generate", "--prompt", "a", "--control", "P", "--controlnet", "NONE", "--offline"],
        3,
        "the ControlNet",
    ),
    "nothing in common": (
        ["relook", "P", ENGINE, "prompt-to-prompt", "--as", "two dogs"],
        2,
        "have no word in common",
    ),
    "no step": (["relook", "P", ENGINE, "sdedit", "--strength", "0.1"], 2, "leaves none of 4 steps"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_one_line_and_writes_nothing(name, tmp_path):
    arguments, code, said = REFUSED[name]
    (tmp_path / "empty.txt").write_text("\n \n")
    places = {"P": str(SAMPLES / "03.png"), "EMPTY": str(tmp_path / "empty.txt"), "NONE": str(tmp_path / "none.png")}
    output = tmp_path / "out.png"
    tail = ["-o", str(output), "--steps", "4", "--method", "ddim"]
    done = CliRunner().invoke(main, [*(places.get(each, each) for each in arguments), *tail])
    assert done.exit_code == code, done.output
    assert said in error_line(done)
    assert not output.exists()
    assert list(itertools.chain(tmp_path.glob("out*"), tmp_path.glob("*.json"))) == []
