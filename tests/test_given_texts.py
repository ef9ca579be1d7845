"""Words that were taught, and embeddings that the caller makes: as in plain diffusers pipelines, to the last bit."""

import copy

import pytest
import torch

from inversion.errors import ModelError
from inversion.loading import load_model, model_of, plain_pipeline
from inversion.pipeline import pipeline_arguments
from inversion.problem import Inverted
from inversion.text import Embedding
from realedit.sampling.prediction import Conditioning
from realedit.sampling.sampler import sample
from tests.tiny_models import PROMPT, random_latent

TAUGHT = "a photo of a <thing> and a <thing-two> on a wooden table"


@pytest.fixture(scope="module", params=["v_prediction", "xl"])
def taught(request, pipelines):
    """A pipeline that learned a word of three vectors and one of a single vector."""
    pipe = copy.deepcopy(pipelines[request.param])
    random = torch.Generator().manual_seed(0)
    for ending in ("", "_2") if request.param == "xl" else ("",):
        tokenizer, network = getattr(pipe, f"tokenizer{ending}"), getattr(pipe, f"text_encoder{ending}")
        width = network.get_input_embeddings().weight.shape[1]
        for word, vectors in (("<thing>", 3), ("<thing-two>", 1)):
            values = {word: torch.randn(vectors, width, generator=random)}
            pipe.load_textual_inversion(values, token=word, tokenizer=tokenizer, text_encoder=network)
    return pipe


def test_a_word_of_several_vectors_is_read_whole_as_the_pipeline_reads_it(taught):
    model = model_of(taught)
    theirs = taught.encode_prompt(TAUGHT, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    ours = model.embed(TAUGHT)
    assert torch.equal(ours.tokens, theirs[0])
    if ours.pooled is not None:
        assert torch.equal(ours.pooled, theirs[2])
    single = model.positions("a photo of a ball and a ball-two on a wooden table", "wooden table")
    assert len(model.positions(TAUGHT, "<thing>")) == 3
    assert len(model.positions(TAUGHT, "<thing-two>")) == 1
    first, second = (model.positions(TAUGHT, word)[0] for word in ("<thing>", "<thing-two>"))
    assert second == first + 3 + 2  # and after its vectors "and a"
    assert model.positions(TAUGHT, "wooden table")[0] == second + 3
    assert len(single) == len(model.positions(TAUGHT, "wooden table"))
    assert model.texts.length(TAUGHT) == model.positions(TAUGHT, "wooden table")[-1] + 2


def test_what_is_cut_off_is_counted_with_all_vectors(taught):
    model = model_of(taught)
    prompt = "<thing> " * 6 + "ball on a wooden table"
    assert model.texts.unread(prompt) == "table"  # 6 x 3 vectors, 5 words and 2 marks are one more than 24
    assert not model.texts.unread("ball " * 6 + "ball on a wooden table")


def doubled(texts, prompt: str, plain: Embedding) -> Embedding:
    """The words "red ball" twice as strong, wherever a prompt has them."""
    tokens = plain.tokens.clone()
    if "red ball" in prompt:
        tokens[:, list(texts.positions(prompt, "red ball"))] *= 2
    return plain.with_tokens(tokens)


@pytest.mark.parametrize("kind", ["epsilon", "xl"])
def test_an_embedding_of_ones_own_is_what_the_pipeline_makes_of_it(folders, kind):
    """Weighted words: the sampler against the pipeline with the same `prompt_embeds`."""
    plain = load_model(str(folders[kind]), device="cpu")
    model = plain.embedded_by(doubled, "red ball x 2")
    at = list(model.positions(PROMPT, "red ball"))
    assert torch.equal(model.embed(PROMPT).tokens[:, at], 2 * plain.embed(PROMPT).tokens[:, at])
    assert torch.equal(model.unprompted().tokens, plain.unprompted().tokens)
    assert len({plain.fingerprint, model.fingerprint, plain.embedded_by(doubled, "other").fingerprint}) == 3
    assert plain.texts.embedder is None
    noise, rows = random_latent(), Conditioning.plain(model, PROMPT, 4, 7.5)
    ours = sample(model, noise, model.schedule(4), rows)
    arguments = pipeline_arguments(model, Inverted(noise, rows.unconditional, rows.guidance_scale), PROMPT)
    theirs = plain_pipeline(model)(**arguments, output_type="latent").images
    assert torch.equal(ours, theirs)


def test_an_embedding_of_another_shape_is_refused(model):
    shorter = model.embedded_by(lambda texts, prompt, plain: plain.with_tokens(plain.tokens[:, :-1]), "shorter")
    with pytest.raises(ModelError, match=r"is \(1, 23, 32\); the model takes \(1, 24, 32\)"):
        shorter.embed(PROMPT)
