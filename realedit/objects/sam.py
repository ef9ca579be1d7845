"""What is marked, or named, as a Segment Anything Model sees it: SAM (Kirillov et al., arXiv 2304.02643) and SAM 2
(Ravi et al., arXiv 2408.00714) by points and boxes, SAM 3 (Carion et al., arXiv 2511.16719) by words too."""

from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import (
    AutoConfig,
    Sam2Model,
    Sam2Processor,
    Sam3Model,
    Sam3Processor,
    Sam3TrackerModel,
    Sam3TrackerProcessor,
    SamModel,
    SamProcessor,
)

from inversion.errors import EditError, ModelError, RealEditError, first_line
from inversion.layouts import check_loaded
from inversion.libraries import quiet_libraries
from inversion.loading import check_weights
from realedit.files.photo import Photo
from realedit.objects.mark import Mark, check_mark, check_selected

LARGEST_SIDE = 2048  # pixels of the longer side that the model is shown; it works at about 1024
BY_MARKS = {
    "sam": (SamModel, SamProcessor),
    **dict.fromkeys(("sam2", "sam2_video"), (Sam2Model, Sam2Processor)),
    **dict.fromkeys(("sam3", "sam3_video", "sam3_tracker"), (Sam3TrackerModel, Sam3TrackerProcessor)),
}
BY_WORDS = dict.fromkeys(("sam3", "sam3_video"), (Sam3Model, Sam3Processor))
"""By the kind that a model's configuration says: the classes that are asked of points and boxes, or of words."""


@torch.no_grad()
def segment(photo: Photo, mark: Mark, words: str, name: str, *, offline: bool) -> Tensor:
    """The mask (1, 1, H, W) that the model of a folder or hub id `name` is surest of: of what is marked by points and a
    box, or where nothing is, of what the `words` name.

    Raises:
        ModelError: it cannot be had, or is no SAM.
        EditError: it takes no words, or what it sees is not one thing.
    """
    marked = mark.box is not None or bool(mark.points)
    if marked:
        check_mark(mark, photo.size)
    model, processor = _loaded(name, marked=marked, offline=offline)
    picture = Image.fromarray(photo.displayed(LARGEST_SIDE))
    best = _marked(model, processor, picture, mark) if marked else _named(model, processor, picture, words)
    level = torch.nn.functional.interpolate(best.float()[None, None], size=photo.size[::-1], mode="bilinear")
    mask = (level > 0.5).float()
    try:
        check_selected(mask)
    except EditError as error:
        raise EditError(f"{name}: {error}") from error
    return mask


def _loaded(name: str, *, marked: bool, offline: bool) -> tuple[Any, Any]:
    """The model and its processor, of the classes that are asked of what is marked, or of words. A program that comes
    with them is never run.

    Raises:
        ModelError: they cannot be had or are damaged, or are no SAM.
        EditError: it takes no words.
    """
    how = {"local_files_only": offline, "trust_remote_code": False}
    try:
        with quiet_libraries():
            kind = AutoConfig.from_pretrained(name, **how).model_type
            if kind not in BY_MARKS:
                raise ModelError(
                    f"{name} is a {kind} model, not a SAM; --segmenter takes one such as facebook/sam-vit-base"
                )
            if not marked and kind not in BY_WORDS:
                said = "is asked what is marked, not what words name; give one with --point, or a --box"
                raise EditError(f"{name} {said}")
            model_class, processor_class = (BY_MARKS if marked else BY_WORDS)[kind]
            model, seen = model_class.from_pretrained(
                name, use_safetensors=True, ignore_mismatched_sizes=True, output_loading_info=True, **how
            )
            processor = processor_class.from_pretrained(name, **how)
    except RealEditError:
        raise
    except Exception as error:  # whatever a cut-off or foreign file leads to
        own = "trust_remote_code" in str(error)
        said = "it holds a program of its own, which is never run" if own else first_line(error)
        raise ModelError(
            f"the segmenter {name} cannot be had ({said}); give a folder with a SAM, or a hub id"
        ) from error
    check_loaded(seen, "network", name)
    check_weights(model, "network", name)
    return model.eval(), processor


def _marked(model: torch.nn.Module, processor: SamProcessor, picture: Image.Image, mark: Mark) -> Tensor:
    """The likeliest of the masks (h, w) of what is marked."""
    asked: dict[str, Any] = {}
    if mark.box is not None:
        asked["input_boxes"] = [[[value * picture.size[k % 2] for k, value in enumerate(mark.box)]]]
    if points := [*mark.points, *mark.excluded]:
        asked["input_points"] = [[[[x * picture.width, y * picture.height] for x, y in points]]]
        asked["input_labels"] = [[[1] * len(mark.points) + [0] * len(mark.excluded)]]
    inputs = processor(images=picture, **asked, return_tensors="pt")
    for key in {"input_points", "input_boxes"} & set(asked):
        inputs[key] = inputs[key].float()
    sizes = [inputs[key] for key in ("original_sizes", "reshaped_input_sizes") if key in inputs]
    seen = model(**{k: v for k, v in inputs.items() if k not in ("original_sizes", "reshaped_input_sizes")})
    (masks,) = processor.image_processor.post_process_masks(seen.pred_masks, *sizes)
    return masks[0, int(seen.iou_scores[0, 0].argmax())]


def _named(model: Sam3Model, processor: Sam3Processor, picture: Image.Image, words: str) -> Tensor:
    """The likeliest of the objects (h, w) that words name.

    Raises:
        EditError: none is seen.
    """
    inputs = processor(images=picture, text=words, return_tensors="pt")
    sizes = inputs.pop("original_sizes").tolist()
    (seen,) = processor.post_process_instance_segmentation(model(**inputs), target_sizes=sizes)
    if not len(seen["scores"]):
        raise EditError(f'the segmenter sees no "{words}" in the photo; say where it is with --point, --box or --mask')
    return seen["masks"][int(seen["scores"].argmax())]
