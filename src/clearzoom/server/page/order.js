// What the dialog's form orders: a size, a format, and how it is made; and what comes of it, in words.
import { by, make } from "./dom.js";
import { FEW_DPI, formatsOf, largest, planned, refusal, viewRefusal } from "./sizes.js";
import { number, percent, t } from "./words.js";

const MOSTLY_INFERRED_FROM = 8; // times larger
const USUAL_TIMES = 4;
const LOSSY = ["jpg", "webp", "avif"];
const CLEANING = [0, 0.2, 0.5, 0.8, 1]; // levels to choose from

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./models.js").Models["choice"]} Choice
 * @typedef {import("./sizes.js").Plan} Plan
 * @typedef {import("./sizes.js").View} View
 * @typedef {import("./sizes.js").Times | import("./sizes.js").Pixels
 *   | import("./sizes.js").Print | View} Size
 * @typedef {{picture: Picture, choice: Choice, view: View}} Source what the dialog is open for
 */

export class Order {
  constructor() {
    /** @type {Source | null} */
    this.source = null;
    /** @type {Plan | null} what can be started */
    this.plan = null;
    by("download-form").addEventListener("input", () => this.say());
    by("presets").addEventListener("click", ({ target }) => {
      if (!(target instanceof HTMLButtonElement)) return;
      by("size-times").value = target.value;
      this.say();
    });
    document.addEventListener("language", () => this.say());
  }

  /** @param {Source} source */
  open(source) {
    const { picture, choice } = source;
    if (this.source?.picture.id !== picture.id) {
      const times = Math.min(USUAL_TIMES, largest(picture, choice.mostTimes));
      by("size-times").value = String(times);
      by("size-width").value = String(Math.max(1, Math.floor(picture.width * times)));
      by("size-height").value = "";
      const isUpright = picture.height > picture.width;
      by("print-width").value = isUpright ? "40" : "60";
      by("print-height").value = isUpright ? "60" : "40";
      by("format").value = /\.jpe?g$/i.test(picture.name) ? "jpg" : "png";
    }
    const view = by("download-form").querySelector("input[value=view]");
    if (!picture.files && view instanceof HTMLInputElement) view.checked = true; // all else is refused
    this.source = source;
    this.#offerCleaning(choice);
    this.say();
  }

  /** The format that the form states. */
  get format() {
    return by("format").value;
  }

