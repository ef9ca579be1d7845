"""Guide-and-Rescale: one value that is both the combination of the rows and the rule of guidance."""

from dataclasses import replace

import pytest
import torch

from inversion.errors import EditError
from inversion.taps import Sites, tap
from realedit.engines import GuideAndRescale
from realedit.methods.guide_and_rescale import guide_and_rescale
from realedit.methods.systems import SYSTEMS
from realedit.sampling.combination import Predictions
from realedit.settings import Guider
from tests.conftest import CAPTIONS, PROMPT, random_latent
from tests.test_methods import right_half, task_of


def rule_of(task, **said):
    return guide_and_rescale(task, GuideAndRescale(**said)).guidance


def test_the_shift_is_as_long_as_the_difference_of_the_rows_within_limits(model):
    rule = rule_of(task_of(model, CAPTIONS[1]), scale=1.0, least=0.5, most=2.0)
    gradient, noise = random_latent(1, 12, 20), random_latent(2, 12, 20)
    assert not rule.shift(gradient, noise, torch.tensor(0.5)).any()  # no difference is known yet
    rows = Predictions(random_latent(3, 12, 20), random_latent(4, 12, 20))
    both = rule(rows, 3.0, 0.0)
    torch.testing.assert_close(both, rows.unprompted + 3.0 * (rows.prompted - rows.unprompted))
    length = (both - rows.unprompted).norm()
    for factor, wanted in ((1e-4, 0.5), (1.0, 1.0), (1e4, 2.0)):
        given = gradient / gradient.norm() * length * factor
        shift = rule.shift(given, noise, torch.tensor(0.5))
        torch.testing.assert_close(shift / shift.norm(), gradient / gradient.norm(), atol=1e-5, rtol=1e-4)
        assert float(shift.norm() / length) == pytest.approx(wanted, rel=1e-3)


def test_nothing_is_asked_of_the_photo_itself_and_something_of_other_words(model):
    task = task_of(model, CAPTIONS[1])
    rule, times = rule_of(task), task.session.schedule.timesteps
    for words, nothing in ((task.prompt, True), (task.words, False)):
        rule.begin(1)
        with torch.no_grad(), tap(model.unet, Sites(features=rule.sites)) as tape:
            model.predict(task.pivots[1:2], times[1], [model.embed(words)])
        value = float(rule.evaluate(tape, 1, len(times)))
        assert value == pytest.approx(0, abs=1e-9) if nothing else value > 1e-6


def test_the_pull_keeps_more_of_the_photo_and_what_is_held_is_the_photo(model):
    task, left = task_of(model, CAPTIONS[1], right_half()), {}
    last = len(task.session.schedule) - 1
    for until in (0.0, 1.0):
        run = guide_and_rescale(task, GuideAndRescale(until=until, guidance_scale=1.5))
        found = run.latent(task.session)
        half = found.shape[-1] // 2
        assert torch.equal(found[..., :half], task.pivots[-1:, ..., :half])
        with torch.no_grad(), tap(model.unet, Sites(features=run.guidance.sites)) as tape:
            model.predict(found, task.session.schedule.timesteps[last], [model.embed(task.words)])
        left[until] = float(run.guidance.evaluate(tape, last, last + 1))
    assert left[1.0] < left[0.0]


def test_another_combination_is_refused(model):
    session = task_of(model).session
    other = replace(session, settings=replace(session.settings, guider=Guider.APG))
    with pytest.raises(EditError, match="leave out --guider"):
        SYSTEMS[GuideAndRescale].check(other, (PROMPT, CAPTIONS[1]), GuideAndRescale())
