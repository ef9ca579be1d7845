"""Training scenes seen from nearer."""

import random
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from inversion.phrases import find_phrase
from samples.closeups import CLOSEST, closer
from samples.dataset import CLOSER_FROM, EMPTY_EVERY, read_shards, shard_scenes, write_shard
from samples.renderer import render
from samples.scenes import extent, sample_scene
from samples.words import phrase_tokens


@pytest.mark.parametrize("window", [(0.25, 0.125, 0.5), (0.5, 0.5, 0.5)])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (80, 48)])
def test_a_window_shows_what_lies_there_in_the_frame_of_that_many_times_the_size(window, width, height):
    """Half the frame at 64 pixels are the same rays as that half of the frame at 128, four of them a pixel: what a
    pixel shows differs from its place in the large picture by where in it these rays go, which is little on average."""
    whole = render([sample_scene(5, width, height)], 2 * width, 2 * height).photos
    part = render([replace(sample_scene(5, width, height), window=window)], width, height).photos
    left, top = round(window[0] * 2 * width), round(window[1] * 2 * height)
    cut = whole[..., top : top + height, left : left + width]
    assert (part - cut).abs().mean() < 0.01
    elsewhere = whole[..., top // 2 : top // 2 + height, left // 2 : left // 2 + width]
    assert (part - elsewhere).abs().mean() > 0.03


def test_the_whole_frame_is_a_window_too():
    scene = sample_scene(4)
    assert scene.window == (0.0, 0.0, 1.0)
    assert torch.equal(render([scene]).photos, render([replace(scene, window=(0.0, 0.0, 1.0))]).photos)


def test_close_ups_show_an_object_whole_and_name_just_what_is_seen():
    shares = []
    for seed in range(60):
        scene = sample_scene(seed)
        near = closer(scene, random.Random(seed), 128, 128)
        left, top, share = near.window
        assert CLOSEST <= share <= 1
        assert 0 <= left <= 1 - share + 1e-9
        assert 0 <= top <= 1 - share + 1e-9
        inside = []
        for thing in scene.things:
            box = extent(scene, thing, 128, 128)
            whole = left <= box[0] and top <= box[1] and box[2] <= left + share and box[3] <= top + share
            outside = box[2] <= left or box[0] >= left + share or box[3] <= top or box[1] >= top + share
            named = thing.phrase in near.caption
            assert not (whole and not named)
            assert not (outside and named)
            inside.append(whole)
            if named:
                find_phrase(near.caption, thing.phrase)
        assert any(inside)
        shares.append(share)
    assert min(shares) < 0.45
    assert max(shares) > 0.9


def test_tokens_name_no_object_that_the_caption_leaves_out(tabletop):
    near = next(
        near
        for near in shard_scenes(CLOSER_FROM)
        if len(near.things) > 1 and sum(t.phrase in near.caption for t in near.things) == 1
    )
    (words,) = phrase_tokens(tabletop.texts.encoders[0].tokenizer, [near], 3)
    assert [bool(w.any()) for w in words[: len(near.things)]] == [t.phrase in near.caption for t in near.things]


def test_late_shards_are_seen_from_nearer_empty_tables_too():
    assert all(scene.window == (0.0, 0.0, 1.0) for scene in shard_scenes(CLOSER_FROM - 1))
    near = shard_scenes(CLOSER_FROM)
    assert sum(scene.window[2] < 1 for scene in near) > 150
    assert near == shard_scenes(CLOSER_FROM)
    empty = next(i for i in range(CLOSER_FROM, CLOSER_FROM + EMPTY_EVERY) if i % EMPTY_EVERY == EMPTY_EVERY - 1)
    assert all(not scene.things and scene.window[2] < 1 for scene in shard_scenes(empty))


def test_shards_come_back_as_they_were_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("samples.dataset.SHARD", 3)
    write_shard(tmp_path, 1)
    (shard,) = read_shards(tmp_path)
    drawn = render(shard_scenes(1))
    assert shard.index == 1
    assert (shard.photos.float() / 255 - drawn.photos).abs().max() <= 0.5 / 255 + 1e-6
    cells = F.avg_pool2d(drawn.masks, 4)
    assert (shard.masks.float() / 255 - cells).abs().max() <= 0.5 / 255 + 1e-6
