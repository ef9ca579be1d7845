"""How long networks work: inside a block, and once for blocks inside each other."""

import time

import pytest
import torch

from inversion.clock import Clock

CPU = torch.device("cpu")


def test_only_what_is_inside_is_counted_and_once():
    clock = Clock()
    with clock.running(CPU), clock.running(CPU):
        time.sleep(0.05)
    assert clock.depth == 0
    time.sleep(0.05)
    with clock.running(CPU):
        pass
    assert 0.05 <= clock.seconds < 0.1


def test_what_fails_is_counted_too():
    clock = Clock()
    with pytest.raises(ValueError, match="no"), clock.running(CPU):
        raise ValueError("no")
    assert clock.depth == 0
    assert clock.seconds > 0


def test_a_model_counts_its_networks(model):
    with model.metered() as meter:
        model.embed("a cat")
        latent = model.encode(torch.rand(1, 3, 16, 24))
        model.decode(latent)
        model.predict(latent, 500, [model.unprompted()])
    assert 0 < meter.network_seconds <= model.clock.seconds
    again = model.clock.seconds
    with model.metered() as meter:
        pass
    assert meter.network_seconds == 0
    assert model.clock.seconds == again
