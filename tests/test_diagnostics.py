"""The checks that a user runs on their own model: they pass where all is well, and fail where it is not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from inversion.loading import load_model
from inversion.schedule import Schedule
from inversion.weights import bundled_samples
from realedit.cli import main
from realedit.commands.diagnostics import CHECKS, run_checks
from realedit.commands.doctor_report import public_name, without_places
from realedit.commands.edit_checks import reconstruction
from realedit.commands.model_checks import equality, gradient, words
from realedit.commands.model_under_test import ModelUnderTest, bundled_objects
from realedit.edits import Move
from realedit.settings import Settings

FEW = Settings(steps=4)
SEEING = {"masks", "move", "regenerate"}  # checks that random weights cannot pass


def model_under_test(model, method: str = "null-text") -> ModelUnderTest:
    """With one object, of which the model is to know where it is."""
    return ModelUnderTest(model, replace(FEW, method=method), offline=True, calibration=bundled_objects()[0])


def calibration(**other: object) -> list[str]:
    """Options that name an object of a bundled photo."""
    photos = bundled_samples() / "photos"
    given = {"calibrate": photos / "03.png", "object": "black vase", "mask": photos / "masks" / "03-1.png"} | other
    return [part for name, value in given.items() if value is not None for part in (f"--{name}", str(value))]


def test_the_bundled_model_is_well_and_its_report_names_nobody(tmp_path, monkeypatch):
    """On a small photo, instead of the one that the demo shows."""
    small = bundled_samples() / "photos" / "03.png", Move("black vase", by=(-0.2, 0.05))
    monkeypatch.setattr("realedit.commands.model_under_test.bundled_example", lambda: small)
    report = tmp_path / "doctor.json"
    command = ["doctor", "--steps", "6", "--json", "--offline", *calibration(), "--report", str(report)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found == json.loads(report.read_text())
    checks = {check["name"]: check for check in found["checks"]}
    assert list(checks) == list(CHECKS)
    assert all(check["passed"] for check in checks.values())
    assert checks["masks"]["numbers"]["calibration: mask from near"] > 0.9
    assert sum("attention of" in name for name in checks["masks"]["numbers"]) == 7
    assert checks["equality"]["numbers"] == {"latent": 0, "levels": 0}
    assert found["memory_gb"] > 0
    assert found["seconds"] == pytest.approx(sum(check["seconds"] for check in checks.values()))
    assert str(tmp_path) not in report.read_text()
    again = CliRunner().invoke(main, [*command, "--model", "none"])
    assert "already exists; use --force" in again.stderr, "told before anything is loaded"


def test_a_report_names_no_folder(tmp_path):
    assert public_name("tabletop") == "tabletop"
    assert public_name(str(tmp_path)) == "a folder"
    said = f'"{tmp_path}": tensors are missing in {Path.home()}/models'
    assert without_places(said, str(tmp_path)) == '"a folder": tensors are missing in ~/models'


def test_the_masks_of_bundled_objects_are_those_of_their_photos():
    objects = bundled_objects()
    assert len({known.phrase for known in objects}) == len(objects) == 8
    for known in objects:
        assert known.mask.shape[2:] == known.photo.rgb.shape[:2]
        assert known.phrase in known.prompt
        assert 0.01 < known.mask.mean() < 0.2


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"mask": None}, 2, "needs --object WORDS and --mask PICTURE"),
        ({"calibrate": None}, 2, "needs --object WORDS and --mask PICTURE"),
        ({"object": "black dog", "prompt": "a vase"}, 2, '"black dog" is not in the prompt'),
        ({"mask": "none.png"}, 1, "none.png does not exist"),
    ],
)
def test_what_is_wrong_with_a_calibration_is_told(given, code, said):
    result = CliRunner().invoke(main, ["doctor", "--offline", "--steps", "4", *calibration(**given)])
    assert (result.exit_code, said in result.stderr + result.stdout) == (code, True), result.output


@pytest.mark.parametrize("kind", ["v_prediction", "xl"])
def test_random_weights_do_everything_but_see(folders, kind):
    """What needs no training passes for every family; where the object went a random model cannot know."""
    model = load_model(str(folders[kind]), device="cpu")
    findings = {finding.name: finding for finding in run_checks(model_under_test(model))}
    assert {name for name, f in findings.items() if f.passed} == set(CHECKS) - SEEING
    assert findings["move"].said


def test_failing_is_one_line_and_an_exit_code(folders):
    """Of the third family, by the command, which inverts by another method."""
    options = ["--model", str(folders["epsilon"]), "--steps", "4", "--offline", *calibration()]
    result = CliRunner().invoke(main, ["doctor", *options])
    assert result.exit_code == 1
    assert "move            FAIL" in result.stdout
    failed = {line.split()[0] for line in result.stdout.splitlines() if line.split()[1:2] == ["FAIL"]}
    assert failed == SEEING
    assert result.stderr.strip().splitlines()[-1].startswith("realedit: masks, move, regenerate failed with")


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_half_precision_is_close(folders, kind):
    model = load_model(str(folders[kind]), device="cpu", dtype="bfloat16")
    verdict = equality(model_under_test(model))
    assert verdict.passed, verdict.said
    assert list(verdict.numbers) == ["latent"], "diffusers cannot decode where types differ"


def halved(schedule: Schedule) -> Schedule:
    return replace(schedule, timesteps=tuple(t // 2 for t in schedule.timesteps))


def test_another_sampler_is_found_out(folders):
    """A model whose steps are not those of its scheduler."""
    model = load_model(str(folders["epsilon"]), device="cpu")
    true = type(model).schedule
    try:
        type(model).schedule = lambda self, steps: halved(true(self, steps))
        assert not equality(model_under_test(model)).passed
    finally:
        type(model).schedule = true


def test_attention_without_a_gradient_is_found_out(folders):
    """A U-Net that is deaf to words: its attention is the same wherever one looks."""
    model = load_model(str(folders["epsilon"]), device="cpu")
    for name in model.sites.attention:
        model.unet.get_submodule(name).to_q.weight.data.zero_()
    verdict = gradient(model_under_test(model))
    assert not verdict.passed
    assert "zero or not finite" in verdict.said


def test_an_inversion_that_drifts_is_found_out(tabletop):
    verdict = reconstruction(model_under_test(tabletop, "ddim"))
    assert not verdict.passed
    assert "the autoencoder alone" in verdict.said


def test_words_of_a_tokenizer_that_reads_too_little(folders):
    model = load_model(str(folders["epsilon"]), device="cpu")
    assert words(model_under_test(model)).passed
    model.texts.encoders[0].tokenizer.model_max_length = 11
    assert not words(model_under_test(model)).passed
