"""The object under a point as the Segment Anything Model sees it (Kirillov et al., arXiv 2304.02643)."""

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoConfig, SamModel, SamProcessor

from inversion.errors import EditError, ModelError, first_line
from realedit.files.photo import Photo
from realedit.geometry.transform import Point

LARGEST_SIDE = 2048  # pixels of the longer side that the model is shown; it works at 1024


@torch.no_grad()
def segment_at(photo: Photo, point: Point, name: str, *, offline: bool) -> Tensor:
    """The mask (1, 1, H, W) that the model of a folder or hub id `name` is surest of at a point.

    Raises:
        ModelError: it cannot be had, or is no SAM.
        EditError: it sees nothing there, or all of the photo.
    """
    try:
        kind = AutoConfig.from_pretrained(name, local_files_only=offline).model_type
        if kind != "sam":
            raise ModelError(
                f"{name} is a {kind} model, not a SAM; --segmenter takes one such as facebook/sam-vit-base"
            )
        model = SamModel.from_pretrained(name, local_files_only=offline, use_safetensors=True).eval()
        processor = SamProcessor.from_pretrained(name, local_files_only=offline)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the segmenter {name} cannot be had ({first_line(error)}); give a folder with a SAM, or a hub id"
        ) from error
    picture = Image.fromarray(photo.displayed(LARGEST_SIDE))
    place = [point[0] * picture.width, point[1] * picture.height]
    inputs = processor(images=picture, input_points=[[place]], return_tensors="pt")
    inputs["input_points"] = inputs["input_points"].float()
    seen = model(**inputs)
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    (masks,) = processor.image_processor.post_process_masks(seen.pred_masks, *sizes)
    best = masks[0, int(seen.iou_scores[0, 0].argmax())].float()[None, None]
    mask = (torch.nn.functional.interpolate(best, size=photo.size[::-1], mode="bilinear") > 0.5).float()
    if not mask.any() or mask.all():
        raise EditError(
            f"{name} sees {'all of the photo' if mask.any() else 'nothing'} at {point[0]:g},{point[1]:g}; "
            "give another point, or a --mask"
        )
    return mask
