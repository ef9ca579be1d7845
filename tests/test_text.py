"""Prompts of every kind, as diffusers' own pipelines encode them."""

import pytest
import torch

from inversion.errors import Notice, PhraseError
from inversion.text import Embedding, joined
from tests.tiny_models import PROMPT

PROMPTS = [
    "",
    "ball",
    PROMPT,
    "A RED ball!!! and, a (striped) can; on a table...",
    "ball ball ball",
    "a xylophone and a quartz jug",
    "a café with 3 naïve cats — “quoted” & 100 %",
    "  two   spaces\tand a\nline  ",
    " ".join(["red ball"] * 40),
]


@pytest.mark.filterwarnings("ignore::inversion.errors.Notice")
@pytest.mark.parametrize("prompt", PROMPTS, ids=range(len(PROMPTS)))
def test_embedding_is_the_pipelines_to_the_bit(pipe, kind, tiny, prompt):
    theirs = pipe.encode_prompt(prompt, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True)
    ours, empty = tiny.embed(prompt), tiny.unprompted()
    assert torch.equal(ours.tokens, theirs[0])
    assert torch.equal(empty.tokens, theirs[1])
    if kind == "xl":
        assert torch.equal(ours.pooled, theirs[2])
        assert torch.equal(empty.pooled, theirs[3])
        assert not empty.tokens.any()  # zeros, which an empty text is not
        assert tiny.embed("").tokens.any()
    else:
        assert ours.pooled is None
        assert torch.equal(empty.tokens, tiny.embed("").tokens)


def test_neither_marks_nor_padding_belong_to_a_phrase(tiny):
    """Also where the padding is a mark that the prompt ends with, as "!" is in Stable Diffusion 2.x and SDXL."""
    prompt = "a red ball!"
    for phrase, expected in (("red ball", (2, 3)), ("red ball!", (2, 3, 4))):
        assert tiny.positions(prompt, phrase) == expected
    for encoder in tiny.texts.encoders:
        ids = encoder.ids(prompt)[0].tolist()
        assert ids[0] == encoder.tokenizer.bos_token_id
        assert ids[5] == encoder.tokenizer.eos_token_id
        assert set(ids[6:]) == {encoder.tokenizer.pad_token_id}
    assert tiny.texts.length(prompt) == 6


def test_phrases_among_repeated_and_split_words(tiny):
    prompt = "a ball on a xylophone, a red ball and another xylophones"
    words = tiny.positions(prompt, "xylophone")
    assert len(words) > 1
    assert words[-1] < tiny.positions(prompt, "red ball")[0]
    with pytest.raises(PhraseError, match="occurs 2 times"):
        tiny.positions(prompt, "ball")


@pytest.mark.filterwarnings("error::inversion.errors.Notice")
def test_the_longest_prompt_that_fits_is_not_worth_a_word(tiny):
    fitting = " ".join(["ball"] * 22)  # 24 tokens with both marks
    tiny.embed(fitting)
    with pytest.raises(Notice, match='does not read "cat"'):
        tiny.embed(fitting + " cat")


def test_a_phrase_that_is_cut_off_is_said(tiny):
    with pytest.raises(PhraseError, match="lies beyond the 24 tokens"):
        tiny.positions(" ".join(["ball"] * 30) + " and a cat", "cat")


def test_embeddings_are_joined_row_by_row():
    one, two = (Embedding(torch.full((1, 3, 2), v), torch.full((1, 4), v)) for v in (1.0, 2.0))
    both = joined([one, two])
    assert len(both) == 2
    assert torch.equal(both[1:].tokens, two.tokens)
    assert torch.equal(both[1:].pooled, two.pooled)
    assert len(one.repeat(5)) == 5
    assert not two.zeros().pooled.any()
