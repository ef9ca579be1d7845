"""Makes `samples/migan/migan.safetensors` of the authors' own export.

    python -m samples.import_migan migan_pipeline_v2.onnx [--out FILE]

The file is that of `andraniksargsyan/migan` on the Hugging Face hub, under the MIT license in `samples/migan/LICENSE`.
Weights are kept in half precision; the filters around each change of size are the same everywhere, and left out.
"""

import hashlib
from pathlib import Path

import click
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from realedit.inpainting.migan_network import WIDTHS, MiganGenerator

SHA256 = "6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b"
PREFIX, NOISE_PREFIX = "model.", "onnx::Add_"


def imported(values: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """The generator's weights by their names in `MiganGenerator`, of the initial `values` of the exported graph. The
    export has lost the names of the noise; it stands in the order in which it is added."""
    weights = {
        name.removeprefix(PREFIX): torch.tensor(value)
        for name, value in values.items()
        if name.startswith(PREFIX) and "filter" not in name
    }
    noise = iter(sorted((n for n in values if n.startswith(NOISE_PREFIX)), key=lambda n: int(n.split("_")[1])))
    for side in sorted(WIDTHS)[1:]:
        for conv in ("conv1", "conv2"):
            weights[f"synthesis.b{side}.{conv}.noise"] = torch.tensor(values[next(noise)])
    MiganGenerator().load_state_dict(weights)  # nothing is missing, nothing is left, and all shapes are right
    return {name: value.half() for name, value in weights.items()}


@click.command()
@click.argument("export", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=Path("samples/migan/migan.safetensors"))
def main(export: Path, out: Path) -> None:
    """Import the weights of the authors' EXPORT."""
    import onnx

    data = export.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise click.BadParameter(f"{export} is not the authors' migan_pipeline_v2.onnx (SHA-256 {SHA256[:16]}...)")
    graph = onnx.load_from_string(data).graph
    save_file(imported({each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}), out)


if __name__ == "__main__":
    main()