  /**
   * The size that the form states.
   * @returns {Size}
   */
  #size() {
    const how = new FormData(by("download-form")).get("how");
    if (how === "view" && this.source) return this.source.view;
    if (how === "pixels") {
      const [width, height] = [by("size-width").valueAsNumber, by("size-height").valueAsNumber];
      return { how, width, height };
    }
    if (how !== "print") return { how: "times", times: by("size-times").valueAsNumber };
    return {
      how,
      width: by("print-width").valueAsNumber,
      height: by("print-height").valueAsNumber,
      unit: by("print-unit").value,
      dpi: by("print-dpi").valueAsNumber,
      fill: by("print-fill").checked,
    };
  }

  /** Whether it is the part in view that is ordered. */
  get isView() {
    return this.#size().how === "view";
  }

  /**
   * The fields of the server's form.
   * @returns {Record<string, string>}
   */
  fields() {
    const { plan, source } = this;
    if (!plan || !source) return {};
    const { model, strength } = source.choice;
    /** @type {Record<string, string | number | boolean | null | undefined>} */
    const all = { ...plan.query, format: this.format, model, strength };
    if (LOSSY.includes(this.format)) all.quality = this.#quality();
    if (this.format === "jpg") all.background = "white"; // it has no transparency
    if (source.choice.hasDenoise) all.denoise = by("cleaning").value;
    all.consistency = by("consistency").value;
    const stated = Object.entries(all).filter(([, value]) => value != null && value !== "");
    return Object.fromEntries(stated.map(([name, value]) => [name, String(value)]));
  }

  /** NaN where the field states none that is possible. */
  #quality() {
    const value = by("quality").valueAsNumber;
    return value >= 1 && value <= 100 && Number.isInteger(value) ? value : NaN;
  }

  /**
   * The levels of cleaning; that of the picture on the screen is chosen.
   * @param {Choice} choice
   */
  #offerCleaning({ hasDenoise, denoise }) {
    by("cleaning-line").hidden = !hasDenoise;
    const levels = [...new Set([...CLEANING, ...(denoise == null ? [] : [denoise])])].sort((a, b) => a - b);
    by("cleaning").replaceChildren(
      make("option", { value: "" }),
      ...levels.map((level) => make("option", { value: String(level) })),
    );
    by("cleaning").value = denoise == null ? "" : String(denoise);
  }

  #sayCleaning() {
    for (const option of by("cleaning").options) {
      const level = Number(option.value);
      const ends = { 0: t("model.grain"), 1: t("model.clean") };
      const end = ends[/** @type {0 | 1} */ (level)];
      option.textContent = option.value === "" ? t("model.denoise.auto") : percent(level);
      if (option.value !== "" && end) option.textContent += ` (${end})`;
    }
  }

  /** @param {Size["how"]} how */
  #offer(how) {
    const { picture, choice } = /** @type {Source} */ (this.source);
    for (const each of /** @type {const} */ (["times", "pixels", "print", "view"])) {
      by(`fields-${each}`).hidden = each !== how;
    }
    const formats = formatsOf(picture, how);
    for (const option of by("format").options) {
      option.hidden = option.disabled = !formats.includes(option.value);
    }
    if (!formats.includes(this.format)) by("format").value = formats[0];
    by("quality-line").hidden = how === "view" || !LOSSY.includes(this.format);
    by("finer").hidden = how === "view";
    by("size-times").max = String(largest(picture, choice.mostTimes));
    for (const preset of by("presets").querySelectorAll("button")) {
      const times = Number(preset.value);
      preset.title = this.#refusal(planned(picture, { how: "times", times }), false);
      preset.disabled = Boolean(preset.title);
    }
  }

  /**
   * @param {Plan | null} plan
   * @param {boolean} isView
   */
  #refusal(plan, isView) {
    const { picture, choice } = /** @type {Source} */ (this.source);
    if (!plan) return "";
    const why = isView ? viewRefusal(plan) : refusal(picture, plan, choice.mostTimes, this.format);
    if (!why) return "";
    const parts = Object.entries(why.parts ?? {}).map(([name, value]) => [name, number(value)]);
    return t(why.key, Object.fromEntries(parts));
  }

  /** Say what the form orders, or why it cannot be had. */
  say() {
    if (!this.source) return;
    const { picture, choice } = this.source;
    const size = this.#size();
    const isView = size.how === "view";
    this.#offer(size.how);
    this.#sayCleaning();
    const plan = planned(picture, size);
    const isUnclear = !by("quality-line").hidden && Number.isNaN(this.#quality());
    const refused = isUnclear ? t("download.quality.unclear") : this.#refusal(plan, isView);
    this.plan = refused ? null : plan;
    by("download-start").disabled = !this.plan;
    by("download-start").textContent = t(isView ? "download.save" : "download.start");
    by("outcome").classList.toggle("refused", Boolean(refused));
    const isInferred = plan && plan.times > 1 && picture.max_scale;
    by("download-by").textContent = isInferred ? t("download.by", { model: choice.model }) : "";
    by("outcome-more").textContent = "";
    by("outcome-caution").textContent = "";
    if (!plan) {
      by("outcome-size").textContent = t("download.unclear");
      return;
    }
    const [width, height] = [number(plan.width), number(plan.height)];
    by("outcome-size").textContent = t("download.result", { width, height });
    if (refused) {
      by("outcome-caution").textContent = refused;
      return;
    }
    /** @param {number} value */
    const round = (value) => number(value, { maximumSignificantDigits: value < 100 ? 2 : 4 });
    const more = { times: round(plan.times), megapixels: round((plan.width * plan.height) / 1e6) };
    const frames = { frames: number(picture.frames) };
    by("outcome-more").textContent =
      t("download.result.more", more) +
      (picture.frames > 1 && !isView ? ` ${t("download.frames", frames)}` : "");
    by("outcome-caution").textContent = isView ? "" : caution(picture, plan);
  }
}

/**
 * What should be known about a plan that can be started.
 * @param {Picture} picture
 * @param {Plan} plan
 */
function caution(picture, { times, sourceDpi }) {
  if (!picture.max_scale) return t("download.refused.original");
  if (times <= 1) return t("download.smaller");
  if (sourceDpi !== undefined && sourceDpi < FEW_DPI) {
    return t("download.little", { dpi: number(Math.round(sourceDpi)) });
  }
  if (times >= MOSTLY_INFERRED_FROM) {
    return t("download.far", { all: number(Math.round(times * times)) });
  }
  return "";
}
