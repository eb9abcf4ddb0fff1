// A network that others made, run as if it were ours, as in clearzoom.engines.foreign: its range,
// channels and sizes are translated.
import { Failure } from "./failure.js";
import { taps } from "./taps.js";
import { mirrored } from "./tiles.js";

const LUMA = [0.299, 0.587, 0.114]; // of R, G and B in full-range luma: ITU-R BT.601-7, 2.5.1

/**
 * @typedef {Float16Array | Float32Array | Float64Array} Numbers
 * @typedef {(x: Float32Array, height: number, width: number) => Promise<Float32Array>} Run
 *   (C, height, width) to (C, scale * height, scale * width)
 * @typedef {(x: Numbers, height: number, width: number) => Promise<Numbers>} AnyRun
 *
 * @typedef {object} Sizes of pictures that a network takes, as its card states them
 * @property {number} multiple_px
 * @property {number} minimum_px
 * @property {[number | null, number | null]} fixed_px height and width
 *
 * @typedef {object} Interface of a network, as its card states it
 * @property {1 | 3} channels
 * @property {"RGB" | "BGR"} input_order
 * @property {"RGB" | "BGR"} output_order
 * @property {[number, number]} input_range the values of black and white
 * @property {[number, number]} output_range
 * @property {"float16" | "float32" | "float64"} dtype
 * @property {Sizes} sizes
 *
 * @typedef {object} Foreign what the card of an added network has besides
 * @property {number} scale
 * @property {number} reach_px
 * @property {number} period_px
 * @property {Interface} interface
 *
 * @typedef {{start: number, stop: number, from: number, to: number}} Part of an axis, mirrored at
 *   its ends; only the px "from" to "to" of its result are used
 */

/**
 * Translate a network's input and output to the form that our own networks have.
 * @param {AnyRun} run takes and gives (C, height, width) as the card states them
 * @param {Foreign} card
 * @returns {Run} from (3, height, width) in -0.5..0.5 to (3, scale * height, scale * width)
 */
export function adapted(run, card) {
  const { channels, input_order, output_order, input_range, output_range } = card.interface;
  const makeNumbers = numbersOf(card.interface);
  const sized = anySize(run, makeNumbers, card);
  /** @type {Run} */
  const translated = async (x, height, width) => {
    const [low, high] = input_range;
    const theirs = inOrder(x, makeNumbers(x.length), channels, input_order);
    for (let at = 0; at < x.length; at += 1) theirs[at] = (theirs[at] + 0.5) * (high - low) + low;
    const y = await sized(theirs, height, width);
    const [black, white] = output_range;
    const ours = inOrder(y, new Float32Array(y.length), channels, output_order);
    for (let at = 0; at < y.length; at += 1) ours[at] = (ours[at] - black) / (white - black) - 0.5;
    return ours;
  };
  return channels === 3 ? translated : inLuma(translated, card.scale);
}

/**
 * Arrays of the kind of numbers that a network takes.
 * @param {Pick<Interface, "dtype">} description
 * @returns {(length: number) => Numbers}
 */
function numbersOf({ dtype }) {
  if (dtype === "float32") return (length) => new Float32Array(length);
  if (dtype === "float64") return (length) => new Float64Array(length);
  if (typeof Float16Array === "undefined") {
    throw new Failure("unsupported", "this browser has no numbers of 16 bit");
  }
  return (length) => new Float16Array(length);
}

/**
 * Copy numbers, with the order of colours turned where it is not ours.
 * @template {Numbers} To
 * @param {Numbers} from (channels, height, width)
 * @param {To} to likewise
 * @param {number} channels
 * @param {"RGB" | "BGR"} order
 */
function inOrder(from, to, channels, order) {
  const plane = from.length / channels;
  for (let channel = 0; channel < channels; channel += 1) {
    const place = order === "BGR" ? channels - 1 - channel : channel;
    to.set(from.subarray(channel * plane, (channel + 1) * plane), place * plane);
  }
  return to;
}

/**
 * Run a network of one channel, and add its detail in luma to the interpolated colours.
 * @param {Run} run
 * @param {number} scale
 * @returns {Run}
 */
