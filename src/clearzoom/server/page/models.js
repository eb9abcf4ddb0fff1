// Which model infers, how strongly, and how much it cleans.
import { by, make, wait } from "./dom.js";
import { has, percent, t } from "./words.js";

const MOST_STAGES = 3; // of networks after one another, on the server

/**
 * @typedef {import("./api.js").Choice} Choice
 * @typedef {{mostTimes: number, model: string, hasDenoise: boolean}} Limits the model, how many
 *   times larger its networks make a picture, after one another, and whether it has levels
 */

export class Models {
  /**
   * @param {import("./api.js").Models} listed what the server offers
   * @param {(choice: Choice & Limits) => void} onChange gets what somebody chooses
   */
  constructor(listed, onChange) {
    this.listed = listed;
    this.onChange = wait(onChange, 200);
    this.model = listed.default;
    this.strength = 1;
    /** @type {number | null} */
    this.denoise = null; // by the picture
    document.addEventListener("language", () => this.#draw());
    by("models").addEventListener("submit", (event) => event.preventDefault());
    by("strength").addEventListener("input", () => {
      this.strength = Number(by("strength").value);
      this.#showStrength();
      this.onChange(this.choice);
    });
    by("denoise").addEventListener("input", () => this.#setDenoise(Number(by("denoise").value)));
    by("denoise-auto").addEventListener("change", () => {
      this.#setDenoise(by("denoise-auto").checked ? null : Number(by("denoise").value));
    });
    by("tool-model").addEventListener("click", () => this.open(by("models").hidden !== false));
    document.addEventListener("pointerdown", (event) => {
      const target = /** @type {Node} */ (event.target);
      if (!by("models").contains(target) && !by("tool-model").contains(target)) this.open(false);
    });
    by("models").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.open(false);
      by("tool-model").focus();
    });
    this.#draw();
  }

  /** @returns {Choice & Limits} */
  get choice() {
    const scales = this.#chosen?.scales ?? [];
    return {
      model: this.model,
      strength: this.#has("strength") ? this.strength : null,
      denoise: this.#has("denoise") ? this.denoise : null,
      hasDenoise: this.#has("denoise"),
      mostTimes: Math.max(1, ...scales) ** MOST_STAGES,
    };
  }

  /** @param {Partial<Choice>} choice */
  set({ model, strength, denoise }) {
    const found = this.listed.models.find(({ name }) => name === model);
    this.model = found?.name ?? this.listed.default;
    this.strength = strength ?? 1;
    this.denoise = denoise ?? null;
    this.#draw();
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    if (by("models").hidden === !isOpen) return;
    by("models").hidden = !isOpen;
    by("tool-model").setAttribute("aria-expanded", String(isOpen));
    /** @type {HTMLElement | null} */
    const checked = by("models").querySelector("input:checked");
    if (isOpen) checked?.focus();
  }

  get #chosen() {
    return this.listed.models.find(({ name }) => name === this.model);
  }

  /** @param {"strength" | "denoise"} what */
  #has(what) {
    return this.#chosen?.[what] ?? false;
  }

  /** @param {number | null} level */
  #setDenoise(level) {
    this.denoise = level;
    this.#showStrength();
    this.onChange(this.choice);
  }

  #showStrength() {
    by("strength-line").hidden = !this.#has("strength");
    by("strength").value = String(this.strength);
    by("strength-value").textContent = percent(this.strength);
    by("denoise-lines").hidden = !this.#has("denoise");
    by("denoise-auto").checked = this.denoise == null;
    if (this.denoise != null) by("denoise").value = String(this.denoise);
    by("denoise-value").textContent =
      this.denoise == null ? t("model.denoise.auto") : percent(this.denoise);
  }

  #draw() {
    /** @param {import("./api.js").Model} model */
    const line = ({ name, about }) => {
      const input = make("input", { type: "radio", name: "model", value: name });
      input.checked = name === this.model;
      input.addEventListener("change", () => {
        this.model = name;
        this.#showStrength();
        this.onChange(this.choice);
      });
      const key = `model.${name}`;
      const words = has(key) ? t(key) : about;
      const title = make("b", { textContent: name });
      if (name === this.listed.default) {
        title.append(make("small", { textContent: t("model.default") }));
      }
      return make("label", {}, input, make("span", {}, title, make("span", { textContent: words })));
    };
    by("model-list").replaceChildren(...this.listed.models.map(line));
    this.#showStrength();
  }
}
