"""The strength follows what was measured, within its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realedit.sampling.guidance import EnergySample, adapted_strength
from realedit.settings import Strength

RULE = Strength(start=0.1, least=0.02, most=0.5, factor=2.0)


def strength(*energies: float, goal: float = 0.01, until: float = 1.0) -> float:
    return adapted_strength(RULE, [EnergySample(k / 10, e) for k, e in enumerate(energies)], goal, until)


def test_it_starts_where_it_is_told_and_grows_while_the_energy_stays():
    assert strength() == strength(1.0) == 0.1
    assert strength(1.0, 1.0) == pytest.approx(0.2)
    assert strength(1.0, 1.0, 1.0) == pytest.approx(0.4)
    assert strength(1.0, 1.0, 1.0, 1.0, 1.0) == 0.5


def test_it_weakens_where_the_energy_falls_faster_than_due():
    # From 1 to 0.01 over the whole schedule: due after a tenth is 0.01 ** 0.1 = 0.63.
    assert strength(1.0, 0.62) == pytest.approx(0.05)
    assert strength(1.0, 0.64) == pytest.approx(0.2)
    assert strength(1.0, 0.5, 0.3, 0.1, 0.05) == 0.02


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=40), st.floats(1e-4, 1.0), st.floats(0.1, 1.0))
def test_it_never_leaves_its_limits(energies, goal, until):
    measured = [EnergySample(k / len(energies), e) for k, e in enumerate(energies)]
    assert RULE.least <= adapted_strength(RULE, measured, goal, until) <= RULE.most


def test_zero_strength_stays_zero():
    off = Strength(0.0, 0.0, 0.0)
    assert adapted_strength(off, [EnergySample(0.0, 1.0), EnergySample(0.1, 1.0)], 0.1, 1.0) == 0.0
