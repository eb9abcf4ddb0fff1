// The canonical grid, as in clearzoom.core.grid: each tile is computed from the same window,
// whatever the device.
/**
 * @typedef {object} Span of a tile, in px of one axis
 * @property {number} start of its window; below 0 it is mirrored
 * @property {number} stop
 * @property {number} coreStart of what it makes
 * @property {number} coreStop
 * @property {number} nextStart where the core of the next tile starts; before coreStop in windows
 *   that are blended
 * @property {number} length of the axis
 *
 * @typedef {{rows: Span, columns: Span}} Tile
 *
 * @typedef {object} Picture
 * @property {Uint8ClampedArray} levels RGBA
 * @property {number} width
 * @property {number} height
 * @property {number} channels 4 where the alpha channel counts, otherwise 3
 */

/**
 * Whether a network sees all of a picture in one window.
 * @param {{width: number, height: number}} picture
 * @param {Pick<import("./network.js").Network, "wholePx">} network
 */
const isWhole = ({ width, height }, { wholePx }) => width * height <= wholePx;

/**
 * How far the core of a tile goes on into the next one, where both are blended.
 * @param {{width: number, height: number}} picture
 * @param {Pick<import("./network.js").Network, "wholePx" | "blendPx">} network
 */
export const blendOf = (picture, network) => (isWhole(picture, network) ? 0 : network.blendPx);

/**
 * The tiles of a picture, row by row: one alone where the network sees it as a whole.
 * @param {{width: number, height: number}} picture
 * @param {import("./network.js").Network} network
 * @returns {Tile[][]}
 */
export function grid(picture, network) {
  const { tilePx, haloPx, borderPx } = network;
  const { width, height } = picture;
  const corePx = isWhole(picture, network) ? Math.max(width, height) : tilePx;
  const blendPx = blendOf(picture, network);
  /** @param {number} length */
  const spans = (length) => {
    /** @type {Span[]} */
    const found = [];
    for (let coreStart = 0; coreStart < length; coreStart += corePx) {
      const nextStart = Math.min(coreStart + corePx, length);
      const coreStop = Math.min(nextStart + blendPx, length);
      const start = Math.max(-borderPx, coreStart - haloPx);
      const stop = Math.min(length + borderPx, coreStop + haloPx);
      found.push({ start, stop, coreStart, coreStop, nextStart, length });
    }
    return found;
  };
  const across = spans(width);
  return spans(height).map((rows) => across.map((columns) => ({ rows, columns })));
}

/**
 * The px of the axis that a span reads, with the edge's own px mirrored first.
 * @param {Pick<Span, "start" | "stop" | "length">} span
 */
export function mirrored({ start, stop, length }) {
  return Int32Array.from({ length: stop - start }, (_, index) => {
    const at = (((start + index) % (2 * length)) + 2 * length) % (2 * length);
    return Math.min(at, 2 * length - 1 - at);
  });
}