function inLuma(run, scale) {
  return async (x, height, width) => {
    const plane = height * width;
    const luma = Float32Array.from({ length: plane }, (_, at) =>
      LUMA.reduce((sum, weight, colour) => sum + weight * x[colour * plane + at], 0),
    );
    const sharp = await run(luma, height, width);
    const larger = new Float32Array(3 * sharp.length);
    for (let colour = 0; colour < 3; colour += 1) {
      const own = x.subarray(colour * plane, (colour + 1) * plane);
      larger.set(interpolated(own, height, width, scale), colour * sharp.length);
    }
    for (let at = 0; at < sharp.length; at += 1) {
      const places = LUMA.map((_, colour) => colour * sharp.length + at);
      const soft = places.reduce((sum, place, colour) => sum + LUMA[colour] * larger[place], 0);
      for (const place of places) larger[place] += sharp[at] - soft;
    }
    return larger;
  };
}

/**
 * Bicubic.
 * @param {Float32Array} plane (height, width)
 * @param {number} height
 * @param {number} width
 * @param {number} scale
 */
function interpolated(plane, height, width, scale) {
  const [down, across] = [height, width].map((length) =>
    taps({ coreStart: 0, coreStop: length, length }, scale),
  );
  const larger = new Float32Array(plane.length * scale * scale);
  down.forEach(({ bicubic }, y) => {
    const line = new Float64Array(width);
    for (const [px, weight] of bicubic) {
      for (let x = 0; x < width; x += 1) line[x] += weight * plane[px * width + x];
    }
    across.forEach((beside, x) => {
      const value = beside.bicubic.reduce((sum, [px, weight]) => sum + weight * line[px], 0);
      larger[y * width * scale + x] = value;
    });
  });
  return larger;
}

/**
 * Cut and fill pictures to the sizes that a network takes.
 * @param {AnyRun} run
 * @param {(length: number) => Numbers} makeNumbers
 * @param {Foreign} card
 * @returns {AnyRun}
 */
function anySize(run, makeNumbers, { scale, reach_px, period_px, interface: { channels, sizes } }) {
  /** @type {(length: number, fixed: number | null) => Part[]} */
  const partsOf = (length, fixed) =>
    fixed ? fixedParts(length, fixed, reach_px, period_px) : [whole(length, sizes)];
  return async (x, height, width) => {
    const rows = partsOf(height, sizes.fixed_px[0]);
    const columns = partsOf(width, sizes.fixed_px[1]);
    /** @type {(part: Part, length: number) => boolean} */
    const isAll = ({ start, stop }, length) => start === 0 && stop === length;
    if (isAll(rows[0], height) && isAll(columns[0], width)) return run(x, height, width);
    const larger = makeNumbers(x.length * scale * scale);
    for (const down of rows) {
      for (const across of columns) {
        const ys = mirrored({ ...down, length: height });
        const xs = mirrored({ ...across, length: width });
        const window = makeNumbers(channels * ys.length * xs.length);
        let to = 0;
        for (let channel = 0; channel < channels; channel += 1) {
          for (const py of ys) {
            const line = (channel * height + py) * width;
            for (const px of xs) {
              window[to] = x[line + px];
              to += 1;
            }
          }
        }
        const part = await run(window, ys.length, xs.length);
        const stride = xs.length * scale;
        for (let channel = 0; channel < channels; channel += 1) {
          for (let py = down.from * scale; py < down.to * scale; py += 1) {
            const line = (channel * ys.length * scale + py - down.start * scale) * stride;
            const [first, last] = [across.from, across.to].map((px) => px - across.start);
            const kept = part.subarray(line + first * scale, line + last * scale);
            const target = (channel * height * scale + py) * width * scale + across.from * scale;
            larger.set(kept, target);
          }
        }
      }
    }
    return larger;
  };
}

/**
 * @param {number} length
 * @param {Sizes} sizes
 * @returns {Part}
 */
function whole(length, { minimum_px, multiple_px }) {
  const needed = Math.max(length, minimum_px);
  const stop = Math.ceil(needed / multiple_px) * multiple_px;
  return { start: 0, stop, from: 0, to: length };
}

/**
 * Cut an axis into parts of the fixed length; their edges, which the network pads, go.
 * @param {number} length
 * @param {number} fixedPx
 * @param {number} reachPx
 * @param {number} periodPx
 */
function fixedParts(length, fixedPx, reachPx, periodPx) {
  const step = Math.floor((fixedPx - 2 * reachPx) / periodPx) * periodPx;
  /** @type {Part[]} */
  const parts = [];
  for (let from = 0; from < length; from += step) {
    const start = from - reachPx;
    parts.push({ start, stop: start + fixedPx, from, to: Math.min(from + step, length) });
  }
  return parts;
}
