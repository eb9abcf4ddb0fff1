// Transparency, as in clearzoom.core.alpha: what a network sees under it must not bleed into the
// visible edge. Alpha itself is enlarged bicubic.
import { taps } from "./taps.js";

/**
 * @typedef {import("./tiles.js").Picture} Picture
 * @typedef {import("./tiles.js").Span} Span
 * @typedef {import("./tiles.js").Tile} Tile
 * @typedef {import("./taps.js").Taps} Taps
 */

const RADII_PX = [1, 2, 4, 8, 16, 32];
const REACH_PX = Math.max(...RADII_PX) + 1;
const FAINT = 16;

/** @param {Uint8ClampedArray} levels RGBA */
export function hasAlpha(levels) {
  for (let at = 3; at < levels.length; at += 4) if (levels[at] !== 255) return true;
  return false;
}

/**
 * Sums of alpha and of alpha * colour over squares, nothing lying beyond the border.
 * @param {Uint8ClampedArray} levels RGBA
 * @param {number} height
 * @param {number} width
 * @returns {(y: number, x: number, radius: number, part: number) => number}
 */
function boxSums(levels, height, width) {
  const stride = 4 * (width + 1);
  const all = new Float64Array((height + 1) * stride);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [from, to] = [4 * (y * width + x), (y + 1) * stride + 4 * (x + 1)];
      const alpha = levels[from + 3];
      for (let part = 0; part < 4; part += 1) {
        const value = part === 3 ? alpha : alpha * levels[from + part];
        const around = all[to + part - 4] + all[to + part - stride] - all[to + part - stride - 4];
        all[to + part] = value + around;
      }
    }
  }
  return (y, x, radius, part) => {
    const [top, bottom] = [Math.max(y - radius, 0), Math.min(y + radius + 1, height)];
    const [left, right] = [Math.max(x - radius, 0), Math.min(x + radius + 1, width)];
    /** @type {(row: number, column: number) => number} */
    const at = (row, column) => all[row * stride + 4 * column + part];
    return at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
  };
}

/**
 * Give faint px the colour of the 3 x 3 px around, as far as those have more alpha.
 * @param {Uint8ClampedArray} levels RGBA
 * @param {number} height
 * @param {number} width
 */
function outweighed(levels, height, width) {
  const sum = boxSums(levels, height, width);
  const result = levels.slice();
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      const own = levels[at + 3];
      if (!own) continue;
      let squares = 0;
      for (let row = Math.max(y - 1, 0); row < Math.min(y + 2, height); row += 1) {
        for (let column = Math.max(x - 1, 0); column < Math.min(x + 2, width); column += 1) {
          squares += levels[4 * (row * width + column) + 3] ** 2;
        }
      }
      const near = sum(y, x, 1, 3);
      const usual = squares / near;
      if (usual <= 2 * own) continue;
      const times = (usual - own) / (FAINT * own);
      const share = (times * times * times) / (1 + times * times * times);
      for (let colour = 0; colour < 3; colour += 1) {
        const mean = sum(y, x, 1, colour) / near;
        result[at + colour] = Math.floor(levels[at + colour] * (1 - share) + mean * share + 0.5);
      }
    }
  }
  return result;
}

/**
 * Give hidden px the colour of the nearest that can be seen.
 * @param {Uint8ClampedArray} source RGBA
 * @param {number} height
 * @param {number} width
 */
function filled(source, height, width) {
  const levels = outweighed(source, height, width);
  const sum = boxSums(levels, height, width);
  const result = levels.slice();
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      if (levels[at + 3]) continue;
      const radius = RADII_PX.find((one) => sum(y, x, one, 3) > 0);
      if (!radius) continue;
      const near = sum(y, x, radius, 3);
      for (let colour = 0; colour < 3; colour += 1) {
        const all = sum(y, x, radius, colour);
        result[at + colour] = Math.floor((all + Math.floor(near / 2)) / near);
      }
    }
  }
  return result;
}

/**
 * RGBA levels of at least a window's px, filled where hidden, and where they lie.
 * @param {Picture} picture
 * @param {Span} rows
 * @param {Span} columns
 */
export function visibleColours(picture, rows, columns) {
  if (picture.channels === 3) {
    return { levels: picture.levels, width: picture.width, left: 0, top: 0 };
  }
  const [top, bottom] = [
    Math.max(0, rows.start - REACH_PX),
    Math.min(rows.length, rows.stop + REACH_PX),
  ];
  const [left, right] = [
    Math.max(0, columns.start - REACH_PX),
    Math.min(columns.length, columns.stop + REACH_PX),
  ];
  const width = right - left;
  const part = new Uint8ClampedArray(4 * width * (bottom - top));
  for (let y = top; y < bottom; y += 1) {
    const from = 4 * (y * picture.width + left);
    part.set(picture.levels.subarray(from, from + 4 * width), 4 * (y - top) * width);
  }
  return { levels: filled(part, bottom - top, width), width, left, top };
}

/**
 * The colour of the px around, each weighted by its alpha; null where there is none.
 * @param {Picture} picture
 * @param {Taps} down
 * @param {Taps} across
 */
function spreadColour({ levels, width }, down, across) {
  const sums = [0, 0, 0];
  let all = 0;
  for (const [y, above] of down) {
    for (const [x, beside] of across) {
      const at = 4 * (y * width + x);
      const weight = above * beside * levels[at + 3];
      all += weight;
      for (let colour = 0; colour < 3; colour += 1) sums[colour] += weight * levels[at + colour];
    }
  }
  return all > 0 ? sums.map((sum) => sum / all) : null;
}

/**
 * Put a tile's enlarged alpha into its core; colour follows where it spreads.
 * @param {Picture} picture
 * @param {Tile} tile
 * @param {number} scale
 * @param {Uint8Array} core (scale * h, scale * w, 4)
 */
export function enlargedAlpha(picture, { rows, columns }, scale, core) {
  const across = taps(columns, scale);
  let to = 0;
  taps(rows, scale).forEach((down) => {
    const line = new Float64Array(picture.width);
    for (const [px, weight] of down.bicubic) {
      for (let x = 0; x < picture.width; x += 1) {
        line[x] += weight * picture.levels[4 * (px * picture.width + x) + 3];
      }
    }
    for (const parts of across) {
      let value = 0;
      for (const [px, weight] of parts.bicubic) value += weight * line[px];
      value = Math.min(Math.max(value, 0), 255);
      core[to + 3] = Math.floor(value + 0.5);
      const own = picture.levels[4 * (down.own * picture.width + parts.own) + 3];
      if (value > own && value >= 0.5) {
        const theirs = spreadColour(picture, down.linear, parts.linear);
        const share = theirs ? 1 - own / value : 0;
        for (let colour = 0; theirs && colour < 3; colour += 1) {
          const mixed = core[to + colour] * (1 - share) + theirs[colour] * share;
          core[to + colour] = Math.floor(mixed + 0.5);
        }
      }
      to += 4;
    }
  });
}
