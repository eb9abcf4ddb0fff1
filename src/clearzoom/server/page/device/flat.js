// Flat fields, as in clearzoom.core.flat: where a picture says nothing, nothing is inferred.
const REACH_PX = 3;

/**
 * @typedef {(top: number, bottom: number, left: number, right: number) => number} Count
 * of what is in a rectangle
 */

/**
 * Counts over all px above and left of each; gives that of any rows and columns.
 * @param {number} height
 * @param {number} width
 * @param {(y: number, x: number) => boolean} isChange
 * @returns {Count}
 */
export function sums(height, width, isChange) {
  const all = new Int32Array((height + 1) * (width + 1));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = (y + 1) * (width + 1) + x + 1;
      all[at] = Number(isChange(y, x)) + all[at - 1] + all[at - width - 1] - all[at - width - 2];
    }
  }
  return (top, bottom, left, right) =>
    all[bottom * (width + 1) + right] -
    all[top * (width + 1) + right] -
    all[bottom * (width + 1) + left] +
    all[top * (width + 1) + left];
}

/**
 * 1 where all px within 3 px are equal.
 * @param {Uint8Array} levels RGB, (height, width, 3)
 * @param {number} height
 * @param {number} width
 */
export function flatFields(levels, height, width) {
  /** @type {(a: number, b: number) => boolean} */
  const differs = (a, b) =>
    levels[a] !== levels[b] || levels[a + 1] !== levels[b + 1] || levels[a + 2] !== levels[b + 2];
  const down = sums(height - 1, width, (y, x) =>
    differs(3 * (y * width + x), 3 * ((y + 1) * width + x)),
  );
  const across = sums(height, width - 1, (y, x) =>
    differs(3 * (y * width + x), 3 * (y * width + x + 1)),
  );
  const flat = new Uint8Array(height * width);
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = [Math.max(y - REACH_PX, 0), Math.min(y + REACH_PX, height - 1)];
    for (let x = 0; x < width; x += 1) {
      const [left, right] = [Math.max(x - REACH_PX, 0), Math.min(x + REACH_PX, width - 1)];
      const changes = down(top, bottom, left, right + 1) + across(top, bottom + 1, left, right);
      flat[y * width + x] = Number(changes === 0);
    }
  }
  return flat;
}
