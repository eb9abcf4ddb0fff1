// Which model infers, how strongly, and how much it cleans.
import { by, make, wait } from "./dom.js";
import { has, percent, t } from "./words.js";

const MOST_STAGES = 3; // of networks after one another, on the server

export class Models {
  /** listed: what the server offers; onChange gets the choice when somebody chooses. */
  constructor(listed, onChange) {
    this.listed = listed;
    this.onChange = wait(onChange, 200);
    this.model = listed.default;
    this.strength = 1;
    this.denoise = null; // by the picture
    document.addEventListener("language", () => this.#draw());
    by("models").addEventListener("submit", (event) => event.preventDefault());
    by("strength").addEventListener("input", (event) => {
      this.strength = Number(event.target.value);
      this.#showStrength();
      this.onChange(this.choice);
    });
    by("denoise").addEventListener("input", (event) => this.#setDenoise(Number(event.target.value)));
    by("denoise-auto").addEventListener("change", (event) => {
      this.#setDenoise(event.target.checked ? null : Number(by("denoise").value));
    });
    by("tool-model").addEventListener("click", () => this.open(by("models").hidden));
    document.addEventListener("pointerdown", ({ target }) => {
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

  /** mostTimes: how many times larger the model's networks make a picture, after one another. */
  get choice() {
    const scales = this.listed.models.find(({ name }) => name === this.model)?.scales ?? [];
    return {
      model: this.model,
      strength: this.#has("strength") ? this.strength : null,
      denoise: this.#has("denoise") ? this.denoise : null,
      mostTimes: Math.max(1, ...scales) ** MOST_STAGES,
    };
  }

  set({ model, strength, denoise }) {
    this.model = this.listed.models.some(({ name }) => name === model) ? model : this.listed.default;
    this.strength = strength ?? 1;
    this.denoise = denoise ?? null;
    this.#draw();
  }

  open(isOpen) {
    if (by("models").hidden === !isOpen) return;
    by("models").hidden = !isOpen;
    by("tool-model").setAttribute("aria-expanded", String(isOpen));
    if (isOpen) by("models").querySelector("input:checked")?.focus();
  }

  #has(what) {
    return this.listed.models.find(({ name }) => name === this.model)?.[what] ?? false;
  }

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
    const line = ({ name, about }) => {
      const input = make("input", { type: "radio", name: "model", value: name });
      input.checked = name === this.model;
      input.addEventListener("change", () => {
        this.model = name;
        this.#showStrength();
        this.onChange(this.choice);
      });
      const words = has(`model.${name}`) ? t(`model.${name}`) : about;
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
