"""The vision module as ONNX graphs (arXiv 2302.00402, section 3.2): `vision.frame`, which sees frames one by one (stem,
class token, positions), and `vision.blocks`, one or several, where frames meet (local-temporal blocks, norm, bridge)."""

from __future__ import annotations

import numpy as np
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mplug2.model import Mplug2
from mplug2.vision import LocalTemporalMixing, TemporalBlock

from .graph import GraphWriter, Value
from .input_means import Means, correct_bias, has_skip, input_means
from .split import Group, handed_on
from .weights import ModuleWeights

MATRIX_GRID = 17


def norm_pairs(stem: nn.Module) -> list[tuple[nn.Module, str, str]]:
    """Every convolution of the EfficientNet stem with its batch norm: who has them, under which names."""
    net = stem.net
    pairs = [(net, "_conv_stem", "_bn0"), (net, "_conv_head", "_bn1")]
    for block in net._blocks:
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
        if hasattr(block, "_expand_conv"):
            pairs.append((block, "_expand_conv", "_bn0"))
    return pairs


def fold_batch_norms(stem: nn.Module) -> None:
    """Every convolution of the EfficientNet stem takes its batch norm in; the norms become identities."""
    for owner, conv, norm in norm_pairs(stem):
        if not isinstance(getattr(owner, norm), nn.Identity):
            setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv).eval(), getattr(owner, norm).eval()))
            setattr(owner, norm, nn.Identity())


def convolve(g: GraphWriter, w: ModuleWeights, at: str, conv: nn.Conv2d, means: Means, x: str, relu6: bool) -> str:
    """A 2-D convolution with the stem's static "same" padding, and ReLU6 where `relu6`."""
    exact = conv.weight.detach().clone()
    weight = w.kernel(at, conv)
    correct_bias(conv, exact, means.get(at))
    bias = w.small(f"{at}.bias", conv.bias)
    padding = conv.static_padding
    left, right, top, bottom = padding.padding if isinstance(padding, nn.ZeroPad2d) else (0, 0, 0, 0)
    y = g.op(
        "Conv", x, g.weight(weight), g.weight(bias), kernel_shape=list(conv.kernel_size), strides=list(conv.stride),
        pads=[top, left, bottom, right], group=conv.groups,
    )
    return clip(g, y) if relu6 else y


def clip(g: GraphWriter, x: str) -> str:
    """ReLU6."""
    return g.op("Clip", x, g.constant(0, np.float32), g.constant(6, np.float32))


def pointwise(g: GraphWriter, w: ModuleWeights, at: str, conv: nn.Conv2d, means: Means, x: str) -> str:
    """A 1×1 convolution stored as a matrix: widened on channels N×C×H×W, in other forms on cells N×HW×C."""
    exact = conv.weight.detach().clone()
    weight = w.matrix(at, [conv.weight], product=False)
    correct_bias(conv, exact, means.get(at))
    bias = w.biases(at, [conv.bias])
    if not g.widens:
        return g.linear(x, weight, bias)
    # Folded when the session is made; the convolution is the faster float32 kernel.
    kernel = g.reshape(g.transpose(g.weight(weight), 1, 0), conv.out_channels, conv.in_channels, 1, 1)
    return g.op("Conv", x, kernel, g.weight(bias), kernel_shape=[1, 1])


def to_cells(g: GraphWriter, x: str) -> str:
    """N×C×H×W → N×HW×C."""
    return g.transpose(g.reshape(x, 0, 0, -1), 0, 2, 1)


def to_channels(g: GraphWriter, x: str, channels: int, grid: int) -> str:
    """N×HW×C → N×C×H×W."""
    return g.reshape(g.transpose(x, 0, 2, 1), -1, channels, grid, grid)


