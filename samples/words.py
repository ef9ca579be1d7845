"""The tokenizer and text encoder of the bundled checkpoint."""

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from inversion.phrases import find_phrase, span_positions
from samples.scenes import Scene, sample_scene

MAX_TOKENS, WIDTH = 40, 128


def build_tokenizer() -> CLIPTokenizer:
    """A byte-level BPE tokenizer whose merges come from captions: known words are one token each,
    and any other text still has an encoding."""
    captions = [sample_scene(seed).caption for seed in range(4000)]
    blank = CLIPTokenizer(vocab={"<|startoftext|>": 0, "<|endoftext|>": 1}, merges=[])
    tokenizer = blank.train_new_from_iterator(captions, vocab_size=1024)
    tokenizer.model_max_length = MAX_TOKENS
    return tokenizer


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def token_ids(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """(n, MAX_TOKENS) padded rows, as a diffusers pipeline encodes prompts."""
    encoded = tokenizer(
        list(prompts), padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
    )
    return encoded.input_ids


def phrase_tokens(tokenizer: CLIPTokenizer, scenes: Sequence[Scene], count: int) -> Tensor:
    """(n, count, MAX_TOKENS) bool: the tokens of each object's phrase in its scene's caption; none of one that the
    caption does not name."""
    marks = torch.zeros(len(scenes), count, MAX_TOKENS, dtype=torch.bool)
    for row, scene in enumerate(scenes):
        for k, thing in enumerate(islice(scene.things, count)):
            if thing.phrase in scene.caption:
                span = find_phrase(scene.caption, thing.phrase)
                marks[row, k, list(span_positions(tokenizer, scene.caption, span))] = True
    return marks
