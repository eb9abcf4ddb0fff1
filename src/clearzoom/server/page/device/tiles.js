// The canonical grid, as in clearzoom.core.tiles: each tile is computed from the same window,
// whatever the device.
const BORDER_PX = 8; // mirrored around the picture: at a bare edge zero padding darkens a white

/**
 * @typedef {object} Span of a tile, in px of one axis
 * @property {number} start of its window; below 0 it is mirrored
 * @property {number} stop
 * @property {number} coreStart of what it makes
 * @property {number} coreStop
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
 * One axis in cores of corePx, each read with haloPx on both sides.
 * @param {number} length
 * @param {number} corePx
 * @param {number} haloPx
 */
function spans(length, corePx, haloPx) {
  /** @type {Span[]} */
  const found = [];
  for (let coreStart = 0; coreStart < length; coreStart += corePx) {
    const coreStop = Math.min(coreStart + corePx, length);
    const start = Math.max(-BORDER_PX, coreStart - haloPx);
    const stop = Math.min(length + BORDER_PX, coreStop + haloPx);
    found.push({ start, stop, coreStart, coreStop, length });
  }
  return found;
}

/**
 * The tiles of a picture, row by row.
 * @param {{width: number, height: number}} picture
 * @param {{tilePx: number, haloPx: number}} network
 * @returns {Tile[][]}
 */
export function grid({ width, height }, { tilePx, haloPx }) {
  const across = spans(width, tilePx, haloPx);
  return spans(height, tilePx, haloPx).map((rows) => across.map((columns) => ({ rows, columns })));
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
