"""Weights in other forms: what they mean, what they cost, and that they reach the modules asked for."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tiny_model import tiny

from export.build import build_graphs
from export.errors import BeyondFloat16
from export.quantisation import quantise_model, table
from export.rounding import BLOCK
from export.stored_forms import DEVICES
from export.tensors import Large, rounded


def large(values: np.ndarray, axis: int = 1, product: bool = True) -> Large:
    return Large("a", "m", values, axis, product)


def test_four_bit_blocks_are_what_onnxruntime_reads() -> None:
    """MatMulNBits over the stored bytes equals a product with the values that they are said to mean."""
    rng = np.random.default_rng(5)
    inputs, outputs = 2 * BLOCK, 24
    matrix = rng.standard_normal((inputs, outputs)).astype(np.float32)
    weight = rounded(large(matrix), "int4", "a")
    node = helper.make_node(
        "MatMulNBits", ["x", "b", "s"], ["y"], domain="com.microsoft", K=inputs, N=outputs, bits=4, block_size=BLOCK
    )
    scales = weight.scales.astype(np.float32)
    weights = [numpy_helper.from_array(weight.stored, "b"), numpy_helper.from_array(scales, "s")]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    graph = helper.make_graph([node], "one", [x], [y], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, ir_version=9, opset_imports=opsets)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    a = rng.standard_normal((3, inputs)).astype(np.float32)
    assert np.abs(session.run(None, {"x": a})[0] - a @ weight.values).max() < 1e-3
    assert (weight.dtype, weight.shape) == ("uint4", (outputs, 2, BLOCK))
    assert weight.nbytes == weight.stored.nbytes == inputs * outputs // 2


def test_four_bit_blocks_stay_within_a_step() -> None:
    values = np.random.default_rng(7).standard_normal((128, 8)).astype(np.float32)
    values.flat[0] = -9
    found = rounded(large(values), "int4", "a").values
    # The far end of a block's range, opposite its greatest value, is cut by up to one step of an eighth.
    assert found.shape == values.shape
    assert np.abs(found - values).max() <= np.abs(values).max() / 8 * 1.01
    assert np.sqrt(np.square(found - values).mean()) < 0.2


def test_what_four_bit_kernels_cannot_read_is_int8() -> None:
    ragged, kernel, table = np.ones((130, 8)), np.ones((8, 3, 3, 3)), np.ones((BLOCK, 8))
    assert large(ragged).stored_as("int4") == large(kernel, 0, False).stored_as("int4") == "int8"
    assert large(table, 1, False).stored_as("int4") == "int8" and large(table).stored_as("int4") == "int4"
    assert large(ragged).stored_as("float16") == "float16"


@pytest.mark.parametrize("form", DEVICES)
def test_zeros_and_tiny_values_stay_finite(form: str) -> None:
    values = np.zeros((64, 2), np.float32)
    values[:, 1] = 1e-9
    found = rounded(large(values), form, "a").values
    assert np.isfinite(found).all() and not found[:, 0].any()


@pytest.mark.parametrize(("form", "value"), [("float16", 7e4), ("int4", 7e5)])
def test_numbers_that_float16_has_not_are_refused(form: str, value: float) -> None:
    values = np.full((64, 2), value, np.float32)
    with pytest.raises(BeyondFloat16, match="^a holds numbers too large for float16; export its module as int8"):
        rounded(large(values), form, "a")
    assert rounded(large(values / 20), form, "a").values[0, 0] == pytest.approx(value / 20, rel=1e-3)


def test_int8_of_the_table_is_int8_of_the_export() -> None:
    exported, rounded = tiny(heads=True, shared=True), tiny(heads=True, shared=True)
    store, _ = build_graphs(exported)
    costs = quantise_model(rounded, "int8")
    assert all(torch.equal(a, b) for a, b in zip(exported.parameters(), rounded.parameters()))
    stored: dict[str, int] = {}
    for weight in store.weights.values():
        stored[weight.module] = stored.get(weight.module, 0) + weight.stored.nbytes
    assert {module: cost.bytes for module, cost in costs.items()} == stored


def test_only_the_named_modules_change_and_calls_add_up() -> None:
    whole, model = tiny(shared=True), tiny(shared=True)
    quantise_model(model, "int4", ["decoder"])
    same = {name for (name, a), b in zip(model.named_parameters(), whole.parameters()) if torch.equal(a, b)}
    changed = {name for name, _ in model.named_parameters()} - same
    assert changed and all(name.startswith("text_decoder.") for name in changed)
    assert "text_encoder.embeddings.word_embeddings.weight" in same
    decoder = model.text_decoder["bert"]["encoder"].layer["0"].intermediate["dense"].weight.detach().clone()
    quantise_model(model, "int8", ["embeddings"])
    assert torch.equal(decoder, model.text_decoder["bert"]["encoder"].layer["0"].intermediate["dense"].weight)
    words = model.text_decoder["bert"]["embeddings"].word_embeddings.weight.detach().numpy()
    expected = large(whole.text_decoder["bert"]["embeddings"].word_embeddings.weight.detach().numpy().T, 1, False)
    assert np.array_equal(words.T, rounded(expected, "int8", "a").values)
    with pytest.raises(ValueError, match="no module stem"):
        quantise_model(model, "int8", ["stem"])


def test_forms_are_ordered_by_size_and_by_error() -> None:
    costs = {form: quantise_model(tiny(), form) for form in DEVICES}
    size = {form: sum(c.bytes for c in by_module.values()) for form, by_module in costs.items()}
    assert size["int4"] < size["int8"] < size["float16"] < size["float32"]
    error = {form: by_module["decoder"].relative_error for form, by_module in costs.items()}
    assert error["float32"] == 0 and error["float16"] < error["int8"] < error["int4"] < 0.15
    assert table(costs).count("\n") == len(costs["int8"]) + 2
