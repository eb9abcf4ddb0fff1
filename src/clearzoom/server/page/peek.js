// The page's promise, shown: one detail of a picture, interpolated on the left, inferred on the right.
import { by } from "./dom.js";
import { imageService, virtualId } from "./api.js";
import { routeTo } from "./route.js";
import { number, t } from "./words.js";

const SCALE = 4;
const SHAPE = 4 / 3;
const WIDTH_PX = 160; // of the detail, in px of the picture
let shown = null;

/** Where a picture has most fine structure near its middle, in parts of it. */
async function richest(picture) {
  const image = new Image();
  image.src = picture.thumbnail;
  await image.decode();
  const [w, h] = [image.naturalWidth, image.naturalHeight];
  const canvas = new OffscreenCanvas(w, h);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, w, h);
  const grey = (x, y) => data[4 * (y * w + x)] + 2 * data[4 * (y * w + x) + 1];
  const shrunk = w / picture.width;
  const wide = Math.min(w, Math.round(WIDTH_PX * shrunk));
  const tall = Math.min(h, Math.round(wide / SHAPE));
  let best = { value: -1, x: 0, y: 0 };
  const step = Math.max(4, Math.round(wide / 8));
  for (let y = 0; y + tall <= h; y += step) {
    for (let x = 0; x + wide <= w; x += step) {
      let value = 0;
      for (let j = y + 1; j < y + tall; j += 2) {
        for (let i = x + 1; i < x + wide; i += 2) {
          const here = grey(i, j);
          value += Math.abs(here - grey(i - 1, j)) + Math.abs(here - grey(i, j - 1));
        }
      }
      const off = Math.hypot((x + wide / 2) / w - 0.5, (y + tall / 2) / h - 0.5);
      value *= 1 - 0.7 * off;
      if (value > best.value) best = { value, x, y };
    }
  }
  return { x: (best.x + wide / 2) / w, y: (best.y + tall / 2) / h };
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
    `${imageService(virtualId(picture.id, "x", scale, model))}/${region}/max/0/default.jpg`;
  const at = { x: (left + width / 2) / picture.width, y: (top + height / 2) / picture.height };
  return { before: address("bicubic"), after: address(null), scale, ...at };
}

function caption() {
  if (!shown) return;
  const zoom = `${number(100 * shown.scale)} %`;
  const name = shown.picture.label ?? shown.picture.name;
  by("peek-caption").textContent = t("hero.caption", { name, zoom });
}

/** Show the first picture that can be enlarged; without one, nothing. */
export async function showPeek(pictures) {
  const picture = pictures.find((one) => one.max_scale && Math.min(one.width, one.height) >= 48);
  if (!picture || shown) return;
  try {
    const found = detail(picture, await richest(picture));
    by("peek-before").src = found.before;
    by("peek-after").src = found.after;
    by("peek").hidden = false;
    await Promise.all([by("peek-before").decode(), by("peek-after").decode()]);
    const percent = 100 * found.scale * 1.5;
    by("peek-open").href = routeTo({ picture: picture.id, percent, ...found, mode: "compare" });
    shown = { picture, scale: found.scale };
    by("peek").classList.add("ready");
    caption();
  } catch {
    by("peek").hidden = true; // an ornament: the gallery below is what counts
  }
}

function slide() {
  const part = `${by("peek-range").value}%`;
  by("peek-picture").style.setProperty("--split", part);
}

by("peek-range").addEventListener("input", slide);
document.addEventListener("language", caption);
slide();
