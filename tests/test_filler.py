"""The user's choice of what fills holes, and LaMa: small ONNX graphs in its layout, each of which answers something
that can be told by hand."""

import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from inversion.errors import EditError, ModelError, RealEditError
from realedit.inpainting.filler import (
    AutomaticFill,
    GivenFill,
    MiganFill,
    ModelFill,
    PhotoFill,
    PromptedFiller,
    load_filler,
    parse_fill,
)

FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8
SQUARE = (512, 512)
COLOUR = np.array([0.25, 0.5, 0.75], np.float32).reshape(1, 3, 1, 1)


def write_graph(path, nodes, constants, *, inputs=(("image", 3), ("mask", 1)), sides=SQUARE, output=(FLOAT, 3)):
    """An ONNX file with the output `out` of these nodes."""
    values = [helper.make_tensor_value_info(name, FLOAT, [1, channels, *sides]) for name, channels in inputs]
    out = helper.make_tensor_value_info("out", output[0], [1, output[1], *sides])
    named = [numpy_helper.from_array(np.asarray(v, np.float32), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "graph", values, [out], named)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def lama_file(path, fill, *, white=255.0, before=(), sides=SQUARE, byte=False):
    """LaMa as Carve exports it, whose network answers `fill`: an array, or None if the nodes `before` make it."""
    nodes = [
        *before,
        helper.make_node("Sub", ["one", "mask"], ["visible"]),
        helper.make_node("Mul", ["image", "visible"], ["kept"]),
        helper.make_node("Mul", ["fill", "mask"], ["new"]),
        helper.make_node("Add", ["kept", "new"], ["whole"]),
        helper.make_node("Mul", ["whole", "white"], ["scaled" if byte else "out"]),
    ]
    if byte:
        nodes.append(helper.make_node("Cast", ["scaled"], ["out"], to=BYTE))
    constants = {"one": 1.0, "white": white} | ({} if fill is None else {"fill": fill})
    return write_graph(path, nodes, constants, sides=sides, output=(BYTE if byte else FLOAT, 3))


def photo_of(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def box(height, width, top, bottom, left, right):
    mask = torch.zeros(1, 1, height, width)
    mask[..., top:bottom, left:right] = 1
    return mask


def one_line(error):
    return "\n" not in str(error.value) and len(str(error.value)) < 500


def given(path):
    return GivenFill(str(path))


def test_words_files_folders_and_hub_ids_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "auto").mkdir()
    (tmp_path / "lama.onnx").write_bytes(b"")
    assert parse_fill("auto") == AutomaticFill()
    assert parse_fill("migan") == MiganFill()
    assert parse_fill("photo") == PhotoFill()
    assert parse_fill("model") == ModelFill()
    for text in ("./auto", "lama.onnx", "Carve/LaMa-ONNX", "Carve/LaMa-ONNX/lama.onnx", "a/b.c/onnx/lama.onnx"):
        assert parse_fill(text) == GivenFill(text)


@pytest.mark.parametrize(
    "text", ["", "Photo", "telea", "models/lama.onnx", "/no/such/folder", "../a/b", "a/b/c", "a b/c", "x.safetensors"]
)
def test_what_is_no_choice_is_refused(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EditError, match="no such file or folder; expected auto, migan, photo, model") as error:
        parse_fill(text)
    assert one_line(error)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "inpainting.safetensors").write_bytes(b"")
    with pytest.raises(EditError, match=r'inpainting\.safetensors" is a \.safetensors; expected auto'):
        parse_fill(str(tmp_path / "inpainting.safetensors"))


