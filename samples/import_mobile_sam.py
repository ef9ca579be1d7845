"""Makes `samples/mobile_sam/mobile_sam.safetensors` of the authors' own checkpoint.

    python -m samples.import_mobile_sam mobile_sam.pt [--out FILE]

The file is `weights/mobile_sam.pt` of https://github.com/ChaoningZhang/MobileSAM, under the Apache license 2.0. Weights
are kept in half precision, batch normalisation as part of the convolution before it; what reads masks as marks, and the
classifier that the encoder was made of, are left out.
"""

import hashlib
import re
from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor

from realedit.objects.mobile_sam import MobileSam

SHA256 = "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"
LEFT_OUT = r"image_encoder\.(norm_head|head)\.|prompt_encoder\.mask_downscaling|.*num_batches_tracked$"
NORM_TOLERANCE = 1e-5  # of batch normalisation's variance
RENAMED = (
    (r"^image_encoder\.", "encoder."),
    (r"^(prompt_encoder|mask_decoder)\.", "decoder."),
    (r"patch_embed\.seq\.0", "embed.0"),
    (r"patch_embed\.seq\.2", "embed.1"),
    (r"layers\.(\d)\.blocks", r"stages.\1"),
    (r"layers\.(\d)\.downsample\.conv1", r"mergings.\1.widen"),
    (r"layers\.(\d)\.downsample\.conv2", r"mergings.\1.depthwise"),
    (r"layers\.(\d)\.downsample\.conv3", r"mergings.\1.project"),
    (r"(stages\.0\.\d)\.conv1", r"\1.expand"),
    (r"(stages\.0\.\d)\.conv2", r"\1.depthwise"),
    (r"(stages\.0\.\d)\.conv3", r"\1.project"),
    (r"\.attn\.attention_biases", ".attention.biases"),
    (r"\.attn\.proj", ".attention.project"),
    (r"\.attn\.", ".attention."),
    (r"mlp\.(fc1|lin1)", "expand"),
    (r"mlp\.(fc2|lin2)", "contract"),
    (r"mlp\.norm", "norm"),
    (r"local_conv", "depthwise"),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "fourier.frequencies"),
    (r"not_a_point_embed\.weight", "no_mark"),
    (r"no_mask_embed\.weight", "no_mask"),
    (r"transformer\.layers", "blocks"),
    (r"transformer\.final_attn_token_to_image", "to_cells"),
    (r"transformer\.norm_final_attn", "norm"),
    (r"self_attn", "among_tokens"),
    (r"cross_attn_token_to_image", "to_cells"),
    (r"cross_attn_image_to_token", "to_tokens"),
    (r"([qkv])_proj", r"\1"),
    (r"out_proj", "project"),
    (r"(blocks\.\d)\.norm1", r"\1.norms.0"),
    (r"(blocks\.\d)\.norm2", r"\1.norms.1"),
    (r"(blocks\.\d)\.norm3", r"\1.norms.2"),
    (r"(blocks\.\d)\.norm4", r"\1.norms.3"),
    (r"output_upscaling", "upscaling"),
    (r"output_hypernetworks_mlps", "of_masks"),
    (r"iou_prediction_head", "overlap"),
)


def imported(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights by their names in `MobileSam`, of those of the checkpoint."""
    values = {name: value for name, value in values.items() if not re.match(LEFT_OUT, name)}
    decoder = "mask_decoder."
    tokens = [values.pop(f"{decoder}{kind}.weight") for kind in ("iou_token", "mask_tokens")]
    kinds = [values.pop(f"prompt_encoder.point_embeddings.{k}.weight") for k in range(4)]
    weights = {"decoder.tokens": torch.cat(tokens), "decoder.kinds.weight": torch.cat(kinds)}
    for name, value in _fused(values).items():
        for old, new in RENAMED:
            name = re.sub(old, new, name)
        weights[name] = value[0] if name in ("decoder.no_mark", "decoder.no_mask") else value
    MobileSam().load_state_dict(weights)  # nothing is missing, nothing is left, and all shapes are right
    return {name: value.half() for name, value in weights.items()}


def _fused(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights with each convolution `NAME.c` and batch normalisation `NAME.bn` as one convolution `NAME`."""
    fused = {name: value for name, value in values.items() if not re.search(r"\.(c|bn)\.[a-z_]+$", name)}
    for name in [name.removesuffix(".c.weight") for name in values if name.endswith(".c.weight")]:
        scale = values[f"{name}.bn.weight"] / (values[f"{name}.bn.running_var"] + NORM_TOLERANCE).sqrt()
        fused[f"{name}.weight"] = values[f"{name}.c.weight"] * scale[:, None, None, None]
        fused[f"{name}.bias"] = values[f"{name}.bn.bias"] - values[f"{name}.bn.running_mean"] * scale
    return fused


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default="samples/mobile_sam/mobile_sam.safetensors")
def main(checkpoint: Path, out: Path) -> None:
    """Make the file of the authors' checkpoint."""
    if hashlib.sha256(checkpoint.read_bytes()).hexdigest() != SHA256:
        raise click.ClickException(f"{checkpoint} is not the authors' mobile_sam.pt (SHA-256 {SHA256})")
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(imported(torch.load(checkpoint, map_location="cpu", weights_only=True)), out)
    click.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
