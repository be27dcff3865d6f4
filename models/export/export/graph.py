"""A small writer of ONNX graphs whose weights stay outside, in the forms of `export.stored_forms`.

`int8`: large matrices reach DynamicQuantizeMatMul as int8. `int4`: they reach MatMulNBits in blocks, those that are not stored
so are widened. `float32` and `float16`: everything is widened to float32 by the loader. Activations are float32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper

from .rounding import BLOCK
from .tensors import BITS, WeightStore

OPSET = 17
LOCATION = "weights.bin"
TYPES = {
    "float32": TensorProto.FLOAT,
    "int8": TensorProto.INT8,
    # ONNX's own 4-bit type is another: MatMulNBits reads bytes.
    "uint4": TensorProto.UINT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}
ALIGNMENT = 64


@dataclass(frozen=True)
class Value:
    """A named input or output; a string in `shape` is a symbolic length."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass
class Initializer:
    """Where one weight lies in the external data of a graph."""

    name: str
    tensor: str
    dtype: str
    offset: int
    bytes: int


@dataclass
class GraphWriter:
    """Collects nodes; every method returns the name of its output."""

    store: WeightStore
    variant: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    initializers: dict[str, Initializer] = field(default_factory=dict)
    taps: list[tuple[Value, str]] = field(default_factory=list)
    end: int = 0

    @property
    def widens(self) -> bool:
        """Whether the form's kernels read float32 weights alone."""
        return self.variant in ("float32", "float16")

    def reads_int8(self, weight: str) -> bool:
        """Whether rows are looked up in a stored weight as int8: no kernel of a product is asked for then."""
        return not self.widens and self.store.weights[weight].dtype == "int8"

    def op(
        self,
        kind: str,
        *inputs: str,
        outputs: int | list[str] = 1,
        name: str | None = None,
        domain: str = "",
        **attributes: object,
    ):
        """Adds a node. Returns one name (`name` where given), or a list where `outputs` is above 1 or a list of names."""
        base = f"{kind}_{len(self.nodes)}"
        if isinstance(outputs, list):
            names = outputs
        else:
            names = [name or base] if outputs == 1 else [f"{base}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=base, domain=domain, **attributes))
        return names[0] if len(names) == 1 and not isinstance(outputs, list) else names

    def contrib(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Adds a node of onnxruntime's own operators."""
        return self.op(kind, *inputs, domain="com.microsoft", **attributes)

    def tap(self, name: str, x: str, shape: tuple[int | str, ...]) -> None:
        """Names a tensor inside the graph, which only the tapped form hands on; the graph itself stays as it is."""
        self.taps.append((Value(name, "float32", shape), x))

    def constant(self, values: object, dtype: type = np.int64) -> str:
        """A small tensor inside the graph file."""
        array = np.asarray(values, dtype)
        text = re.sub(r"[^0-9A-Za-z-]+", "_", f"{array.dtype}_{array.shape}_{array.tolist()}").replace("-", "minus")
        self.constants[text] = array
        return text

    def weight(self, tensor: str, dtype: str = "float32") -> str:
        """Refers to a stored weight, widened or (`int8`, `uint4`) as stored."""
        name = tensor if dtype == "float32" else f"{tensor}.{dtype}"
        if name not in self.initializers:
            size = self.store.weights[tensor].size * BITS[dtype] // 8
            self.initializers[name] = Initializer(name, tensor, dtype, self.end, size)
            self.end = -(-(self.end + size) // ALIGNMENT) * ALIGNMENT
        return name

    def linear(self, x: str, weight: str, bias: str | None = None, name: str | None = None) -> str:
        """x · W (+ b), W stored in×out; `name` is given where the result is an output of the graph."""
        stored = self.store.weights[weight]
        if stored.outliers is not None and stored.rows is not None:
            rows = self.op("Cast", self.weight(stored.rows.name), to=TensorProto.INT64)
            few = self._product(self.op("Gather", x, rows, axis=-1), stored.outliers.name)
            return self.op("Add", self._product(x, weight, bias), few, name=name)
        return self._product(x, weight, bias, name)

    def _product(self, x: str, weight: str, bias: str | None = None, name: str | None = None) -> str:
        """The same of a matrix as it lies."""
        stored = self.store.weights[weight]
        if self.variant == "int8" and stored.dtype == "int8":
            scales = self.weight(stored.scales_name)
            extra = ["", self.weight(bias)] if bias else []
            return self.contrib("DynamicQuantizeMatMul", x, self.weight(weight, "int8"), scales, *extra, name=name)
        last = None if bias else name
        if stored.dtype == "uint4":
            outputs, blocks, _ = stored.shape
            read = [x, self.weight(weight, "uint4"), self.weight(stored.scales_name)]
            sizes = {"K": blocks * BLOCK, "N": outputs, "bits": 4, "block_size": BLOCK}
            y = self.contrib("MatMulNBits", *read, **sizes, name=last)
        else:
            y = self.op("MatMul", x, self.weight(weight), name=last)
        return self.op("Add", y, self.weight(bias), name=name) if bias else y

    def layer_norm(self, x: str, prefix: str, eps: float) -> str:
        """LayerNorm over the last axis with `prefix`.weight and `prefix`.bias."""
        weight, bias = self.weight(f"{prefix}.weight"), self.weight(f"{prefix}.bias")
        return self.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=eps)

    def add_norm(self, x: str, y: str, prefix: str, eps: float) -> str:
        """LayerNorm(x + y), BERT's post-norm."""
        return self.contrib(
            "SkipLayerNormalization", x, y, self.weight(f"{prefix}.weight"), self.weight(f"{prefix}.bias"), epsilon=eps
        )

    def reshape(self, x: str, *shape: int) -> str:
        """0 keeps a length, −1 infers one."""
        return self.op("Reshape", x, self.constant(shape))

    def transpose(self, x: str, *order: int) -> str:
        """Reorders the axes."""
        return self.op("Transpose", x, perm=list(order))

    def attend(self, q: str, k: str, v: str, width: int, mask: str | None = None) -> str:
        """q B×heads×L×d, already divided by √d; k, v B×heads×N×d, or of batch 1 for all rows of q;
        `mask` is added to the scores. → B×L×`width`."""
        scores = self.op("MatMul", q, self.transpose(k, 0, 1, 3, 2))
        if mask:
            scores = self.op("Add", scores, mask)
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        return self.reshape(self.transpose(mixed, 0, 2, 1, 3), 0, 0, width)

    def model(self, name: str, inputs: list[Value], outputs: list[Value], tapped: bool = False) -> onnx.ModelProto:
        """The finished graph; initializers point into LOCATION. `tapped`: the taps are outputs too."""
        taps = self.taps if tapped else []
        nodes = [*self.nodes, *(helper.make_node("Identity", [x], [v.name], name=f"tap_{v.name}") for v, x in taps)]
        outputs = [*outputs, *(v for v, _ in taps)]
        tensors = []
        for item in self.initializers.values():
            proto = TensorProto(name=item.name, data_type=TYPES[item.dtype])
            proto.dims.extend(self.store.weights[item.tensor].array_shape)
            proto.data_location = TensorProto.EXTERNAL
            for key, value in (("location", LOCATION), ("offset", item.offset), ("length", item.bytes)):
                proto.external_data.add(key=key, value=str(value))
            tensors.append(proto)
        tensors += [onnx.numpy_helper.from_array(array, text) for text, array in self.constants.items()]

        def info(v: Value) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(v.name, TYPES[v.dtype], list(v.shape))

        graph = helper.make_graph(nodes, name, [info(v) for v in inputs], [info(v) for v in outputs], tensors)
        return helper.make_model(
            graph,
            producer_name="owlet",
            ir_version=9,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        )
