// Interpolation along an axis, as in clearzoom.core.resize: which px an enlarged one is made of.
import { mirrored } from "./tiles.js";

const BICUBIC_REACH_PX = 3;

/** @typedef {[px: number, weight: number][]} Taps */

/**
 * Keys' kernel, a = -0.5.
 * @param {number} distance
 */
function cubic(distance) {
  const x = Math.abs(distance);
  if (x <= 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
  return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
}

/**
 * For each px of an enlarged core: the px that it lies in, and those it is made of.
 * @param {Pick<import("./tiles.js").Span, "coreStart" | "coreStop" | "length">} span
 * @param {number} scale
 * @returns {{own: number, bicubic: Taps, linear: Taps}[]}
 */
export function taps({ coreStart, coreStop, length }, scale) {
  const [start, stop] = [coreStart - BICUBIC_REACH_PX, coreStop + BICUBIC_REACH_PX];
  const at = mirrored({ start, stop, length });
  return Array.from({ length: (coreStop - coreStart) * scale }, (_, index) => {
    const own = coreStart + Math.floor(index / scale);
    const centre = (coreStart * scale + index + 0.5) / scale - 0.5;
    /** @type {Taps} */
    const bicubic = [-1, 0, 1, 2].map((tap) => {
      const px = Math.floor(centre) + tap;
      return [at[px - start], cubic(centre - px)];
    });
    /** @type {Taps} */
    const linear = [0, 1].map((tap) => {
      const px = Math.floor(centre) + tap;
      return [at[px - start], 1 - Math.abs(centre - px)];
    });
    return { own, bicubic, linear };
  });
}