def efficientnet(g: GraphWriter, w: ModuleWeights, stem: nn.Module, means: Means, size: int, x: str) -> str:
    """Pixels N×3×R×R → cells N×HW×1280.

    Where the grid is MATRIX_GRID or smaller, 1×1 convolutions are matrix products over cells in all forms but the widened:
    there the kernels for convolutions are slowest and transposing costs least.
    """
    net, cells = stem.net, not g.widens
    grid = -(-size // 2)
    x = convolve(g, w, "stem.conv", net._conv_stem, means, x, True)
    late = False
    for i, block in enumerate(net._blocks):
        at, stride = f"stem.block{i}", block._depthwise_conv.stride[0]
        y = x
        if hasattr(block, "_expand_conv"):
            conv = block._expand_conv
            expand = f"{at}.expand"
            if late:
                y = clip(g, pointwise(g, w, expand, conv, means, y))
            else:
                y = convolve(g, w, expand, conv, means, y, True)
        if late and cells:
            y = to_channels(g, y, block._depthwise_conv.in_channels, grid)
        y = convolve(g, w, f"{at}.depthwise", block._depthwise_conv, means, y, True)
        grid = -(-grid // stride)
        late = grid <= MATRIX_GRID
        if late and cells:
            y = to_cells(g, y)
        conv, project = block._project_conv, f"{at}.project"
        y = pointwise(g, w, project, conv, means, y) if late else convolve(g, w, project, conv, means, y, False)
        x = g.op("Add", y, x) if has_skip(block) else y
    x = clip(g, pointwise(g, w, "stem.head", net._conv_head, means, x))
    return x if cells else to_cells(g, x)


def quick_gelu(g: GraphWriter, x: str) -> str:
    """x · sigmoid(1.702 x)."""
    return g.contrib("QuickGelu", x, alpha=1.702)


def temporal_mixing(g: GraphWriter, w: ModuleWeights, at: str, m: LocalTemporalMixing, eps: float, x: str) -> str:
    """x B×T×HW×D → what is added to it: down, depthwise over time (zero padding), quick-GELU, up."""
    y = g.layer_norm(x, w.norm(f"{at}.ln", m.ln), eps)
    y = g.linear(y, w.matrix(f"{at}.down", [m.down_proj.weight]), w.biases(f"{at}.down", [m.down_proj.bias]))
    padded = g.op("Pad", y, g.constant([0, 1, 0, 0, 0, 1, 0, 0]))
    mixed = None
    for tap, (start, stop) in enumerate(((0, -2), (1, -1), (2, 2**31 - 1))):
        taken = g.op("Slice", padded, g.constant([start]), g.constant([stop]), g.constant([1]))
        weight = w.small(f"{at}.tap{tap}", m.conv.weight.flatten(1)[:, tap])
        term = g.op("Mul", taken, g.weight(weight))
        mixed = term if mixed is None else g.op("Add", mixed, term)
    mixed = g.op("Add", mixed, g.weight(w.small(f"{at}.tap_bias", m.conv.bias)))
    return g.linear(
        quick_gelu(g, mixed), w.matrix(f"{at}.up", [m.up_proj.weight]), w.biases(f"{at}.up", [m.up_proj.bias])
    )


def mix_patches(g: GraphWriter, w: ModuleWeights, at: str, m: LocalTemporalMixing, eps: float, x: str) -> str:
    """Adds temporal mixing to the patch tokens of x B×T×(1+HW)×D; the class token passes."""
    last = g.constant([2**31 - 1])
    head = g.op("Slice", x, g.constant([0]), g.constant([1]), g.constant([2]))
    rest = g.op("Slice", x, g.constant([1]), last, g.constant([2]))
    return g.op("Concat", head, g.op("Add", rest, temporal_mixing(g, w, at, m, eps, rest)), axis=2)


def attention_half(
    g: GraphWriter, w: ModuleWeights, at: str, b: TemporalBlock, width: int, tokens: int, eps: float, x: str
) -> str:
    """A local-temporal block up to its attention, on x B×T×`tokens`×`width`."""
    count = b.attn.heads
    size = width // count
    x = mix_patches(g, w, f"{at}.lmhra1", b.lmhra1, eps, x)
    y = g.layer_norm(x, w.norm(f"{at}.ln_1", b.ln_1), eps)
    parts = list(b.attn.in_proj_weight.data.split(width))
    factors = [size**-0.5, 1.0, 1.0]
    bias = w.biases(f"{at}.attn.qkv", list(b.attn.in_proj_bias.data.split(width)), factors)
    packed = g.linear(y, w.matrix(f"{at}.attn.qkv", parts, factors), bias)
    # Frames are one batch here: B×T×L×(3·heads·d) → (B·T)×3·heads×L×d.
    split = g.transpose(g.reshape(packed, -1, tokens, 3 * count, size), 0, 2, 1, 3)
    q, k, v = g.op("Split", split, g.constant([count] * 3), outputs=3, axis=1)
    mixed = g.attend(q, k, v, width)
    y = g.linear(mixed, *w.linears(f"{at}.attn.output", [b.attn.out_proj]))
    return g.op("Add", x, g.op("Reshape", y, g.op("Shape", x)))


def mlp_half(g: GraphWriter, w: ModuleWeights, at: str, b: TemporalBlock, eps: float, x: str) -> str:
    """The rest of a local-temporal block, on x B×T×L×D."""
    x = mix_patches(g, w, f"{at}.lmhra2", b.lmhra2, eps, x)
    y = g.layer_norm(x, w.norm(f"{at}.ln_2", b.ln_2), eps)
    y = g.linear(y, *w.linears(f"{at}.mlp.c_fc", [b.mlp["c_fc"]]))
    return g.op("Add", x, g.linear(quick_gelu(g, y), *w.linears(f"{at}.mlp.c_proj", [b.mlp["c_proj"]])))


def frame_graph(g: GraphWriter, w: ModuleWeights, model: Mplug2) -> tuple[str, list[Value], list[Value]]:
    """pixels B×3×T×R×R → tokens B×T×(1+HW)×D of every frame on its own; with a class head also the mean cell B×T×C."""
    config = model.config
    vision, size, cells = config.vision, config.image_size, config.grid**2
    encoder = model.visual_encoder["visual"]
    frames = g.transpose("pixels", 0, 2, 1, 3, 4)
    flat = g.reshape(frames, -1, 3, size, size)
    outputs = [Value("tokens", "float32", ("batch", "frames", 1 + cells, vision.width))]

    def by_frame(*rest: int) -> str:
        """The shape B×T×`rest`."""
        return g.op("Concat", g.op("Shape", frames, start=0, end=2), g.constant(rest), axis=0)

    if vision.stem == "conv3d":
        p = config.patch_size
        cut = g.transpose(g.reshape(flat, -1, 3, config.grid, p, config.grid, p), 0, 2, 4, 1, 3, 5)
        x = g.reshape(cut, -1, cells, 3 * p * p)
    else:
        means = input_means(model.stem.net)
        fold_batch_norms(model.stem)
        x = efficientnet(g, w, model.stem, means, size, flat)
    if config.heads:
        mean = g.op("ReduceMean", x, axes=[1], keepdims=0)
        g.op("Reshape", mean, by_frame(vision.stem_channels), name="pooled")
        outputs.append(Value("pooled", "float32", ("batch", "frames", vision.stem_channels)))
    x = g.linear(x, w.matrix("conv1", [encoder.conv1.weight]))
    x = g.op("Reshape", x, by_frame(cells, vision.width))
    head = g.op("Expand", g.weight(w.small("class_embedding", encoder.class_embedding)), by_frame(1, vision.width))
    x = g.op("Concat", head, x, axis=2)
    x = g.op("Add", x, g.weight(w.small("positional_embedding", encoder.positional_embedding)))
    g.op("Identity", g.layer_norm(x, w.norm("ln_pre", encoder.ln_pre), vision.norm_eps), name="tokens")
    return "vision.frame", [Value("pixels", "float32", ("batch", 3, "frames", size, size))], outputs


def blocks_graph(
    g: GraphWriter, w: ModuleWeights, model: Mplug2, group: Group
) -> tuple[str, list[Value], list[Value]]:
    """tokens B×T×(1+HW)×D → visual B×(1+T·HW)×E; of several groups, each hands tokens on to the next."""
    config = model.config
    vision, cells = config.vision, config.grid**2
    encoder = model.visual_encoder["visual"]
    blocks = encoder.transformer["resblocks"]
    frames = ("batch", "frames", 1 + cells, vision.width)
    x = begin = handed_on("tokens", group.first)
    for i in range(group.first, group.stop):
        at, b = f"block{i // 2}", blocks[i // 2]
        if i % 2 == 0:
            x = attention_half(g, w, at, b, vision.width, 1 + cells, vision.norm_eps, x)
        else:
            x = mlp_half(g, w, at, b, vision.norm_eps, x)
            g.tap(at, x, frames)
    if not group.last:
        end = g.op("Identity", x, name=handed_on("tokens", group.stop))
        return group.name, [Value(begin, "float32", frames)], [Value(end, "float32", frames)]
    head = g.op("Slice", x, g.constant([0]), g.constant([1]), g.constant([2]))
    head = g.op("ReduceMean", head, axes=[1], keepdims=0)
    rest = g.op("Slice", x, g.constant([1]), g.constant([2**31 - 1]), g.constant([2]))
    flat = g.op("Concat", g.op("Shape", rest, start=0, end=1), g.constant([-1, vision.width]), axis=0)
    rest = g.op("Reshape", rest, flat)
    x = g.layer_norm(g.op("Concat", head, rest, axis=1), w.norm("ln_post", encoder.ln_post), vision.norm_eps)
    if config.bridge:
        g.tap("ln_post", x, ("batch", "tokens", vision.width))
        x = g.linear(x, *w.linears("visn_fc", [model.visn_fc]))
        x = g.layer_norm(x, w.norm("visn_layer_norm", model.visn_layer_norm), config.text.norm_eps)
    g.op("Identity", x, name="visual")
    return (
        group.name,
        [Value(begin, "float32", frames)],
        [Value("visual", "float32", ("batch", "tokens", config.text.width))],
    )
