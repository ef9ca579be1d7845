"""Scenes of a single thing, and the camera that the renderer saw them with."""

import math
from dataclasses import replace

import torch

from realedit.geometry.camera import Camera
from samples.renderer import render
from samples.scenes import LOOK_AT, Scene, Thing, sample_scene

SIZE = 160, 128  # width, height


def alone(thing: Thing) -> Scene:
    return replace(sample_scene(1_000_001, *SIZE), things=(thing,))


def camera_of(scene: Scene) -> Camera:
    distance, up = scene.camera
    return Camera(SIZE, math.atan2(up - LOOK_AT[2], LOOK_AT[1] + distance))


def drawn(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture (1, 3, H, W) and the thing's mask (1, 1, H, W)."""
    result = render([scene], *SIZE)
    return result.photos, (result.masks[:, 0, None] > 0.5).float()
