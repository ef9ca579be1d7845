"""What lies at a point, asked of a SAM: a tiny one with random weights, in the standard layout."""

import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    Sam2Config,
    Sam2ImageProcessor,
    Sam2Model,
    Sam2Processor,
    SamConfig,
    SamImageProcessor,
    SamModel,
    SamProcessor,
)

from inversion.errors import EditError, ModelError
from realedit.cli import main
from realedit.files.photo import Photo
from realedit.objects.mark import Mark
from realedit.objects.sam import segment

POINT = (0.4, 0.6)
MARK = Mark(points=(POINT,))


@pytest.fixture(scope="module")
def sam(tmp_path_factory):
    """A folder with a SAM, and the model."""
    folder, small = tmp_path_factory.mktemp("sam"), {"image_size": 128, "patch_size": 16}
    vision = {
        **small,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "output_channels": 16,
        "window_size": 4,
        "global_attn_indexes": [1],
        "mlp_dim": 64,
        "num_pos_feats": 8,
    }
    prompts = {**small, "hidden_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 16, "num_attention_heads": 2, "mlp_dim": 32, "iou_head_hidden_dim": 16}
    torch.manual_seed(0)
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    model = SamModel(config).eval()
    model.save_pretrained(folder)
    square = {"height": 128, "width": 128}
    processor = SamImageProcessor(size={"longest_edge": 128}, pad_size=square)
    SamProcessor(processor).save_pretrained(folder)
    return str(folder), model, processor


@pytest.fixture(scope="module")
def photo():
    return Photo(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def sam2(tmp_path_factory):
    """A folder with a SAM 2, and the model."""
    folder = tmp_path_factory.mktemp("sam2")
    backbone = {
        "hidden_size": 8,
        "image_size": [128, 128],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 2, 2, 2],
        "global_attention_blocks": [3],
        "model_type": "sam2_hiera_det_model",
    }
    vision = {
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        "fpn_hidden_size": 16,
    }
    prompts = {"hidden_size": 16, "image_size": 128, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 16, "num_attention_heads": 2, "mlp_dim": 32, "iou_head_hidden_dim": 16}
    torch.manual_seed(0)
    model = Sam2Model(Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder))
    model.eval().save_pretrained(folder)
    square = {"height": 128, "width": 128}
    Sam2Processor(Sam2ImageProcessor(size=square, mask_size={"height": 32, "width": 32})).save_pretrained(folder)
    return str(folder), model


def test_sam2_is_told_points_in_and_outside_and_a_box(sam2, photo, monkeypatch):
    folder, _ = sam2
    asked = {}
    forward = Sam2Model.forward

    def seen(self, **inputs):
        asked.update(inputs)
        found = forward(self, **inputs)
        found.pred_masks = torch.full_like(found.pred_masks, -1.0)
        found.pred_masks[..., 8:16, 8:16] = 1.0
        return found

    monkeypatch.setattr(Sam2Model, "forward", seen)
    mark = Mark(box=(0.1, 0.2, 0.7, 0.9), points=(POINT,), excluded=((0.9, 0.5),))
    mask = segment(photo, mark, "ball", folder, offline=True)
    # The photo fills the model's square of 128 pixels, whatever its shape.
    torch.testing.assert_close(asked["input_points"][0, 0], torch.tensor([[0.4, 0.6], [0.9, 0.5]]) * 128)
    assert asked["input_labels"].tolist() == [[[1, 0]]]
    torch.testing.assert_close(asked["input_boxes"][0, 0], torch.tensor([0.1, 0.2, 0.7, 0.9]) * 128)
    rows, columns = mask[0, 0].nonzero().T
    assert abs(rows.float().mean() / 60 - 12 / 32) < 0.02
    assert abs(columns.float().mean() / 90 - 12 / 32) < 0.02


def test_the_mask_is_the_one_that_the_model_is_surest_of(sam, photo):
    folder, model, processor = sam
    pixels = processor(Image.fromarray(photo.rgb), return_tensors="pt")["pixel_values"]
    place = torch.tensor([[[[0.4 * 128, 0.6 * 60 * 128 / 90]]]])  # the longer side fills the model's square
    with torch.no_grad():
        seen = model(pixel_values=pixels, input_points=place)
    levels = torch.nn.functional.interpolate(seen.pred_masks[0], (128, 128), mode="bilinear")
    three = torch.nn.functional.interpolate(levels[..., :85, :], (60, 90), mode="bilinear")[0] > 0
    mask = segment(photo, MARK, "ball", folder, offline=True)
    assert mask.shape == (1, 1, 60, 90)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    alike = ((mask[0] > 0.5) == three).float().mean((1, 2))
    assert alike.argmax() == seen.iou_scores.argmax()
    assert alike.max() > 0.85  # of noise, whose every pixel the enlarging matters to


def test_what_is_no_sam_is_refused(sam, photo, tmp_path):
    with pytest.raises(ModelError, match="cannot be had"):
        segment(photo, MARK, "ball", str(tmp_path), offline=True)
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(ModelError, match="is a clip model, not a SAM"):
        segment(photo, MARK, "ball", str(tmp_path), offline=True)


def test_words_are_for_a_model_that_takes_them(sam, photo):
    with pytest.raises(EditError, match=r"not what words name; give one with --point, or a --box"):
        segment(photo, Mark(), "ball", sam[0], offline=True)


def test_a_mask_of_everything_is_no_object(sam, photo, monkeypatch):
    folder, model, _ = sam
    whole = model(pixel_values=torch.zeros(1, 3, 128, 128), input_points=torch.zeros(1, 1, 1, 2))
    whole.pred_masks = torch.ones_like(whole.pred_masks)
    monkeypatch.setattr(SamModel, "forward", lambda self, **inputs: whole)
    with pytest.raises(EditError, match=r"fills 100% of the photo"):
        segment(photo, MARK, "ball", folder, offline=True)


def test_the_command_takes_a_segmenter_with_a_point(tmp_path, photo):
    Image.fromarray(photo.rgb).resize((180, 120)).save(tmp_path / "photo.png")
    args = ["remove", str(tmp_path / "photo.png"), "ball", "--prompt", "a ball", "--segmenter", str(tmp_path)]
    alone = CliRunner().invoke(main, args)
    assert alone.exit_code == 3  # only its configuration tells whether it takes words
    with_point = CliRunner().invoke(main, [*args, "--point", "0.4,0.6", "--offline"])
    assert with_point.exit_code == 3
    assert "cannot be had" in with_point.stderr


def without_a_layer(tensors):
    del tensors["mask_decoder.iou_token.weight"]


def of_another_shape(tensors):
    tensors["mask_decoder.iou_token.weight"] = torch.zeros(1, 3)


def infinite(tensors):
    tensors["mask_decoder.iou_token.weight"].fill_(float("inf"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_a_layer, "1 tensors of its network are missing, such as mask_decoder.iou_token.weight"),
        (of_another_shape, "mask_decoder.iou_token.weight of its network is [1, 3] and not [1, 16]"),
        (infinite, "the weights of its network hold infinite numbers"),
        (None, "cannot be had"),
    ],
)
def test_a_broken_segmenter_is_refused_for_its_reason(sam, photo, tmp_path, change, said):
    folder = shutil.copytree(sam[0], tmp_path / "sam")
    path = folder / "model.safetensors"
    if change is None:
        path.write_bytes(path.read_bytes()[:500])
    else:
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ModelError) as error:
        segment(photo, MARK, "ball", str(folder), offline=True)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
