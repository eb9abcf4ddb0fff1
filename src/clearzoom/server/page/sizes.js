// How large an enlarged picture becomes: arithmetic only. The server's rule: floor(x + 0.5).
const CM_PER_INCH = 2.54;
const MOST_RESULT_PX = 400_000_000; // the server's limit for a job
/** @type {Record<string, number>} */
const LONGEST_PX = { jpg: 65_535, webp: 16_383, avif: 16_384, gif: 65_535 }; // of a side, by the format
const MOST_VIEW_PX = 16_000_000; // of one answer of the server
const LONGEST_VIEW_PX = 8192;
/** The formats of a result, by what it is made of; the first is that of pictures without any. */
const FORMATS = {
  still: ["png", "jpg", "webp", "tif", "avif"],
  animation: ["png", "webp", "gif"],
  view: ["png", "jpg", "webp"],
};
export const FEW_DPI = 150; // below this, detail at reading distance is not from the original

/**
 * @typedef {import("./api.js").Picture} Picture
 *
 * @typedef {{how: "times", times: number}} Times
 * @typedef {{how: "pixels", width: number, height: number}} Pixels one may be NaN: it is missing
 * @typedef {object} Print
 * @property {"print"} how
 * @property {number} width in the unit
 * @property {number} height
 * @property {string} unit "cm" or "in"
 * @property {number} dpi
 * @property {boolean} fill whether the picture covers the sheet, and is cropped for it
 *
 * @typedef {object} View what is seen of the picture
 * @property {"view"} how
 * @property {number} left in px of the picture
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {number} zoom px of the screen for each px
 *
 * @typedef {object} Plan
 * @property {number} width of the result, in px
 * @property {number} height
 * @property {number} times how many times larger
 * @property {Record<string, string | number | boolean>} query for the server
 * @property {number} [sourceDpi] of a print: original px to an inch
 *
 * @typedef {object} Refusal
 * @property {import("./words.js").Key} key of words
 * @property {Record<string, number>} [parts] of the words
 */

/**
 * In which formats the server gives a result.
 * @param {Picture} picture
 * @param {(Times | Pixels | Print | View)["how"]} how
 */
export function formatsOf(picture, how) {
  if (how === "view") return FORMATS.view;
  return picture.frames > 1 ? FORMATS.animation : FORMATS.still;
}

/** @param {number} length */
const rounded = (length) => Math.max(1, Math.floor(length + 0.5));
/** @param {number} value */
const isSize = (value) => Number.isFinite(value) && value > 0;

/**
 * The plan for a size; null where that is none.
 * @param {Picture} picture
 * @param {Times | Pixels | Print | View} size
 * @returns {Plan | null}
 */
export function planned(picture, size) {
  const { width, height } = picture;
  if (size.how === "times") {
    const { times } = size;
    if (!isSize(times)) return null;
    return sized(picture, width * times, height * times, { scale: times });
  }
  if (size.how === "view") {
    return sized(picture, size.width * size.zoom, size.height * size.zoom, {}, size.zoom);
  }
  if (size.how === "pixels") {
    /** @type {Plan["query"]} */
    const query = {};
    if (isSize(size.width)) query.width = Math.round(size.width);
    if (isSize(size.height)) query.height = Math.round(size.height);
    const [across, down] = [Math.round(size.width) / width, Math.round(size.height) / height];
    const ratios = [across, down].filter(isSize);
    if (!ratios.length) return null;
    const times = Math.min(...ratios);
    return sized(picture, width * times, height * times, query);
  }
  const { unit, dpi, fill } = size;
  if (![size.width, size.height, dpi].every(isSize)) return null;
  const perInch = unit === "cm" ? CM_PER_INCH : 1;
  const [boxWidth, boxHeight] = [(size.width / perInch) * dpi, (size.height / perInch) * dpi];
  const ratios = [boxWidth / width, boxHeight / height];
  const times = fill ? Math.max(...ratios) : Math.min(...ratios);
  /** @type {Plan["query"]} */
  const query = { print_size: `${size.width}x${size.height}${unit}@${dpi}dpi` };
  if (fill) query.fill = true;
  const plan = fill
    ? sized(picture, boxWidth, boxHeight, query, times)
    : sized(picture, width * times, height * times, query, times);
  return { ...plan, sourceDpi: dpi / times };
}

/**
 * @param {Picture} picture
 * @param {number} width
 * @param {number} height
 * @param {Plan["query"]} query
 * @returns {Plan}
 */
function sized(picture, width, height, query, times = width / picture.width) {
  return { width: rounded(width), height: rounded(height), times, query };
}

/**
 * How many times larger the server makes a picture.
 * @param {Picture} picture
 * @param {number} mostTimes by the networks, after one another
 */
export function largest(picture, mostTimes) {
  const all = picture.width * picture.height * picture.frames;
  const byPixels = Math.sqrt(MOST_RESULT_PX / all);
  const most = Math.min(byPixels, picture.max_scale ? mostTimes : 1);
  const steps = most < 10 ? 100 : 10;
  return Math.max(1, Math.floor(most * steps)) / steps;
}

/**
 * Why the server would refuse a plan; null where it would not.
 * @param {Picture} picture
 * @param {Plan} plan
 * @param {number} mostTimes by the networks, after one another
 * @param {string} format of the result, as "png"
 * @returns {Refusal | null}
 */
export function refusal(picture, plan, mostTimes, format) {
  const { width, height } = picture;
  if (picture.pages > 1) return { key: "download.refused.pages" };
  if (!picture.files) return { key: "download.refused.watermark" };
  const across = rounded(width * plan.times) / width;
  const factor = Math.max(across, rounded(height * plan.times) / height);
  const most = largest(picture, mostTimes);
  if (factor > 1 && !picture.max_scale) return { key: "download.refused.original" };
  if (plan.width * plan.height * picture.frames > MOST_RESULT_PX) {
    return { key: "download.refused.pixels", parts: { megapixels: MOST_RESULT_PX / 1e6, most } };
  }
  if (factor > mostTimes) return { key: "download.refused.times", parts: { most } };
  if (Math.max(plan.width, plan.height) > LONGEST_PX[format]) {
    return { key: "download.refused.side", parts: { px: LONGEST_PX[format] } };
  }
  return null;
}

/**
 * Why the server would refuse a view as one answer; null where it would not.
 * @param {Plan} plan
 * @returns {Refusal | null}
 */
export function viewRefusal({ width, height }) {
  const fits = width * height <= MOST_VIEW_PX && Math.max(width, height) <= LONGEST_VIEW_PX;
  return fits ? null : { key: "download.refused.view", parts: { megapixels: MOST_VIEW_PX / 1e6 } };
}
