"""What the training of the bundled checkpoint shares with nothing else: its examples, and runs that resume."""

import random

import torch

from samples.examples import Examples, draw_batch
from samples.training import Run


def examples(count: int, height: int, width: int) -> Examples:
    """Row `i` of latents is `i`, and `i + 0.5` for its mirror image; its mask is 1 in the left column."""
    rows = torch.arange(count, dtype=torch.float16)
    latents = (rows[:, None] + torch.tensor((0, 0.5), dtype=torch.float16))[:, :, None, None, None]
    masks = torch.zeros(count, 3, height, width, dtype=torch.uint8)
    masks[..., 0] = 255
    tokens = rows.long()[:, None].expand(-1, 7)
    return Examples(latents.expand(-1, -1, 4, height, width), masks, tokens, torch.ones(count, 3, 7, dtype=torch.bool))


def test_batches_are_of_one_size_and_mirror_masks_with_their_latents():
    sizes, mirrors = [], []
    for seed in range(20):
        chosen = draw_batch([examples(30, 8, 8), examples(10, 6, 10)], 12, random.Random(seed))
        latents, masks, tokens, words = chosen
        assert (len(latents), len(masks), len(tokens), len(words)) == (12,) * 4
        mirrored = latents[:, 0, 0, 0] % 1 == 0.5
        assert torch.equal(latents[:, 0, 0, 0].floor().long(), tokens[:, 0])
        assert torch.equal(masks[:, 0, 0, -1] == 1, mirrored)
        assert torch.equal(masks[:, 0, 0, 0] == 1, ~mirrored)
        sizes.append(tuple(latents.shape[-2:]))
        mirrors.append(mirrored.float().mean().item())
    assert 0 < sizes.count((6, 10)) < sizes.count((8, 8))
    assert 0.3 < sum(mirrors) / 20 < 0.7


def test_runs_resume_and_tell_when_they_are_saved(tmp_path):
    part, saved = torch.nn.Linear(1, 1), []
    run = Run(tmp_path, {"part": part}, 4, lambda: saved.append(run.step))
    for step in run.remaining():
        torch.nn.init.constant_(part.weight, step)
    assert saved == [4]
    other = torch.nn.Linear(1, 1)
    again = Run(tmp_path, {"part": other}, 6)
    assert (other.weight.item(), list(again.remaining())) == (3.0, [4, 5])
