"""Text embeddings, and the text encoders and tokenizers that make them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from inversion.errors import ModelError
from inversion.phrases import find_phrase, first_unread, span_positions
from inversion.textual_inversion import expanded, expanded_span


@dataclass(frozen=True, eq=False)
class Embedding:
    """The embeddings of n texts, float32: `tokens` (n, T, D), and `pooled` (n, P), one vector for each whole text,
    where the U-Net needs it (SDXL), else None."""

    tokens: Tensor
    pooled: Tensor | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, rows: slice | Tensor) -> "Embedding":
        return Embedding(self.tokens[rows], None if self.pooled is None else self.pooled[rows])

    def repeat(self, n: int) -> "Embedding":
        """The same texts n times, one after the other."""
        return joined([self] * n)

    def with_tokens(self, tokens: Tensor) -> "Embedding":
        """The same texts with other `tokens` (n, T, D)."""
        return Embedding(tokens, self.pooled)

    def to(self, device: torch.device | str) -> "Embedding":
        """The same texts on another device."""
        return Embedding(self.tokens.to(device), None if self.pooled is None else self.pooled.to(device))

    def zeros(self) -> "Embedding":
        """Zeros of the same shapes."""
        return Embedding(self.tokens * 0, None if self.pooled is None else self.pooled * 0)


def joined(texts: Sequence[Embedding]) -> Embedding:
    """The texts of several embeddings in one, in order; `pooled` where they have it."""
    pooled = [t.pooled for t in texts if t.pooled is not None]
    return Embedding(torch.cat([t.tokens for t in texts]), torch.cat(pooled) if pooled else None)


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """A CLIP text encoder and the tokenizer that it was trained with."""

    tokenizer: Any
    network: Any

    @property
    def length(self) -> int:
        """The number T of tokens of a row: the prompt, its begin and end marks, and padding."""
        return self.tokenizer.model_max_length

    def ids(self, prompt: str) -> Tensor:
        """The token ids (1, T) of a prompt, padded and cut as in diffusers' pipelines."""
        text = expanded(self.tokenizer, prompt)
        return self.tokenizer(
            text, padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        ).input_ids.to(self.network.device)

    def positions(self, prompt: str, span: tuple[int, int]) -> tuple[int, ...]:
        """The positions in a row of the tokens of the characters [start, end) of a prompt.

        Raises:
            PhraseError: they are cut off.
        """
        text, (start, end) = expanded(self.tokenizer, prompt), expanded_span(self.tokenizer, prompt, span)
        return span_positions(self.tokenizer, text, (start, end))

    def unread(self, prompt: str) -> str:
        """The end of a prompt that no longer fits a row."""
        text = expanded(self.tokenizer, prompt)
        return text[first_unread(self.tokenizer, text) :]


@dataclass(frozen=True, eq=False)
class TextEncoders:
    """The one encoder of Stable Diffusion 1.x and 2.x, or the two of SDXL.

    One gives its last layer. Of two the penultimate layers are concatenated along the channels, and the second also
    gives the pooled embedding (arXiv 2307.01952, section 2.1). `empty_is_zero`: the unprompted row is zeros, as in
    SDXL, and not the embedding of the empty text. `embedder`: embeds prompts instead of these, from these.
    """

    encoders: tuple[TextEncoder, ...]
    empty_is_zero: bool = False
    embedder: "Embedder | None" = None

    def embedded_by(self, embedder: "Embedder") -> "TextEncoders":
        """The same encoders, whose prompts a function embeds that is handed what these make of them."""
        return replace(self, embedder=embedder)

    @torch.no_grad()
    def embed(self, prompt: str) -> Embedding:
        """The embedding (one text) of a prompt, without a gradient.

        Raises:
            ModelError: the caller's own embedding has another shape than the model's.
        """
        plain = self._plain(prompt)
        if self.embedder is None:
            return plain
        own = self.embedder(self, prompt, plain)
        shapes = [[t.shape for t in (e.tokens, e.pooled) if t is not None] for e in (own, plain)]
        if shapes[0] != shapes[1]:
            found, expected = (", ".join(str(tuple(shape)) for shape in each) for each in shapes)
            raise ModelError(f"the embedding that was given for a prompt is {found}; the model takes {expected}")
        return own

    @torch.no_grad()
    def _plain(self, prompt: str) -> Embedding:
        if len(self.encoders) == 1:
            (encoder,) = self.encoders
            return Embedding(encoder.network(encoder.ids(prompt))[0].float())
        seen = [e.network(e.ids(prompt), output_hidden_states=True) for e in self.encoders]
        tokens = torch.cat([s.hidden_states[-2] for s in seen], dim=-1)
        return Embedding(tokens.float(), seen[-1][0].float())

    def unprompted(self) -> Embedding:
        """The embedding (one text) of a row without a prompt."""
        empty = self._plain("")
        return empty.zeros() if self.empty_is_zero else empty

    @property
    def kind(self) -> str:
        """The families that have such text encoders, in words."""
        return "Stable Diffusion 1.x or 2.x" if len(self.encoders) == 1 else "SDXL"

    @property
    def tokenizer(self) -> Any:
        """The first encoder's; all split a prompt alike."""
        return self.encoders[0].tokenizer

    def length(self, prompt: str) -> int:
        """The number of tokens of the prompt with its begin and end marks, without padding, at most T."""
        return min(len(self.tokenizer(expanded(self.tokenizer, prompt)).input_ids), self.encoders[0].length)

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is cut off because it is too long; empty if it fits."""
        return max((encoder.unread(prompt) for encoder in self.encoders), key=len)

    def positions(self, prompt: str, phrase: str) -> tuple[int, ...]:
        """The token positions of a phrase of the prompt; see `inversion.phrases`.

        Raises:
            PhraseError: the prompt does not contain the phrase exactly once, or it is cut off.
            ModelError: the two encoders disagree on the positions.
        """
        return self.span_positions(prompt, find_phrase(prompt, phrase))

    def span_positions(self, prompt: str, span: tuple[int, int]) -> tuple[int, ...]:
        """The token positions of the characters [start, end) of a prompt.

        Raises:
            PhraseError: they are cut off.
            ModelError: the two encoders disagree on the positions, so that their layers do not match.
        """
        found = {encoder.positions(prompt, span) for encoder in self.encoders}
        if len(found) > 1:
            raise ModelError(
                f'the tokenizers of this model split "{prompt[slice(*span)]}" differently; they should be the same '
                "but for their padding; fetch the model again"
            )
        return found.pop()


Embedder = Callable[[TextEncoders, str, Embedding], Embedding]
"""The caller's own embedding of a prompt, from the encoders, the prompt, and their embedding of it; of its shape."""
