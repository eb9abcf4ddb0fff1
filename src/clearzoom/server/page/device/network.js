// A released network, run by onnxruntime-web.
import * as ort from "./vendor/ort.wasm.min.mjs";
import { Failure } from "./failure.js";

const MOST_THREADS = 8;
const MEAN_TOLERANCE = 0.1; // of the range: a tile that is further off is no enlargement
const PLACES = [
  ["mjs", "./vendor/ort-wasm-simd-threaded.mjs"],
  ["wasm", "./vendor/ort-wasm-simd-threaded.wasm"],
];

ort.env.wasm.wasmPaths = Object.fromEntries(
  PLACES.map(([kind, path]) => [kind, new URL(path, import.meta.url).href]),
);
// Threads share memory, which browsers allow to isolated pages only.
const threads = self.crossOriginIsolated
  ? Math.min(navigator.hardwareConcurrency ?? 1, MOST_THREADS)
  : 1;
ort.env.wasm.numThreads = threads;
const loaded = new Map();

async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) throw new Failure("model", `cannot fetch ${address}`);
  return answer;
}

async function load(address) {
  const card = await (await fetched(address)).json();
  const file = `${card.name}-x${card.scale}.onnx`;
  const model = await (await fetched(new URL(file, address))).arrayBuffer();
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return {
    name: card.name,
    scale: card.scale,
    tilePx: card.tile_px,
    haloPx: card.halo_px,
    sha256: card.files.find(({ name }) => name === file).sha256,
    engine: `onnxruntime-web ${ort.env.versions.web} fp32`,
    threads,
    run: (x, height, width) => run(session, x, height, width),
  };
}

/** (3, height, width) in -0.5..0.5 to (3, scale * height, scale * width). */
async function run(session, x, height, width) {
  const lr = new ort.Tensor("float32", x, [1, 3, height, width]);
  const { sr } = await session.run({ lr });
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  if (!(Math.abs(mean(sr.data) - mean(x)) < MEAN_TOLERANCE)) {
    throw new Failure("result", "the network gave numbers that are no picture");
  }
  return sr.data;
}

/** Load by the address of a card; once. */
export async function loadNetwork(address) {
  if (!loaded.has(address)) loaded.set(address, await load(address));
  return loaded.get(address);
}
