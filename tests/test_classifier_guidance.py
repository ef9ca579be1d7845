"""Classifier guidance: the gradient rule against its formula, on both sides, and what is refused."""

from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from inversion.errors import EditError, ModelError
from inversion.weights import bundled_samples
from realedit.cli import main
from realedit.editing.generation import generate_in
from realedit.engines import ClassGuidance, SDEdit
from realedit.files.recipe_files import named_models, renamed
from realedit.generations import TextToImage
from realedit.methods.classifier_guidance import BUNDLED_CLASSIFIER, ClassifierSteps, guiding_classes
from realedit.methods.latent_classifier import CLASSIFIER_HEADER, CLASSIFIER_TENSORS, LatentClassifier, load_classifier
from realedit.methods.sampler_run import Task
from realedit.methods.sdedit import sdedit
from realedit.sampling.session import Session
from realedit.sampling.stepping import DdimSteps
from realedit.settings import Settings
from samples.renderer import render
from samples.scenes import COLOURS, FIRST_HELD_OUT_SEED, sample_scene
from tests.conftest import PROMPT, random_latent
from tests.test_cli import error_line

STEPS = 6
CLASSES = ("red", "ball", "can")


def classifier_of(model) -> LatentClassifier:
    torch.manual_seed(11)
    return LatentClassifier(CLASSES, model.fingerprint, width=8).requires_grad_(False)


def saved(classifier: LatentClassifier, folder):
    folder.mkdir()
    save_file(classifier.state_dict(), folder / CLASSIFIER_TENSORS)
    (folder / CLASSIFIER_HEADER).write_text(classifier.header())
    return folder


def steps_of(model, scale, *, predicted=False, words=("red",)):
    return ClassifierSteps(classifier_of(model), words, scale, predicted, DdimSteps())


class TestRule:
    @pytest.mark.parametrize("scale", [3.0, -3.0])
    def test_the_noise_follows_the_gradient_of_the_noisy_latent(self, tiny, scale):
        """eps' = eps - s sqrt(1 - ab) grad log p(y | z), whatever the network predicts."""
        schedule, i, z, output = tiny.schedule(STEPS), 2, random_latent(1), random_latent(2)
        alpha, split = schedule.alpha_from[i], schedule.parameterisation.split
        seen = z.clone().requires_grad_()
        log_p = torch.nn.functional.logsigmoid(classifier_of(tiny).scores(seen, alpha)[:, 0]).sum()
        (gradient,) = torch.autograd.grad(log_p, seen)
        noise = split(output, z, alpha)[1] - scale * (1 - alpha) ** 0.5 * gradient
        clean = (z - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        wanted = schedule.alpha_to[i] ** 0.5 * clean + (1 - schedule.alpha_to[i]) ** 0.5 * noise
        torch.testing.assert_close(steps_of(tiny, scale).down(schedule, z, output, i), wanted, atol=1e-5, rtol=1e-4)

    def test_of_the_predicted_latent_the_noise_is_taken_for_given(self, model):
        schedule, i, z, output = model.schedule(STEPS), 2, random_latent(1), random_latent(2)
        alpha, split = schedule.alpha_from[i], schedule.parameterisation.split
        seen = z.clone().requires_grad_()
        clean, _ = split(output, seen, alpha)
        log_p = classifier_of(model).log_probability(clean, torch.ones(()), ("red", "can")).sum()
        (wanted,) = torch.autograd.grad(log_p, seen)
        rule = steps_of(model, 1.0, predicted=True, words=("red", "can"))
        torch.testing.assert_close(rule.gradient(schedule, z, output, i), wanted)
        assert not torch.allclose(replace(rule, predicted=False).gradient(schedule, z, output, i), wanted)

    def test_a_scale_of_nothing_is_the_inner_rule_and_any_other_goes_its_way(self, model):
        session = Session(model, Settings(steps=STEPS, seed=3))
        task = Task(session, torch.rand(1, 3, 24, 40), PROMPT, PROMPT, torch.ones(1, 1, 24, 40))
        run = sdedit(task, SDEdit(strength=1.0, repeats=1, eta=0.0))

        def seen(scale: float) -> tuple[torch.Tensor, float]:
            rule = steps_of(model, scale)
            latent = run.latent(replace(session, guide=lambda inner: replace(rule, inner=inner)))
            return latent, float(rule.classifier.log_probability(latent, torch.ones(()), ("red",)))

        plain = run.latent(session)
        assert torch.equal(seen(0.0)[0], plain)
        worse, as_it_is, better = (seen(scale)[1] for scale in (-40.0, 0.0, 40.0))
        assert worse < as_it_is < better


def test_a_picture_from_words_follows_classes_too(model, tmp_path):
    folder = saved(classifier_of(model), tmp_path / "classes")
    asked = ClassGuidance(words=("ball",), classifier=str(folder), scale=50)
    session = Session(model, Settings(steps=2, seed=1))
    plain, guided = (
        generate_in(replace(session, guide=guide), PROMPT, (48, 32)).rgb
        for guide in (None, guiding_classes(model, asked))
    )
    assert plain.shape == guided.shape
    assert (plain != guided).any()


def test_a_classifier_comes_back_and_only_to_its_model(model, tmp_path):
    own = classifier_of(model)
    folder = saved(own, tmp_path / "classes")
    again, z = load_classifier(folder, model), random_latent(4)
    assert torch.equal(again.scores(z, torch.tensor(0.5)), own.scores(z, torch.tensor(0.5)))
    with pytest.raises(ModelError, match="reads latents of another model"):
        load_classifier(folder, replace(model, fingerprint="0" * 16))
    with pytest.raises(EditError, match='no class "dog"; it has red, ball, can'):
        guiding_classes(model, ClassGuidance(words=("dog",), classifier=str(folder)))
    (folder / CLASSIFIER_TENSORS).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="is no classifier"):
        load_classifier(folder, model)


