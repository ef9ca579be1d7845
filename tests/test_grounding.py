"""The loss that teaches words where their objects are."""

import pytest
import torch

from samples.grounding import grounding_loss


def case(share_inside: float):
    """One object on the left half; its word (token 1 of 3) has this share of its attention there."""
    mask = torch.zeros(1, 1, 8, 12)
    mask[..., :6] = 1
    word = torch.where(mask[0, 0] > 0, share_inside, 1 - share_inside)
    maps = torch.stack((1 - word, word, torch.zeros_like(word)))[None]
    words = torch.tensor([[[False, True, False]]])
    return maps, words, mask


def test_zero_when_words_sit_on_their_objects_and_growing_as_they_leave():
    values = [grounding_loss([case(s)[0]], *case(s)[1:], torch.ones(1)).item() for s in (1.0, 0.8, 0.5, 0.0)]
    assert values[0] == pytest.approx(0, abs=1e-3)
    assert values == sorted(values)


def test_token_term_by_hand():
    """At 0.8 inside, the token term is 0.2² and the pixel term 0.5 * -ln 0.8."""
    maps, words, mask = case(0.8)
    expected = 0.2**2 + 0.5 * -torch.log(torch.tensor(0.8)).item()
    assert grounding_loss([maps], words, mask, torch.ones(1)).item() == pytest.approx(expected, rel=1e-4)


def test_absent_objects_and_weightless_rows_do_not_count():
    maps, words, mask = case(0.3)
    both = (torch.cat((maps, maps)), torch.cat((words, words)), torch.cat((mask, mask)))
    once = grounding_loss([maps], words, mask, torch.ones(1))
    torch.testing.assert_close(grounding_loss([both[0]], both[1], both[2], torch.tensor([1.0, 0.0])), once)
    assert grounding_loss([maps], torch.zeros_like(words), mask, torch.ones(1)).item() == 0
