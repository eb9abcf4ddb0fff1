// Which network runs on this device: a released one, or one that the server's owner has.
import { readJson } from "./api.js";
import { by, make } from "./dom.js";
import { currentLanguage, has, number, t } from "./words.js";

const RELEASED_SCALES = [2, 4];

/**
 * @typedef {object} Weights one file of them
 * @property {number} scale
 * @property {string} licence
 * @property {string | null} source the file that was added; null where clearzoom trained it
 * @property {number} bytes
 * @property {boolean} is_too_large whether no browser is offered it
 * @property {"exact" | "whole" | "blended"} mode how it sees a picture
 * @property {number} whole_px the most px of a picture that it sees as a whole
 * @property {number} seam_levels of windows that are blended
 *
 * @typedef {{name: string, weights: Weights[]}} Model of the server's owner
 */

/** @type {Model[]} */
let models = [];

/** The model and scale that the form states; weights where they are the owner's. */
export function order() {
  const fields = new FormData(by("order"));
  const [model, scale] = [String(fields.get("model")), Number(fields.get("scale"))];
  return { model, scale, weights: weightsOf(model).find((one) => one.scale === scale) ?? null };
}

/** @param {string} model */
const weightsOf = (model) => models.find(({ name }) => name === model)?.weights ?? [];

/** What is known about the chosen network, besides what the open list says. */
export function about() {
  const { model, weights } = order();
  const key = `model.${model}`;
  if (!weights) return has(key) ? t(key) : "";
  const known = t("device.known", { model, origin: origin(weights) });
  return inARow(by("others").open ? [sight(weights)] : [known, sight(weights)]);
}

/** @param {string[]} sentences */
const inARow = (sentences) => sentences.join(currentLanguage() === "en" ? " " : "").trim();

/**
 * Where a network comes from, its licence and its size.
 * @param {Weights} weights
 */
function origin({ licence, source, bytes, is_too_large }) {
  const size = bytes < 1e6 ? `${short(bytes / 1000)} kB` : `${short(bytes / 1e6)} MB`;
  return inARow([
    source ? t("device.added", { source }) : t("device.own"),
    t("device.licence", { licence }),
    t(is_too_large ? "device.too-large" : "device.size", { size }),
  ]);
}

/**
 * How a network sees pictures, where that can be seen in the result.
 * @param {Weights} weights
 */
function sight({ mode, whole_px, seam_levels }) {
  const parts = { most: short(whole_px / 1e6), levels: short(seam_levels) };
  if (mode === "exact") return "";
  return mode === "whole" ? t("device.whole", parts) : t("device.blended", parts);
}

/** @param {number} value */
const short = (value) => number(value, { maximumSignificantDigits: 2 });

/** The owner's models, below the released ones; none of them is loaded before it is chosen. */
export async function listOthers() {
  models = await readJson("device/models").catch(() => []);
  by("others").hidden = !models.length;
  drawOthers();
}

/** Say everything about the owner's models in the present language. */
export function drawOthers() {
  const { model } = order();
  by("others-title").textContent = t("device.others", { count: number(models.length) });
  by("other-models").replaceChildren(
    ...models.map(({ name, weights }) => {
      const first = weights.find(({ is_too_large }) => !is_too_large);
      const input = make("input", { type: "radio", name: "model", value: name });
      input.checked = name === model;
      input.disabled = !first;
      const scales = weights.map(({ scale }) => `${scale}×`).join(", ");
      const title = make("b", {}, name, make("small", { textContent: scales }));
      const words = make("span", { textContent: origin(first ?? weights[0]) });
      return make("label", {}, input, make("span", {}, title, words));
    }),
  );
}

/** Offer the scales of the chosen model, and keep the one that was chosen where it has that. */
export function drawScales() {
  const { model, scale } = order();
  const own = weightsOf(model);
  const offered = own.length
    ? own.map((one) => ({ scale: one.scale, isRefused: one.is_too_large }))
    : RELEASED_SCALES.map((each) => ({ scale: each, isRefused: false }));
  const possible = offered.filter(({ isRefused }) => !isRefused).map((one) => one.scale);
  const chosen = possible.includes(scale) ? scale : Math.max(...possible);
  by("scales").replaceChildren(
    ...offered.map((one) => {
      const input = make("input", { type: "radio", name: "scale", value: String(one.scale) });
      input.checked = one.scale === chosen;
      input.disabled = one.isRefused;
      return make("label", {}, input, make("span", { textContent: `${one.scale}×` }));
    }),
  );
}
