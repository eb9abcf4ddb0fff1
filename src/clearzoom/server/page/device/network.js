// A released network, run by onnxruntime-web.
import * as ort from "./vendor/ort.wasm.min.mjs";
import { Failure } from "./failure.js";

const MOST_THREADS = 8;
// As in clearzoom/engines/plausible.py: hard pictures make a network drift, broken ones go further.
const MEAN_TOLERANCE = 0.1; // of the range, for a smooth tile
const DETAIL_TOLERANCE = 0.3; // more for a tile whose every px is black beside white
const ABSURD = 32; // ranges
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
/** @type {Map<string, Network>} */
const loaded = new Map();

/**
 * @typedef {object} Network
 * @property {string} name
 * @property {number} scale
 * @property {number} tilePx
 * @property {number} haloPx
 * @property {string} sha256 of its file
 * @property {string} engine
 * @property {number} threads
 * @property {(x: Float32Array, height: number, width: number) => Promise<Float32Array>} run
 *   (3, height, width) in -0.5..0.5 to (3, scale * height, scale * width)
 *
 * @typedef {object} Card what is read of a model card
 * @property {string} name
 * @property {number} scale
 * @property {number} tile_px
 * @property {number} halo_px
 * @property {{name: string, sha256: string}[]} files
 */

/** @param {string | URL} address */
async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) throw new Failure("model", `cannot fetch ${address}`);
  return answer;
}

/**
 * @param {string} address of a model card
 * @returns {Promise<Network>}
 */
async function load(address) {
  /** @type {Card} */
  const card = await (await fetched(address)).json();
  const file = `${card.name}-x${card.scale}.onnx`;
  const model = await (await fetched(new URL(file, address))).arrayBuffer();
  const sha256 = card.files.find(({ name }) => name === file)?.sha256;
  if (!sha256) throw new Failure("model", `${address} has no hash of ${file}`);
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return {
    name: card.name,
    scale: card.scale,
    tilePx: card.tile_px,
    haloPx: card.halo_px,
    sha256,
    engine: `onnxruntime-web ${ort.env.versions.web} fp32`,
    threads,
    run: (x, height, width) => run(session, x, height, width),
  };
}

/**
 * @param {ort.InferenceSession} session
 * @param {Float32Array} x
 * @param {number} height
 * @param {number} width
 */
async function run(session, x, height, width) {
  const lr = new ort.Tensor("float32", x, [1, 3, height, width]);
  const { sr } = await session.run({ lr });
  const enlarged = /** @type {Float32Array} */ (sr.data);
  /** @param {Float32Array} values */
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const tolerance = MEAN_TOLERANCE + DETAIL_TOLERANCE * detailOf(x, height, width);
  const far = enlarged.some((value) => !(Math.abs(value) <= ABSURD));
  if (far || !(Math.abs(mean(enlarged) - mean(x)) < tolerance)) {
    throw new Failure("result", "the network gave numbers that are no picture");
  }
  return enlarged;
}

/**
 * The mean difference of neighbours in (3, height, width): 0 is flat, 1 a checkerboard.
 * @param {Float32Array} x
 * @param {number} height
 * @param {number} width
 */
function detailOf(x, height, width) {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < x.length; at += 1) {
    const column = at % width;
    const row = Math.floor(at / width) % height;
    if (column) sum += Math.abs(x[at] - x[at - 1]);
    if (row) sum += Math.abs(x[at] - x[at - width]);
    count += Number(column > 0) + Number(row > 0);
  }
  return count ? sum / count : 0;
}

/**
 * Load by the address of a card; once.
 * @param {string} address
 */
export async function loadNetwork(address) {
  const network = loaded.get(address) ?? (await load(address));
  loaded.set(address, network);
  return network;
}
