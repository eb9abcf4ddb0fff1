// The page's promise, shown: one detail of a picture, interpolated on the left, inferred on the right.
// It is one that enlarging does well: hardly compressed, without grain. Where there is none, the
// detail is shown as it is.
import { imageService, thumbnail, virtualId } from "./api.js";
import { by } from "./dom.js";
import { noiseLevels } from "./noise.js";
import { routeTo } from "./route.js";
import { slides } from "./slider.js";
import { number, t } from "./words.js";

const SCALE = 2; // further than this, any picture looks like a computed one
const SHAPE = 4 / 3;
const WIDTH_PX = 320; // of the detail, in px of the picture
const [LEAST_COLOUR, FULL_COLOUR] = [15, 60]; // levels between red and blue
const MOST_PX = 40_000_000; // the server would decode the whole for an ornament
const CANDIDATES = 8; // pictures, whose thumbnails are looked at
const MOST_LOOKED_AT = 3; // of them whose details are
const MOST_LOSS = 3.2; // levels of compression error: JPEG at a quality of about 88
const MOST_NOISE = 3; // levels

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {{score: number, x: number, y: number}} Middle in parts of the picture
 * @typedef {(x: number, y: number, channel: number) => number} Levels of the thumbnail
 * @typedef {object} Detail
 * @property {Picture} picture
 * @property {number[]} region left, top, width and height in px of the picture
 * @property {number} x of its middle, in parts of the picture
 * @property {number} y
 *
 * @typedef {Detail & {isInferred: boolean}} Shown
 */

/** @type {Shown | null} */
let shown = null;
let hasBegun = false;

/** @param {string} address of an image */
async function pixelsOf(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const [w, h] = [image.naturalWidth, image.naturalHeight];
  const pen = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("this browser has no canvas to spare");
  pen.drawImage(image, 0, 0);
  return pen.getImageData(0, 0, w, h);
}

/**
 * The detail that shows most: fine structure together with large forms (an eye, not a mere pattern),
 * near the middle.
 * @param {Picture} picture
 * @returns {Promise<Middle>}
 */
async function richest(picture) {
  const { width: w, height: h, data } = await pixelsOf(thumbnail(picture.id));
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
 * The detail around a middle, wholly inside of the picture.
 * @param {Picture} picture
 * @param {Middle} middle
 * @returns {Detail}
 */
function detail(picture, middle) {
  const [width, height] = [WIDTH_PX, WIDTH_PX / SHAPE];
  /** @type {(at: number, length: number, all: number) => number} */
  const inside = (at, length, all) =>
    Math.round(Math.min(Math.max(at * all - length / 2, 0), all - length));
  const left = inside(middle.x, width, picture.width);
  const top = inside(middle.y, height, picture.height);
  const at = { x: (left + width / 2) / picture.width, y: (top + height / 2) / picture.height };
  return { picture, region: [left, top, width, height], ...at };
}

/**
 * @param {Detail} detail
 * @param {number} scale 1 for the original px
 * @param {string | null} [model]
 */
function address({ picture: { id }, region }, scale, model = null) {
  const service = imageService(scale === 1 ? id : virtualId(id, "x", scale, { model }));
  return `${service}/${region.map((length) => length * scale).join(",")}/max/0/default.jpg`;
}

/**
 * The best detail of a picture, and how rich it is.
 * @param {Picture} picture
 */
async function rated(picture) {
  const middle = await richest(picture);
  return { ...detail(picture, middle), score: middle.score };
}

/**
 * Whether enlarging does a detail well: it would enlarge grain, too.
 * @param {Detail} one
 */
async function isClean(one) {
  if (isSpoilt(one.picture)) return false;
  return noiseLevels(await pixelsOf(address(one, 1))) <= MOST_NOISE;
}

/**
 * The richest detail among the clean ones; where none is clean, the richest.
 * @param {Detail[]} details the richest first
 * @returns {Promise<Shown>}
 */
async function chosen(details) {
  for (const one of details.slice(0, MOST_LOOKED_AT)) {
    if (await isClean(one)) return { ...one, isInferred: true };
  }
  return { ...details[0], isInferred: false };
}

function caption() {
  if (!shown) return;
  const { picture, isInferred } = shown;
  const zoom = `${number(isInferred ? 100 * SCALE : 100)} %`;
  by("peek-caption").textContent = t("hero.caption", { name: picture.label ?? picture.name, zoom });
  by("peek-left").textContent = t(isInferred ? "hero.interpolated" : "hero.original");
}

/** @param {Picture} picture */
const isSpoilt = ({ compression_error, frames }) => compression_error > MOST_LOSS || frames > 1;

/** @param {Picture[]} pictures of which the first ones that are fit to be enlarged are returned */
function candidates(pictures) {
  const able = pictures.filter(({ max_scale, width, height }) => {
    const hasRoom = width >= WIDTH_PX && height >= WIDTH_PX / SHAPE;
    return max_scale && hasRoom && width * height <= MOST_PX;
  });
  const sound = able.filter((one) => !isSpoilt(one));
  return (sound.length ? sound : able).slice(0, CANDIDATES);
}

/**
 * Show the picture that shows most of those that enlarging does well; where none can be enlarged,
 * nothing.
 * @param {Picture[]} pictures
 */
export async function showPeek(pictures) {
  const some = candidates(pictures);
  if (!some.length || hasBegun) return;
  hasBegun = true;
  by("peek").hidden = false;
  try {
    const all = await Promise.allSettled(some.map(rated));
    const read = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    shown = await chosen(read.sort((a, b) => b.score - a.score));
    const { picture, x, y, isInferred } = shown;
    const view = { picture: picture.id, percent: isInferred ? 100 * SCALE : 100, x, y };
    by("peek-open").href = routeTo(isInferred ? { ...view, mode: "compare" } : view);
    by("peek-picture").classList.toggle("as-is", !isInferred);
    caption();
    by("peek-before").src = isInferred ? address(shown, SCALE, "bicubic") : address(shown, 1);
    await by("peek-before").decode();
    if (isInferred) by("peek-after").src = address(shown, SCALE);
  } catch {
    by("peek").hidden = true; // an ornament: the gallery below is what counts
  }
}

for (const id of /** @type {const} */ (["peek-before", "peek-after"])) {
  by(id).addEventListener("load", () => by(id).classList.add("there"));
}

document.addEventListener("language", caption);
slides(by("peek-range"), by("peek-picture"));
