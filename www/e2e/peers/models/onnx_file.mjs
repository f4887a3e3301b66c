// ONNX files, as far as these models need them: a graph of nodes and the numbers that it begins with
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

import protobuf from "protobufjs";

import { bytesOf } from "./weights.mjs";

const SCHEMA = `
  syntax = "proto2";
  message ModelProto {
    optional int64 ir_version = 1;
    optional GraphProto graph = 7;
    repeated OperatorSetIdProto opset_import = 8;
  }
  message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1;
    optional string name = 2;
    repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11;
    repeated ValueInfoProto output = 12;
  }
  message NodeProto {
    repeated string input = 1;
    repeated string output = 2;
    optional string name = 3;
    optional string op_type = 4;
    repeated AttributeProto attribute = 5;
    optional string domain = 7;
  }
  message AttributeProto {
    optional string name = 1;
    optional float f = 2;
    optional int64 i = 3;
    optional bytes s = 4;
    repeated int64 ints = 8;
    optional int32 type = 20;
  }
  message TensorProto {
    repeated int64 dims = 1;
    optional int32 data_type = 2;
    optional string name = 8;
    optional bytes raw_data = 9;
  }
  message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
  message TypeProto {
    message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
    optional Tensor tensor_type = 1;
  }
  message TensorShapeProto {
    message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
    repeated Dimension dim = 1;
  }
`;
const ModelProto = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("ModelProto");

/** @type {[unknown, number][]} */
const NUMBERS_OF_KINDS = [
  [Float32Array, 1],
  [Uint8Array, 2],
  [Int32Array, 6],
  [BigInt64Array, 7],
];
/** Kinds of numbers, by ONNX's numbers. */
const KINDS = new Map(NUMBERS_OF_KINDS);

/** A graph that is being written. Results of nodes have names of their own. */
export class Graph {
  #graph = { name: "model", node: [], initializer: [], input: [], output: [] };

  /** A value that a caller gives. Sizes are numbers, or the names of what differs from call to call. */
  input(name, kind, shape) {
    this.#graph.input.push(value(name, kind, shape));
    return name;
  }

  /** A value that a caller gets. */
  output(name, kind, shape) {
    this.#graph.output.push(value(name, kind, shape));
  }

  /** Numbers that are the same in every call. */
  constant(name, shape, numbers) {
    const data_type = KINDS.get(numbers.constructor);
    this.#graph.initializer.push({ name, dims: shape, data_type, raw_data: bytesOf(numbers) });
    return name;
  }

  /** A few whole numbers that are the same in every call. */
  integers(...numbers) {
    const name = `integers_${numbers.join("_")}`;
    if (this.#graph.initializer.some((it) => it.name === name)) return name;
    return this.constant(name, [numbers.length], BigInt64Array.from(numbers, BigInt));
  }

  /**
   * Adds a node, and gives the name of its result: the first one. An operator of ONNX Runtime's own has its domain
   * before a colon. An input that is left out has no name.
   *
   * @param {string} operator
   * @param {string[]} inputs
   * @param {Record<string, number | string | number[]>} attributes
   * @param {string[]} outputs
   */
  node(operator, inputs, attributes = {}, outputs = [`${operator}_${this.#graph.node.length}`]) {
    const [op_type, domain = ""] = operator.split(":").reverse();
    const attribute = Object.entries(attributes).map(([name, value]) => {
      if (Array.isArray(value)) return { name, type: 7, ints: value };
      if (typeof value === "string") return { name, type: 3, s: new TextEncoder().encode(value) };
      return FRACTIONS.has(name) ? { name, type: 1, f: value } : { name, type: 2, i: value };
    });
    this.#graph.node.push({ op_type, domain, name: outputs[0], input: inputs, output: outputs, attribute });
    return outputs[0];
  }

  /** The file. */
  bytes() {
    const opset_import = [
      { domain: "", version: 17 },
      { domain: "com.microsoft", version: 1 },
    ];
    return ModelProto.encode({ ir_version: 8, opset_import, graph: this.#graph }).finish();
  }
}

/** The attributes that are fractions for the operator, also where their values are whole. */
const FRACTIONS = new Set(["epsilon", "activation_alpha", "activation_beta"]);

function value(name, kind, shape) {
  const dim = shape.map((size) => (typeof size === "string" ? { dim_param: size } : { dim_value: size }));
  return { name, type: { tensor_type: { elem_type: KINDS.get(kind), shape: { dim } } } };
}
