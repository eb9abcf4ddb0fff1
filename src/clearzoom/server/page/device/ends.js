// Drawn white stays white, and black black, as in clearzoom.core.ends.
import { sums } from "./flat.js";

const REACH_PX = 4;
const [FAINT, CLOSE, INK] = [6, 12, 24]; // levels away from the end
const FEW = 3;
const COLOURS = [0, 1, 2];

/**
 * The level that each value's enlargement is held at: 255 or 0; -1 where it is held at none.
 * @param {Uint8Array} levels RGB, (height, width, 3)
 * @param {number} height
 * @param {number} width
 * @param {number[]} inside top, bottom, left and right of what is not mirrored
 */
export function heldEnds(levels, height, width, [top, bottom, left, right]) {
  const held = new Int16Array(levels.length).fill(-1);
  for (const end of [255, 0]) {
    if (!levels.includes(end)) continue;
    /** @type {(y: number, x: number, colour: number) => number} */
    const inwards = (y, x, colour) => Math.abs(end - levels[3 * (y * width + x) + colour]);
    /** @type {(y: number, x: number) => boolean} */
    const isInside = (y, x) => y >= top && y < bottom && x >= left && x < right;
    const around = COLOURS.map((colour) => {
      /** @param {(off: number) => boolean} isOne */
      const count = (isOne) =>
        sums(height, width, (y, x) => isInside(y, x) && isOne(inwards(y, x, colour)));
      return {
        there: count((off) => off === 0),
        close: count((off) => off > 0 && off <= CLOSE),
        ink: count((off) => off > INK),
      };
    });
    /** @type {(count: import("./flat.js").Count, y: number, x: number, reach: number) => number} */
    const near = (count, y, x, reach) =>
      count(
        Math.max(y - reach, 0),
        Math.min(y + reach + 1, height),
        Math.max(x - reach, 0),
        Math.min(x + reach + 1, width),
      );
    /** @type {(y: number, x: number, times: number) => boolean} */
    const more = (y, x, times) =>
      around.some(
        ({ there, close }) => near(there, y, x, REACH_PX) > times * near(close, y, x, REACH_PX),
      );
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        const off = COLOURS.map((colour) => inwards(y, x, colour));
        if (Math.min(...off) > FAINT || !more(y, x, 1)) continue;
        const isFew = more(y, x, FEW);
        for (const colour of COLOURS) {
          const isFaint = off[colour] <= FAINT && isFew && near(around[colour].ink, y, x, 1) > 0;
          if (off[colour] === 0 || isFaint) held[3 * (y * width + x) + colour] = end;
        }
      }
    }
  }
  return held;
}
