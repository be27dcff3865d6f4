/** As much of the ONNX format (onnx/onnx.proto) as it takes to see what a graph does with its weights. */
import protobuf from 'protobufjs';

const { root } = protobuf.parse(
  `syntax = "proto2";
   message Entry { optional string key = 1; optional string value = 2; }
   message Tensor { repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8;
     repeated Entry external_data = 13; optional int32 data_location = 14; }
   message Attribute { optional string name = 1; optional Graph g = 6; repeated Graph graphs = 11; }
   message Node { repeated string input = 1; repeated string output = 2; optional string name = 3;
     optional string op_type = 4; repeated Attribute attribute = 5; }
   message Graph { repeated Node node = 1; repeated Tensor initializer = 5; }
   message Model { optional Graph graph = 7; }`,
  { keepCase: false },
);
const Model = root.lookupType('Model');

/** A weight, or another constant, of a graph. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** 1: float32, 3: int8. */
  readonly dataType: number;
  /** Where its bytes are, if not in the file: `location`, `offset`, `length`. */
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
}

/** One operation. */
export interface OnnxNode {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly attribute: readonly { readonly g?: OnnxGraph; readonly graphs: readonly OnnxGraph[] }[];
}

export interface OnnxGraph {
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
}

/** The graph of an ONNX file. */
export function readOnnx(bytes: Uint8Array): OnnxGraph {
  const options = { longs: Number, arrays: true };
  return (Model.toObject(Model.decode(bytes), options) as { graph: OnnxGraph }).graph;
}

/** An ONNX file that nobody runs, of these nodes and weights. */
export function writeOnnx(graph: object): Uint8Array {
  return Model.encode(Model.fromObject({ graph })).finish();
}

/**
 * The nodes that dequantise what depends on nothing but weights: a runtime computes them again at every run. A row that is
 * looked up in a weight depends on more, and may be.
 *
 * @param outer - values of the graphs around it that depend on weights alone
 */
export function dequantisedWeights(graph: OnnxGraph, outer: ReadonlySet<string> = new Set()): OnnxNode[] {
  const constant = new Set([...outer, ...graph.initializer.map(({ name }) => name)]);
  return graph.node.flatMap((node) => {
    const inputs = node.input.filter((name) => name !== '');
    const inner = node.attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]);
    const found = inner.flatMap((each) => dequantisedWeights(each, constant));
    // What holds graphs may depend on anything that they name.
    if (inner.length === 0 && inputs.every((name) => constant.has(name))) {
      for (const name of node.output) constant.add(name);
    }
    const isFound = node.opType === 'DequantizeLinear' && constant.has(inputs[0] ?? '');
    return isFound ? [...found, node] : found;
  });
}