@pytest.mark.parametrize(
    ("size", "hole"),
    [
        ((200, 310), (90, 92, 40, 41)),  # two pixels
        ((200, 310), (0, 150, 60, 310)),  # most of it, at its edges
        ((900, 640), (100, 800, 200, 460)),  # larger than the network sees
        ((33, 700), (0, 20, 100, 650)),  # a strip
    ],
)
def test_the_hole_gets_the_colour_and_the_rest_keeps_its_bits(tmp_path, size, hole):
    fill = load_filler(given(lama_file(tmp_path / "lama.onnx", COLOUR)))
    photo, mask = photo_of(*size), box(*size, *hole)
    before = photo.clone()
    filled = fill(photo, mask, torch.zeros_like(mask))
    assert filled.shape == photo.shape
    assert torch.equal(photo, before)
    outside = (mask == 0).expand_as(photo)
    assert torch.equal(filled[outside], photo[outside])
    top, bottom, left, right = hole
    middle = filled[0, :, (top + bottom) // 2, (left + right) // 2]  # farther than resampling reaches from the edge
    if min(bottom - top, right - left) > 10:
        assert torch.allclose(middle, torch.from_numpy(COLOUR.ravel()), atol=1e-5)
    assert torch.equal(fill(photo, mask, torch.zeros_like(mask)), filled)


@pytest.mark.parametrize("options", [{"white": 1.0}, {"byte": True}, {"sides": ("height", "width")}])
@pytest.mark.parametrize(
    "darkest", [0.0, 0.998]
)  # of the photo: black would look the same in any range but for the fill
def test_other_exports_of_lama_give_the_same(tmp_path, options, darkest):
    photo, mask = photo_of(60, 90) * (1 - darkest), box(60, 90, 20, 40, 30, 60)
    plain, other = (
        load_filler(given(lama_file(tmp_path / name, COLOUR, **how)))
        for name, how in (("a.onnx", {}), ("b.onnx", options))
    )
    wanted = plain(photo, mask, torch.zeros_like(mask))
    assert (other(photo, mask, torch.zeros_like(mask)) - wanted).abs().max() < (
        1.1 / 255 if "byte" in options else 1e-5
    )
    assert torch.allclose(wanted[0, :, 30, 45], torch.from_numpy(COLOUR.ravel()), atol=1e-5)


def test_the_part_is_neither_stretched_nor_shifted(tmp_path):
    """The network answers with the place of each of its pixels; the photo has to get the places of its own: a photo of
    300x200 pixels is seen whole, 512 pixels wide, so pixel x lies at (x + 1/2) 512/300 - 1/2."""
    x, y = np.meshgrid(np.arange(512), np.arange(512))
    ramp = np.stack([x, y, 0 * x])[None] / 512
    fill = load_filler(given(lama_file(tmp_path / "lama.onnx", ramp)))
    filled = fill(photo_of(200, 300), box(200, 300, 30, 170, 40, 260), torch.zeros(1, 1, 200, 300))
    inner = filled[0, :2, 40:160, 50:250]
    columns = ((torch.arange(50, 250) + 0.5) * 512 / 300 - 0.5) / 512
    rows = ((torch.arange(40, 160) + 0.5) * 512 / 300 - 0.5) / 512
    assert torch.allclose(inner[0], columns.expand(120, 200), atol=1e-3)
    assert torch.allclose(inner[1], rows[:, None].expand(120, 200), atol=1e-3)


def test_a_hole_in_a_large_photo_is_seen_from_near(tmp_path):
    """Of 1200x900 pixels the square of 512 around a hole of 100, each pixel as one: the place is that in the square."""
    x = np.broadcast_to(np.arange(512, dtype=np.float32) / 512, (1, 3, 512, 512))
    fill = load_filler(given(lama_file(tmp_path / "lama.onnx", x)))
    filled = fill(photo_of(900, 1200), box(900, 1200, 400, 500, 600, 700), torch.zeros(1, 1, 900, 1200))
    wanted = (torch.arange(600, 700) - (650 - 256)) / 512
    assert torch.allclose(filled[0, 0, 450, 600:700], wanted, atol=1e-6)


def test_nothing_of_the_hole_and_of_other_objects_is_gone_by(tmp_path):
    """The network answers with the mean colour of all that it is shown."""
    mean = helper.make_node("ReduceMean", ["image"], ["fill"], axes=[2, 3], keepdims=1)
    fill = load_filler(given(lama_file(tmp_path / "lama.onnx", None, before=[mean])))
    photo, hole, others = photo_of(120, 170), box(120, 170, 30, 80, 40, 90), box(120, 170, 60, 110, 85, 150)
    painted = torch.where((hole + others) > 0, torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1), photo)
    seen, unseen = fill(photo, hole, others), fill(painted, hole, others)
    inside = (hole > 0).expand_as(photo)
    assert torch.equal(seen[inside], unseen[inside])
    assert torch.equal(unseen[~inside], painted[~inside])
    elsewhere = photo.clone()
    elsewhere[..., 5:15, 5:15] = 0
    assert not torch.equal(fill(elsewhere, hole, others)[inside], seen[inside])


def test_the_mask_holds_the_hole_and_the_other_objects(tmp_path):
    """The network answers with the share of its square that is marked. A photo of 512x512 is seen pixel by pixel."""
    share = helper.make_node("ReduceMean", ["mask"], ["share"], axes=[1, 2, 3], keepdims=1)
    grey = helper.make_node("Mul", ["share", "grey"], ["fill"])
    nodes = [share, grey, *onnx.load(lama_file(tmp_path / "plain.onnx", COLOUR)).graph.node]
    constants = {"one": 1.0, "white": 255.0, "grey": np.ones((1, 3, 1, 1))}
    fill = load_filler(given(write_graph(tmp_path / "lama.onnx", nodes, constants)))
    hole, others = box(512, 512, 100, 200, 100, 300), box(512, 512, 150, 350, 250, 350)
    filled = fill(photo_of(512, 512), hole, others)
    assert filled[0, 0, 120, 120] == pytest.approx((100 * 200 + 200 * 100 - 50 * 50) / 512**2, abs=1e-6)


