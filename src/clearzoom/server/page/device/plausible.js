// Tell a network that drifts on a hard picture from one that is broken, as clearzoom.engines.plausible
// does: what is no picture is never called done.
const MEAN_TOLERANCE = 0.1; // of the range, for a smooth tile
const DETAIL_TOLERANCE = 0.3; // more for a tile whose every px is black beside white
const ABSURD = 32; // ranges
const BLOCK_PX = 16; // the tones of each block must be right: one grey can have those of the whole

/**
 * Whether a network's result can be an enlargement of its input.
 * @param {Float32Array} x (3, height, width), full range = 1
 * @param {Float32Array} y (3, scale * height, scale * width), the result
 * @param {number} height
 * @param {number} width
 * @param {number} scale
 */
export function isPicture(x, y, height, width, scale) {
  if (y.length !== x.length * scale * scale) return false;
  if (y.some((value) => !(Math.abs(value) <= ABSURD))) return false; // not a number: neither
  const before = blockMeans(x, height, width, 1);
  const after = blockMeans(y, height * scale, width * scale, scale);
  const squares = before.reduce((sum, mean, block) => sum + (after[block] - mean) ** 2, 0);
  const tolerance = MEAN_TOLERANCE + DETAIL_TOLERANCE * detailOf(x, height, width);
  return Math.sqrt(squares / before.length) < tolerance;
}

/**
 * The mean of each block over all channels; incomplete blocks are left out.
 * @param {Float32Array} values (3, height, width)
 * @param {number} height
 * @param {number} width
 * @param {number} scale by which blocks are larger
 */
function blockMeans(values, height, width, scale) {
  const [rows, columns] = [height, width].map((side) => Math.min(BLOCK_PX * scale, side));
  const [down, across] = [Math.floor(height / rows), Math.floor(width / columns)];
  const sums = new Float64Array(down * across);
  for (let line = 0; line < 3 * height; line += 1) {
    const row = Math.floor((line % height) / rows);
    if (row === down) continue;
    for (let x = 0; x < across * columns; x += 1) {
      sums[row * across + Math.floor(x / columns)] += values[line * width + x];
    }
  }
  return sums.map((sum) => sum / (3 * rows * columns));
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
