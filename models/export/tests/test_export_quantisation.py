"""Weights in other forms: what they mean, what they cost, and that they reach the modules asked for."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tiny_model import tiny

from export.build import build_graphs
from export.quantisation import BLOCK, FORMS, as_int4, as_int8, block_quantise, quantise_model, table


def test_four_bit_blocks_are_what_onnxruntime_reads() -> None:
    """MatMulNBits over the packed numbers equals a product with the values that `as_int4` says they mean."""
    rng = np.random.default_rng(5)
    inputs, outputs = 2 * BLOCK, 24
    matrix = rng.standard_normal((inputs, outputs)).astype(np.float32)
    numbers, scales = block_quantise(matrix.T)
    packed = (numbers[..., 0::2] | (numbers[..., 1::2] << 4)).astype(np.uint8)
    node = helper.make_node(
        "MatMulNBits", ["x", "b", "s"], ["y"], domain="com.microsoft", K=inputs, N=outputs, bits=4, block_size=BLOCK
    )
    weights = [numpy_helper.from_array(packed, "b"), numpy_helper.from_array(scales.astype(np.float32), "s")]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    graph = helper.make_graph([node], "one", [x], [y], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, ir_version=9, opset_imports=opsets)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    a = rng.standard_normal((3, inputs)).astype(np.float32)
    meant = as_int4(matrix, 1)
    assert np.abs(session.run(None, {"x": a})[0] - a @ meant.values).max() < 1e-3
    assert meant.bytes == packed.nbytes + scales.nbytes


@pytest.mark.parametrize("shape", [(130, 8), (8, 3, 3, 3)])
def test_four_bit_blocks_stay_within_a_step(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
    values.flat[0] = -9
    axis = 1 if len(shape) == 2 else 0
    rounded = as_int4(values, axis)
    # The far end of a block's range, opposite its greatest value, is cut by up to one step of an eighth.
    assert rounded.values.shape == shape
    assert np.abs(rounded.values - values).max() <= np.abs(values).max() / 8 * 1.01
    assert np.sqrt(np.square(rounded.values - values).mean()) < 0.2


def test_zeros_and_tiny_values_stay_finite() -> None:
    values = np.zeros((64, 2), np.float32)
    values[:, 1] = 1e-9
    for form in FORMS.values():
        assert np.isfinite(form(values, 1).values).all() and not form(values, 1).values[:, 0].any()


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
    expected = as_int8(whole.text_decoder["bert"]["embeddings"].word_embeddings.weight.detach().numpy().T, 1)
    assert np.array_equal(words.T, expected.values)
    with pytest.raises(ValueError, match="no module stem"):
        quantise_model(model, "int8", ["stem"])


def test_forms_are_ordered_by_size_and_by_error() -> None:
    costs = {form: quantise_model(tiny(), form) for form in FORMS}
    size = {form: sum(c.bytes for c in by_module.values()) for form, by_module in costs.items()}
    assert size["int4"] < size["int8"] < size["float16"] < size["float32"]
    error = {form: by_module["decoder"].relative_error for form, by_module in costs.items()}
    assert error["float32"] == 0 and error["float16"] < error["int8"] < error["int4"] < 0.15
    assert table(costs).count("\n") == len(costs["int8"]) + 2
