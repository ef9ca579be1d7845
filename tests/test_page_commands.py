"""What the page makes is what the command makes that it shows: the same files, to the byte."""

import json
import math
import shlex
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from realedit.cli import main
from realedit.commands import generation_job
from realedit.files.photo import Photo
from realedit.files.sidecar import SIDECAR_SUFFIX
from realedit.jobs.generation_job import GenerationJob
from realedit.jobs.model_run import ModelRun
from realedit.page import picture_jobs
from realedit.page.offered import Offered
from tests.page_server import Tab, serving
from tests.plain_scene import COLUMNS, HEIGHT, ROWS, WIDTH
from tests.test_provenance import manifest, signer_of

ON_DISC = [40 / WIDTH, 50 / HEIGHT]
FRONT = (COLUMNS > 100) & (COLUMNS < 112) & (ROWS > 20) & (ROWS < 80)


@pytest.fixture(scope="module")
def served(tabletop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    signer = signer_of("Ed25519")
    (folder / "chain.pem").write_bytes(signer.certificates)
    (folder / "key.pem").write_bytes(signer.key)
    offered = Offered(controlnets=("nets/edges",), certificate=folder / "chain.pem", key=folder / "key.pem")
    with serving(tabletop, tmp_path_factory.mktemp("page"), offered=offered) as found:
        yield found


@pytest.fixture(autouse=True)
def one_model(tabletop, monkeypatch):
    """The command has the model that the page has: it is loaded once."""
    monkeypatch.setattr("inversion.loading.load_model", lambda *values, **options: tabletop)
    monkeypatch.setattr("realedit.objects.recognition.unfamiliarity", lambda *values: math.inf)  # of the plain photo


def opened(served, path: Path) -> Tab:
    tab = served.new()
    assert tab.open(path.read_bytes(), path.name).status == 200
    return tab


def same_by_command(made: dict, files: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the command that is shown where the photo and the files lie that it names; checks what it writes."""
    monkeypatch.chdir(folder)
    for name in (*made["files"], *([made["recipe"]] if made["needs_recipe"] else [])):
        (folder / name).write_bytes(files[name])
    for line in made["command"].splitlines():
        done = CliRunner().invoke(main, [*shlex.split(line)[1:], "-q"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    name = made["name"]
    assert (folder / name).read_bytes() == files[name]
    by_command, by_page = (
        json.loads(data)
        for data in ((folder / f"{name}{SIDECAR_SUFFIX}").read_bytes(), files[f"{name}{SIDECAR_SUFFIX}"])
    )
    for each in (by_command, by_page):
        for taken in ("seconds", "network_seconds", "from_cache"):
            (each.get("report") or {}).pop(taken, None)
    assert by_page == by_command


def test_what_stays_in_front_and_a_scribble(served, plain, tmp_path, monkeypatch):
    """A thing found under a rough scribble goes behind one that is painted."""
    tab = opened(served, plain)
    rough = (abs(COLUMNS - 40) < 9) & (abs(ROWS - 50) < 5)
    disc, front = tab.selected(around=tab.painted(rough)), tab.painted(FRONT)
    edit = [{"kind": "move", "object": "disc", "by": [0.45, 0]}]
    made = tab.made("make", edit=edit, where={"disc": disc}, behind=[front], fill="photo")
    files = tab.files(made["number"])
    assert {"--around", "--behind", "--fill"} <= set(shlex.split(made["command"]))
    same_by_command(made, files, tmp_path, monkeypatch)


def test_what_is_marked_is_filled(served, plain, tmp_path, monkeypatch):
    tab = opened(served, plain)
    made = tab.made("draw", kind="fill", where=tab.selected(points=[ON_DISC]), fill="photo")
    assert made["command"].startswith("realedit fill plain.png --fill photo --point ")
    files = tab.files(made["number"], "format=png&place=no")
    assert sorted(files) == ["plain-filled.png", "plain-filled.png.realedit.json"]
    same_by_command(made, files, tmp_path, monkeypatch)


REDRAWN = {"kind": "redraw", "where": True}
WHOLES = {
    "relook": {"kind": "relook", "as": "a red egg", "guider": "apg"},
    "relook with a map": {"kind": "relook", "control": {"picture": True, "model": "nets/edges", "scale": 0.5}},
    "relayout": {"kind": "relayout"},
    "sdedit": REDRAWN | {"engine": {"kind": "sdedit", "strength": 0.6, "repeats": 1}},
    "prompt-to-prompt": REDRAWN | {"engine": {"kind": "prompt-to-prompt", "weights": {"egg": 1.5}, "blend": "egg"}},
    "plug-and-play": {"kind": "redraw", "as": "a glass egg", "engine": {"kind": "plug-and-play"}},
    "pix2pix-zero": REDRAWN | {"engine": {"kind": "pix2pix-zero", "bank": {"old": ["an egg"], "new": ["a can"]}}},
    "a whole look": {"kind": "transfer-whole", "from": True, "from_prompt": "a can"},
    "repaint": {
        "kind": "fill",
        "where": True,
        "as": "a floor",
        "fill": "repaint",
        "repaint": {"jump": 2, "repeats": 3},
    },
}


def drawn_from_words(run: ModelRun, job: GenerationJob, progress: object) -> Photo:
    """In place of a picture that a model draws: noise that tells what was asked, and of what."""
    asked = f"{job.whole.model_dump_json()} {job.prompt} {job.path and job.path.name}"
    noise = np.random.default_rng(zlib.crc32(asked.encode())).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return replace(job.edited, rgb=noise) if job.edited else Photo(noise)


@pytest.mark.parametrize("name", WHOLES)
def test_whole_pictures(served, plain, tmp_path, monkeypatch, name):
    """What is asked of a model is the same; the model is not asked."""
    for module in (generation_job, picture_jobs):
        monkeypatch.setattr(module, "draw_whole", drawn_from_words)
    tab, values = opened(served, plain), {"prompt": "a photo of an egg", "steps": 12, "seed": 5, **WHOLES[name]}
    other = tmp_path / "other.png"
    other.write_bytes(plain.read_bytes())
    if name in ("a whole look", "relook with a map"):
        assert tab.ask("POST", "/others?name=other.png", other.read_bytes()).status == 200
    given = {"from": other.name, "where": tab.selected(points=[ON_DISC])}
    values |= {key: given[key] for key in given if values.get(key) is True}
    if "control" in values:
        values["control"] = values["control"] | {"picture": other.name}
    made = tab.made("draw", **values)
    same_by_command(made, tab.files(made["number"]), tmp_path, monkeypatch)


def test_results_are_signed_with_the_key_that_the_command_named(served, plain, monkeypatch):
    monkeypatch.setattr(picture_jobs, "draw_whole", drawn_from_words)
    tab = opened(served, plain)
    assert tab.state()["offered"]["signing"].startswith("--sign-cert ")
    made = tab.made("draw", kind="fill", where=tab.selected(points=[ON_DISC]), fill="photo")
    signed, plainly = (tab.files(made["number"], options)["plain-filled.png"] for options in ("sign=yes", ""))
    active, states = manifest(signed, "PNG")
    assert states == []
    assert "parentOf" in json.dumps(active)
    assert b"c2pa" not in plainly


def test_without_a_photo_and_on_with_what_is_drawn(served, tmp_path, monkeypatch):
    """A picture is drawn from words, opened, and filled: the commands of both are shown, in their order."""
    for module in (generation_job, picture_jobs):
        monkeypatch.setattr(module, "draw_whole", drawn_from_words)
    tab = served.new()
    assert "say what to draw" in tab.post("/jobs/draw", kind="generate").error
    drawn = tab.made("draw", kind="generate", prompt="a red egg", steps=2, size=[96, 128])
    assert (drawn["new"], drawn["name"]) == (True, "generated.png")
    assert tab.ask("POST", f"/results/{drawn['number']}").status == 200
    state = tab.state()
    assert (state["photo"]["name"], state["results"]) == ("generated.png", [])
    hole = np.zeros(drawn["size"][::-1], bool)
    hole[40:60, 40:70] = True
    made = tab.made("draw", kind="fill", where=tab.painted(hole), fill="photo")
    assert [line.split()[1] for line in made["command"].splitlines()] == ["generate", "fill"]
    same_by_command(made, tab.files(made["number"]), tmp_path, monkeypatch)