def test_no_hole_leaves_the_photo_and_nothing_but_hole_is_refused(tmp_path):
    fill = load_filler(given(lama_file(tmp_path / "lama.onnx", COLOUR)))
    photo, none = photo_of(40, 60), torch.zeros(1, 1, 40, 60)
    assert torch.equal(fill(photo, none, none), photo)
    with pytest.raises(EditError, match="take up the whole photo") as error:
        fill(photo, box(40, 60, 0, 40, 0, 30), box(40, 60, 0, 40, 30, 60))
    assert one_line(error)


def test_not_a_number_is_not_put_into_a_photo(tmp_path):
    fill = load_filler(given(lama_file(tmp_path / "lama.onnx", COLOUR * np.nan)))
    with pytest.raises(ModelError, match="drew not-a-number"):
        fill(photo_of(40, 60), box(40, 60, 10, 20, 10, 30), torch.zeros(1, 1, 40, 60))


def test_other_onnx_files_are_refused_with_what_they_are(tmp_path):
    def refused(name, nodes, constants, **how):
        path = write_graph(tmp_path / name, nodes, constants, **how)
        with pytest.raises(
            ModelError, match="is another model: expected LaMa with the inputs image 1x3x512x512"
        ) as error:
            load_filler(given(path))
        assert one_line(error)
        return str(error.value)

    same = [helper.make_node("Identity", ["input"], ["out"])]
    assert "it has inputs input 1x4xheightxwidth tensor(float) and outputs out 1x4xheightxwidth" in refused(
        "one.onnx", same, {}, inputs=[("input", 4)], sides=("height", "width"), output=(FLOAT, 4)
    )
    sum_of_both = [helper.make_node("Add", ["image", "mask"], ["out"])]
    assert "image 1x3x256x256" in refused("small.onnx", sum_of_both, {}, sides=(256, 256))
    assert "mask 1x3x512x512" in refused("three.onnx", sum_of_both, {}, inputs=[("image", 3), ("mask", 3)])


def test_an_output_of_another_shape_is_refused_when_it_comes(tmp_path):
    mean = [helper.make_node("ReduceMean", ["image"], ["out"], axes=[1], keepdims=1)]
    path = write_graph(tmp_path / "lama.onnx", mean, {}, sides=("height", "width"), output=(FLOAT, 1))
    with pytest.raises(ModelError, match=r"expected LaMa .*; its output is 1x1x512x512"):
        load_filler(given(path))(photo_of(40, 60), box(40, 60, 9, 20, 9, 30), torch.zeros(1, 1, 40, 60))


def test_what_is_no_onnx_is_refused(tmp_path):
    path = lama_file(tmp_path / "lama.onnx", COLOUR)
    cut, text, empty = (tmp_path / name for name in ("cut.onnx", "text.onnx", "empty.onnx"))
    cut.write_bytes(path.read_bytes()[:200])
    text.write_text("not a model")
    empty.write_bytes(b"")
    for bad in (cut, text, empty):
        with pytest.raises(ModelError, match=rf'{bad.name}" is not readable as ONNX; expected LaMa') as error:
            load_filler(given(bad))
        assert one_line(error)
        assert error.value.exit_code == 3


def test_without_the_runtime_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r'pip install "realedit\[lama\]"'):
        load_filler(given(lama_file(tmp_path / "lama.onnx", COLOUR)))


def test_a_device_that_is_not_here_is_refused(tmp_path):
    with pytest.raises(RealEditError, match='device "cuda:77" cannot be used here'):
        load_filler(given(lama_file(tmp_path / "lama.onnx", COLOUR)), "cuda:77")


def test_a_folder_is_taken_by_what_lies_in_it(tmp_path):
    with pytest.raises(ModelError, match=r"has neither a model_index\.json.* nor an \.onnx file") as error:
        load_filler(given(tmp_path))
    assert one_line(error)
    lama_file(tmp_path / "one.onnx", COLOUR)
    assert load_filler(given(tmp_path)).name == "LaMa (one.onnx)"
    lama_file(tmp_path / "other.onnx", COLOUR)
    with pytest.raises(ModelError, match=r"has several \.onnx files; name one: .*/one\.onnx or other\.onnx"):
        load_filler(given(tmp_path))
    lama_file(tmp_path / "lama_fp32.onnx", COLOUR)
    filler = load_filler(given(tmp_path))
    assert filler.name == "LaMa (lama_fp32.onnx)"
    assert not isinstance(filler, PromptedFiller)
