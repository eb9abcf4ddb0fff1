// A network, run by onnxruntime-web: one that clearzoom trained, or one that was added.
import * as ort from "./vendor/ort.wasm.min.mjs";
import { Failure } from "./failure.js";
import { adapted } from "./foreign.js";
import { isPicture } from "./plausible.js";

const MOST_THREADS = 8;
const BORDER_PX = 8; // mirrored around the picture: at a bare edge zero padding darkens a white
const ENDS_REACH_PX = 4; // of what ends.js looks at
const NO_MEMORY = /bad_alloc|allocat|out of memory|more than \d+ bytes|Aborted/i; // onnxruntime has no code
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
 * @property {number} borderPx of mirrored picture that it sees around the picture
 * @property {number} wholePx pictures of up to so many px go through it in one window
 * @property {number} blendPx how far the windows of larger ones overlap and are blended
 * @property {string} sha256 of its file
 * @property {string} engine
 * @property {number} threads
 * @property {import("./foreign.js").Run} run
 *   (3, height, width) in -0.5..0.5 to (3, scale * height, scale * width)
 *
 * @typedef {object} Trained what is read of a model card
 * @property {undefined} kind
 * @property {string} name
 * @property {number} scale
 * @property {number} tile_px
 * @property {number} halo_px
 * @property {{name: string, sha256: string}[]} files
 *
 * @typedef {object} Windows what the card of an added network has besides
 * @property {"added"} kind
 * @property {number} border_px
 * @property {number} whole_px
 * @property {number} blend_px
 *
 * @typedef {Trained | Omit<Trained, "kind"> & Windows & import("./foreign.js").Foreign} Card
 */

/** @param {string | URL} address */
async function fetched(address) {
  const answer = await fetch(address).catch(() => null);
  if (answer && answer.status >= 500) throw new Failure("server", `the server has no ${address}`);
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
  const session = await open(model);
  return {
    name: card.name,
    scale: card.scale,
    ...windowsOf(card),
    sha256,
    engine: `onnxruntime-web ${ort.env.versions.web} fp32`,
    threads,
    run: checked(
      card.kind ? adapted(runOf(session, card.interface), card) : runOf(session),
      card.scale,
    ),
  };
}

/** @param {ArrayBuffer} model */
async function open(model) {
  try {
    return await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  } catch (error) {
    throw new Failure(isForMemory(error) ? "memory" : "unsupported", inWords(error));
  }
}

/**
 * How a network sees a picture, as clearzoom.engines.network has it.
 * @param {Card} card
 */
function windowsOf(card) {
  const { tile_px: tilePx, halo_px: haloPx } = card;
  if (!card.kind) return { tilePx, haloPx, borderPx: BORDER_PX, wholePx: 0, blendPx: 0 };
  const { border_px: borderPx, period_px: period, whole_px: wholePx, blend_px: blendPx } = card;
  const reachPx = Math.max(haloPx, ENDS_REACH_PX);
  const more = (((borderPx - reachPx) % period) + period) % period; // all windows start in phase
  return { tilePx, haloPx: reachPx + more, borderPx, wholePx, blendPx };
}

/**
 * Run a session with what it takes: (C, height, width), as its card states it.
 * @param {ort.InferenceSession} session
 * @param {Pick<import("./foreign.js").Interface, "channels" | "dtype">} [description]
 * @returns {(x: any, height: number, width: number) => Promise<any>}
 */
function runOf(session, { channels, dtype } = { channels: 3, dtype: "float32" }) {
  const [lr] = session.inputNames;
  const [sr] = session.outputNames;
  return async (x, height, width) => {
    try {
      const input = new ort.Tensor(dtype, x, [1, channels, height, width]);
      return (await session.run({ [lr]: input }))[sr].data;
    } catch (error) {
      throw new Failure(isForMemory(error) ? "memory" : "fault", inWords(error));
    }
  };
}

/** @param {unknown} error */
const inWords = (error) => (error instanceof Error ? error.message : String(error));
/** @param {unknown} error */
const isForMemory = (error) => error instanceof RangeError || NO_MEMORY.test(inWords(error));

/**
 * Refuse what a network gives if that is no picture.
 * @param {import("./foreign.js").Run} run
 * @param {number} scale
 * @returns {import("./foreign.js").Run}
 */
function checked(run, scale) {
  return async (x, height, width) => {
    const enlarged = await run(x, height, width);
    if (!isPicture(x, enlarged, height, width, scale)) {
      throw new Failure("result", "the network gave numbers that are no picture");
    }
    return enlarged;
  };
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
