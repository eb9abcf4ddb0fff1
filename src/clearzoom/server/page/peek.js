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
const LOOKED_AT = 6; // pictures, to choose the one that is shown
let shown = null;

/**
 * The detail that shows most: fine structure together with large forms (an eye, not a mere pattern),
 * near the middle. Gives {score, x, y}, in parts of the picture.
 */
async function richest(picture) {
  const image = new Image();
  image.src = picture.thumbnail;
  await image.decode();
  const [w, h] = [image.naturalWidth, image.naturalHeight];
  const pen = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, w, h);
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

/** Fine differences, the spread of the means of blocks, and colour, of one part of a picture. */
function structure(at, left, top, wide, tall) {
  const block = Math.max(2, Math.round(wide / 8));
  const grey = (x, y) => at(x, y, 0) + 2 * at(x, y, 1);
  let [fine, colour, count] = [0, 0, 0];
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

function detail(picture, middle) {
  const scale = Math.min(SCALE, picture.max_scale);
  const width = Math.min(WIDTH_PX, picture.width, Math.floor(picture.height * SHAPE));
  const height = Math.round(width / SHAPE);
  const inside = (at, length, all) => Math.round(Math.min(Math.max(at * all - length / 2, 0), all - length));
  const [left, top] = [
    inside(middle.x, width, picture.width),
    inside(middle.y, height, picture.height),
  ];
  const region = [left, top, width, height].map((length) => length * scale).join(",");
  const address = (model) =>
    `${imageService(virtualId(picture.id, "x", scale, { model }))}/${region}/max/0/default.jpg`;
  const at = { x: (left + width / 2) / picture.width, y: (top + height / 2) / picture.height };
  return { before: address("bicubic"), after: address(null), scale, ...at };
}

function caption() {
  if (!shown) return;
  const zoom = `${number(100 * shown.scale)} %`;
  const name = shown.picture.label ?? shown.picture.name;
  by("peek-caption").textContent = t("hero.caption", { name, zoom });
}

/** Show the picture among the first ones that shows most; where none can be enlarged, nothing. */
export async function showPeek(pictures) {
  const able = (one) => one.max_scale && Math.min(one.width, one.height) >= LEAST_PX;
  const some = pictures.filter(able).slice(0, LOOKED_AT);
  if (!some.length || shown) return;
  by("peek").hidden = false;
  try {
    const looked = await Promise.allSettled(
      some.map(async (picture) => ({ picture, ...(await richest(picture)) })),
    );
    if (shown) return;
    const read = looked.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
    shown = read.reduce((best, one) => (one.score > best.score ? one : best));
    Object.assign(shown, detail(shown.picture, shown));
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

for (const id of ["peek-before", "peek-after"]) {
  by(id).addEventListener("load", ({ target }) => target.classList.add("there"));
}

document.addEventListener("language", caption);
slides(by("peek-range"), by("peek-picture"));