def test_its_score_is_the_same_wherever_a_thing_stands(model):
    """Away from the edges, at steps of its stride."""
    classifier, z = classifier_of(model), torch.zeros(1, 4, 32, 48)
    other = z.clone()
    z[..., 12:16, 12:16] = other[..., 16:20, 24:28] = 3.0
    torch.testing.assert_close(
        classifier.scores(z, torch.ones(())), classifier.scores(other, torch.ones(())), atol=1e-4, rtol=1e-4
    )


def test_the_bundled_one_sees_colours_of_held_out_scenes(tabletop):
    """Colours that are there score higher, on the mean, than those that are not."""
    classifier = load_classifier(bundled_samples() / BUNDLED_CLASSIFIER, tabletop)
    scenes = [sample_scene(FIRST_HELD_OUT_SEED + k) for k in range(4)]
    latents = torch.cat([tabletop.encode(photo) for photo in render(scenes).photos.split(1)])
    scores = classifier.scores(latents, torch.ones(()))[:, : len(COLOURS)]
    there = torch.tensor([[colour in {t.colour for t in s.things} for colour in COLOURS] for s in scenes])
    assert classifier.classes[: len(COLOURS)] == tuple(COLOURS)
    assert scores[there].mean() > scores[~there].mean() + 1


def test_it_is_named_as_a_model_and_goes_along():
    asked = TextToImage(classes=ClassGuidance(words=("red",), classifier="nets/classes"))
    assert named_models(asked) == {"nets/classes": "classifier"}
    there = renamed(asked, lambda name: name, lambda name: f"models/{name}")
    assert set(named_models(there)) == {"models/nets/classes"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--class-scale", "3"], 2, "say with --class what the picture shall show"),
        (["--class", "red", "--class-scale", "-1"], 2, "is not in the range"),
        (["--class", "red", "--classifier", "none/such"], 3, "is no classifier"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, code, said, folders, tmp_path):
    out = tmp_path / "out.png"
    asked = ["generate", "--prompt", PROMPT, "--model", str(folders["epsilon"]), "--steps", "2", "-o", str(out)]
    done = CliRunner().invoke(main, [*asked, *arguments])
    assert done.exit_code == code, done.output
    assert said in error_line(done)
    assert not out.exists()
