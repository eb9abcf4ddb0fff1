// The page's promise, shown: one detail of a picture, interpolated on the left, inferred on the right.
import { by } from "./dom.js";
import { imageService, virtualId } from "./api.js";
import { routeTo } from "./route.js";
import { slides } from "./slider.js";
import { number, t } from "./words.js";

const SCALE = 4;
const SHAPE = 4 / 3;
const WIDTH_PX = 160; // of the detail, in px of the picture
const [LEAST_COLOUR, FULL_COLOUR] = [15, 60]; // levels between red and blue
const LEAST_PX = 48;
const CANDIDATES = 6; // pictures, to choose the one that is shown

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {{score: number, x: number, y: number}} Middle in parts of the picture
 * @typedef {(x: number, y: number, channel: number) => number} Levels of the thumbnail
 * @typedef {object} Shown
 * @property {Picture} picture
 * @property {string} before address of the interpolated detail
 * @property {string} after address of the inferred one
 * @property {number} scale
 * @property {number} x of the detail's middle, in parts of the picture
 * @property {number} y
 */

/** @type {Shown | null} */
let shown = null;

/**
 * The detail that shows most: fine structure together with large forms (an eye, not a mere pattern),
 * near the middle.
 * @param {Picture} picture
 * @returns {Promise<Middle>}
 */
async function richest(picture) {
  const image = new Image();
  image.src = picture.thumbnail;
  await image.decode();
  const [w, h] = [image.naturalWidth, image.naturalHeight];
  const pen = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("this browser has no canvas to spare");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, w, h);
  /** @type {Levels} */
  const at = (x, y, channel) => data[4 * (y * w + x) + channel];
  const wide = Math.min(w, Math.round((WIDTH_PX * w) / picture.width));
  const tall = Math.min(h, Math.round(wide / SHAPE));
  const step = Math.max(4, Math.round(wide / 8));
  let best = { score: 0, x: 0.5, y: 0.5 };
  for (let top = 0; top + tall <= h; top += step) {
    for (let left = 0; left + wide <= w; left += step) {
      const [x, y] = [(left + wide / 2) / w, (top + tall / 2) / h];
      const nearness = 1 - Math.hypot(x - 0.5, y - 0.5);
      const score = nearness * structure(at, left, top, wide, tall);
      if (score > best.score) best = { score, x, y };
    }
  }
  return best;
}

/**
 * Fine differences, the spread of the means of blocks, and colour, of one part of a picture.
 * @param {Levels} at
 * @param {number} left
 * @param {number} top
 * @param {number} wide
 * @param {number} tall
 */
function structure(at, left, top, wide, tall) {
  const block = Math.max(2, Math.round(wide / 8));
  /** @type {(x: number, y: number) => number} */
  const grey = (x, y) => at(x, y, 0) + 2 * at(x, y, 1);
  let [fine, colour, count] = [0, 0, 0];
  /** @type {number[]} */
  const means = [];
  for (let y = top; y + block < top + tall; y += block) {
    for (let x = left; x + block < left + wide; x += block) {
      let sum = 0;
      for (let j = y; j < y + block; j += 2) {
        for (let i = x; i < x + block; i += 2) {
          const here = grey(i, j);
          sum += here;
          fine += Math.abs(here - grey(i + 1, j)) + Math.abs(here - grey(i, j + 1));
          colour += Math.abs(at(i, j, 0) - at(i, j, 2));
          count += 1;
        }
      }
      means.push(sum / Math.ceil(block / 2) ** 2);
    }
  }
  if (!means.length) return 0;
  const middle = means.reduce((sum, one) => sum + one, 0) / means.length;
  const spread = means.reduce((sum, one) => sum + (one - middle) ** 2, 0) / means.length;
  // Rather a photograph than a page of text.
  const photographic = LEAST_COLOUR + Math.min(colour / count, FULL_COLOUR);
  return photographic * Math.sqrt(Math.sqrt(spread) * (fine / count));
}

/**
 * @param {Picture} picture
 * @param {Middle} middle
 * @returns {Shown}
 */
function detail(picture, middle) {
  const scale = Math.min(SCALE, picture.max_scale ?? 1);
  const width = Math.min(WIDTH_PX, picture.width, Math.floor(picture.height * SHAPE));
  const height = Math.round(width / SHAPE);
  /** @type {(at: number, length: number, all: number) => number} */
  const inside = (at, length, all) =>
    Math.round(Math.min(Math.max(at * all - length / 2, 0), all - length));
  const [left, top] = [
    inside(middle.x, width, picture.width),
    inside(middle.y, height, picture.height),
  ];
  const region = [left, top, width, height].map((length) => length * scale).join(",");
  /** @param {string | null} model */
  const address = (model) =>
    `${imageService(virtualId(picture.id, "x", scale, { model }))}/${region}/max/0/default.jpg`;
  const at = { x: (left + width / 2) / picture.width, y: (top + height / 2) / picture.height };
  return { picture, before: address("bicubic"), after: address(null), scale, ...at };
}

function caption() {
  if (!shown) return;
  const zoom = `${number(100 * shown.scale)} %`;
  const name = shown.picture.label ?? shown.picture.name;
  by("peek-caption").textContent = t("hero.caption", { name, zoom });
}

/**
 * Show the picture among the first ones that shows most; where none can be enlarged, nothing.
 * @param {Picture[]} pictures
 */
export async function showPeek(pictures) {
  /** @param {Picture} one */
  const able = (one) => one.max_scale && Math.min(one.width, one.height) >= LEAST_PX;
  const some = pictures.filter(able).slice(0, CANDIDATES);
  if (!some.length || shown) return;
  by("peek").hidden = false;
  try {
    const rated = await Promise.allSettled(
      some.map(async (picture) => ({ picture, middle: await richest(picture) })),
    );
    if (shown) return;
    const read = rated.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const best = read.reduce((a, b) => (b.middle.score > a.middle.score ? b : a));
    shown = detail(best.picture, best.middle);
    const { picture, x, y, scale } = shown;
    by("peek-open").href = routeTo({ picture: picture.id, percent: 150 * scale, x, y, mode: "compare" });
    caption();
    by("peek-before").src = shown.before;
    await by("peek-before").decode();
    by("peek-after").src = shown.after;
  } catch {
    by("peek").hidden = true; // an ornament: the gallery below is what counts
  }
}

for (const id of /** @type {const} */ (["peek-before", "peek-after"])) {
  by(id).addEventListener("load", () => by(id).classList.add("there"));
}

document.addEventListener("language", caption);
slides(by("peek-range"), by("peek-picture"));
