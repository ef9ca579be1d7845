"""The checks that a user runs on their own model: they pass where all is well, and fail where it is not."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from inversion.loading import load_model
from inversion.schedule import Schedule
from realedit.cli import main
from realedit.commands.diagnostics import CHECKS, ModelUnderTest, equality, gradient, reconstruction, run_checks, words
from realedit.settings import Settings

FEW = Settings(steps=6)


def model_under_test(model, method: str = "null-text") -> ModelUnderTest:
    return ModelUnderTest(model, replace(FEW, method=method), offline=True)


def test_the_bundled_model_is_well():
    result = CliRunner().invoke(main, ["doctor", "--steps", "10", "--json", "--offline"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [c["name"] for c in found["checks"]] == list(CHECKS)
    assert all(c["passed"] for c in found["checks"])
    assert found["memory_gb"] > 0


def test_random_weights_do_everything_but_see(tiny):
    """What needs no training passes for every family; where the object went a random model cannot know."""
    findings = {finding.name: finding for finding in run_checks(model_under_test(tiny))}
    assert {name for name, f in findings.items() if f.passed} == set(CHECKS) - {"move"}
    assert findings["move"].said


def test_failing_is_one_line_and_an_exit_code(folders):
    result = CliRunner().invoke(main, ["doctor", "--model", str(folders["epsilon"]), "--steps", "4", "--offline"])
    assert result.exit_code == 1
    assert "move            FAIL" in result.stdout
    assert result.stderr.strip().splitlines()[-1].startswith("realedit: move failed with")


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_half_precision_is_close(folders, kind):
    model = load_model(str(folders[kind]), device="cpu", dtype="bfloat16")
    passed, said = equality(model_under_test(model))
    assert passed, said


def halved(schedule: Schedule) -> Schedule:
    return replace(schedule, timesteps=tuple(t // 2 for t in schedule.timesteps))


def test_another_sampler_is_found_out(folders):
    """A model whose steps are not those of its scheduler."""
    model = load_model(str(folders["epsilon"]), device="cpu")
    true = type(model).schedule
    try:
        type(model).schedule = lambda self, steps: halved(true(self, steps))
        assert not equality(model_under_test(model))[0]
    finally:
        type(model).schedule = true


def test_attention_without_a_gradient_is_found_out(folders):
    """A U-Net that is deaf to words: its attention is the same wherever one looks."""
    model = load_model(str(folders["epsilon"]), device="cpu")
    for name in model.sites.attention:
        model.unet.get_submodule(name).to_q.weight.data.zero_()
    passed, said = gradient(model_under_test(model))
    assert not passed
    assert "zero or not finite" in said


def test_an_inversion_that_drifts_is_found_out(tabletop):
    passed, said = reconstruction(model_under_test(tabletop, "ddim"))
    assert not passed
    assert "the autoencoder alone" in said


def test_words_of_a_tokenizer_that_reads_too_little(folders):
    model = load_model(str(folders["epsilon"]), device="cpu")
    assert words(model_under_test(model))[0]
    model.texts.encoders[0].tokenizer.model_max_length = 11
    assert not words(model_under_test(model))[0]
