"""Runs exported graphs by native onnxruntime, for checking an export."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from .build import Built
from .graph import LOCATION, GraphWriter


def external_data(g: GraphWriter) -> np.ndarray:
    """What the loader assembles for a graph: every initializer at its offset."""
    data = np.zeros(g.end, np.uint8)
    for item in g.initializers.values():
        weight = g.store.weights[item.tensor]
        values = weight.widened if item.dtype == "float32" else weight.stored
        data[item.offset : item.offset + item.bytes] = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    return data


class NativeGraph:
    """A session over a graph and its weights."""

    def __init__(self, built: Built, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # The session reads this memory as long as it lives.
        self.data = external_data(built.writer)
        options.add_external_initializers_from_files_in_memory([LOCATION], [self.data], [len(self.data)])
        model = built.writer.model(built.name, built.inputs, built.outputs).SerializeToString()
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs = [i.name for i in self.session.get_inputs()]
        self.outputs = [o.name for o in self.session.get_outputs()]

    def __call__(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One run; takes its inputs by name from `values`, which may hold more."""
        feeds = {name: values[name] for name in self.inputs}
        return dict(zip(self.outputs, self.session.run(self.outputs, feeds)))
