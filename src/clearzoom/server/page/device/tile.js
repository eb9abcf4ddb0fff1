// One tile: its window through the network, flat fields and ends exact, alpha beside it.
import { enlargedAlpha, visibleColours } from "./alpha.js";
import { heldEnds } from "./ends.js";
import { flatFields } from "./flat.js";
import { mirrored } from "./tiles.js";

const AS_INPUT = Float32Array.from({ length: 256 }, (_, level) => Math.fround(level / 255) - 0.5);

/**
 * @typedef {import("./tiles.js").Picture} Picture
 * @typedef {import("./tiles.js").Tile} Tile
 */

/**
 * RGB levels (h, w, 3) of the window; what alpha hides is filled from what is near.
 * @param {Picture} picture
 * @param {Tile} tile
 */
function windowOf(picture, { rows, columns }) {
  const [down, across] = [mirrored(rows), mirrored(columns)];
  const { levels, width, left, top } = visibleColours(picture, rows, columns);
  const window = new Uint8Array(down.length * across.length * 3);
  let to = 0;
  for (const y of down) {
    for (const x of across) {
      const from = 4 * ((y - top) * width + x - left);
      window[to] = levels[from];
      window[to + 1] = levels[from + 1];
      window[to + 2] = levels[from + 2];
      to += 3;
    }
  }
  return { window, height: down.length, width: across.length };
}

/** @param {Uint8Array} window */
function asInput(window) {
  const plane = window.length / 3;
  const x = new Float32Array(window.length);
  for (let i = 0; i < plane; i += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      x[colour * plane + i] = AS_INPUT[window[3 * i + colour]];
    }
  }
  return x;
}

/**
 * Where a window's px lie in the picture: from the first to behind the last.
 * @param {import("./tiles.js").Span} span
 */
function notMirrored({ start, stop, length }) {
  return [Math.max(0, -start), Math.min(stop, length) - start];
}

/** @param {number} value */
const asLevel = (value) => Math.floor(Math.min(Math.max((value + 0.5) * 255, 0), 255) + 0.5);

/**
 * Enlarge a tile's core.
 * @param {Picture} picture
 * @param {Tile} tile
 * @param {import("./network.js").Network} network
 * @returns {Promise<Uint8Array>} (scale * h, scale * w, channels)
 */
export async function enlargeTile(picture, tile, network) {
  const { scale } = network;
  const { channels } = picture;
  const { window, height, width } = windowOf(picture, tile);
  const sr = await network.run(asInput(window), height, width);
  const flat = flatFields(window, height, width);
  const { rows, columns } = tile;
  const inside = [...notMirrored(rows), ...notMirrored(columns)];
  const held = heldEnds(window, height, width, inside);
  const [wide, plane] = [width * scale, height * width * scale * scale];
  const size = (rows.coreStop - rows.coreStart) * (columns.coreStop - columns.coreStart);
  const core = new Uint8Array(size * scale * scale * channels);
  let to = 0;
  for (let y = rows.coreStart * scale; y < rows.coreStop * scale; y += 1) {
    const inWindow = y - rows.start * scale;
    for (let x = columns.coreStart * scale; x < columns.coreStop * scale; x += 1) {
      const across = x - columns.start * scale;
      const from = inWindow * wide + across;
      const lr = Math.floor(inWindow / scale) * width + Math.floor(across / scale);
      for (let colour = 0; colour < 3; colour += 1) {
        const end = flat[lr] ? window[3 * lr + colour] : held[3 * lr + colour];
        core[to + colour] = end >= 0 ? end : asLevel(sr[colour * plane + from]);
      }
      to += channels;
    }
  }
  if (channels === 4) enlargedAlpha(picture, tile, scale, core);
  return core;
}
