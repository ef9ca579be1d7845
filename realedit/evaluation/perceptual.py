"""Which perceptual distance can be had on this machine: LPIPS, or else the model's own features."""

import contextlib
import io
import socket

from inversion.model import DiffusionModel
from realedit.evaluation.metrics import PerceptualMetric, alexnet_is_here, encoder_distance, lpips_distance

FETCH_SECONDS = 10.0  # a machine without network must not wait for minutes


def perceptual_metric(model: DiffusionModel, *, offline: bool = False) -> PerceptualMetric:
    """LPIPS with AlexNet where its weights are here or, unless `offline`, can be fetched; else a distance in
    the features of the model's VAE encoder, under its own name and with a note that says so."""
    if offline and not alexnet_is_here():
        return _in_own_features(model, "not on this machine")
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(FETCH_SECONDS)
    try:
        # torch announces its download on both streams; results alone belong on standard output.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return lpips_distance(model.device)
    except Exception as error:  # no network, no disk, a cut-off file, a broken torchvision: all mean "no LPIPS"
        return _in_own_features(model, f"cannot be had: {type(error).__name__}")
    finally:
        socket.setdefaulttimeout(waited)


def _in_own_features(model: DiffusionModel, why: str) -> PerceptualMetric:
    note = (
        f"LPIPS could not be computed (its AlexNet weights {why}); vae_feature_distance is a distance in this "
        "model's own VAE features instead"
    )
    return encoder_distance(model.encoder_features, note)
