// The badge and the rail: how far one has zoomed, and where original pixels end.
import { by, sayAloud } from "./dom.js";
import { drag } from "./modes.js";
import { number, t } from "./words.js";

const KEY_STEP = 1.25;
const SNAP = 0.025; // of the rail, around 100 %
const OWN = 1.01; // up to here the original's own pixels are shown

/** @typedef {"original" | "reduced" | "inferred" | "enlarged"} Kind of the px on screen */

export class Badge {
  /** @param {import("./stage.js").Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.model = "";
    /** @type {import("./route.js").Mode} */
    this.mode = "plain";
    this.spoken = "";
    this.wasWorking = false;
    stage.addEventListener("view", () => this.show());
    stage.addEventListener("working", () => this.#work());
    document.addEventListener("language", () => this.show());
    this.#takeInput();
  }

  /**
   * What the px on screen are: "enlarged" where nothing infers.
   * @param {number} zoom
   * @param {import("./api.js").Picture} picture
   * @returns {Kind}
   */
  static kind(zoom, picture) {
    if (zoom < 0.995) return "reduced";
    if (zoom <= OWN) return "original";
    return picture.max_scale ? "inferred" : "enlarged";
  }

  show() {
    const { picture } = this.stage;
    if (!picture || !this.stage.layers.original) return;
    const zoom = this.stage.zoom();
    const kind = Badge.kind(zoom, picture);
    const percent = 100 * zoom;
    const figure = `${number(percent, { maximumFractionDigits: percent < 10 ? 1 : 0 })}\u00a0%`;
    const said = kind === "inferred" && this.mode !== "plain" ? this.mode : kind;
    const words = t(`zoom.${said}`, { model: this.model });
    this.#nameSides(kind);
    by("zoom-figure").textContent = figure;
    by("zoom-words").textContent = words;
    by("readout").dataset.kind = kind;
    const [least, most] = this.stage.zoomLimits();
    const rail = by("rail");
    rail.setAttribute("aria-valuemin", String(Math.round(100 * least)));
    rail.setAttribute("aria-valuemax", String(Math.round(100 * most)));
    rail.setAttribute("aria-valuenow", String(Math.round(percent)));
    rail.setAttribute("aria-valuetext", `${figure}, ${words}`);
    rail.style.setProperty("--border", `${100 * this.#border()}%`);
    rail.style.setProperty("--at", `${100 * this.#place(zoom)}%`);
    rail.classList.toggle("as-is", !picture.max_scale);
    if (this.spoken !== `${figure}${words}`) {
      this.spoken = `${figure}${words}`;
      sayAloud(`${figure}, ${words}`);
    }
  }

  /**
   * Each side of the divider, and of the lens's rim, says what its px are.
   * @param {Kind} kind
   */
  #nameSides(kind) {
    const isInferred = kind === "inferred";
    const plain = isInferred ? t("mode.interpolated") : t(`zoom.${kind}`, { model: this.model });
    const computed = isInferred ? t("mode.inferred.by", { model: this.model }) : plain;
    for (const id of /** @type {const} */ (["side-left", "lens-around"])) by(id).textContent = plain;
    for (const id of /** @type {const} */ (["side-right", "lens-inside"])) {
      by(id).textContent = computed;
      by(id).classList.toggle("inferred", isInferred);
    }
  }

  /** Where on the rail 100 % is: each side keeps room for its name. */
  #border() {
    const [least, most] = this.stage.zoomLimits();
    const share = Math.log(1 / least) / Math.log(most / least);
    return Math.min(0.7, Math.max(0.32, share));
  }

  /**
   * Of a zoom on the rail, 0 to 1; each side has its own logarithmic scale.
   * @param {number} zoom
   */
  #place(zoom) {
    const [least, most] = this.stage.zoomLimits();
    const border = this.#border();
    const part =
      zoom < 1
        ? border * (1 - Math.log(zoom) / Math.log(least))
        : border + (1 - border) * (Math.log(zoom) / Math.log(most));
    return Math.min(1, Math.max(0, part));
  }

  /** @param {number} part of the rail */
  #zoomAt(part) {
    const [least, most] = this.stage.zoomLimits();
    const border = this.#border();
    if (Math.abs(part - border) < SNAP) return 1;
    return part < border
      ? least ** (1 - part / border)
      : most ** ((part - border) / (1 - border));
  }

  #work() {
    const count = this.stage.queue.computing;
    by("working").hidden = count === 0;
    if (count) by("working").textContent = t("zoom.working", { count: number(count) });
    if (this.wasWorking !== count > 0) {
      this.wasWorking = count > 0;
      sayAloud(t(this.wasWorking ? "zoom.working.aloud" : "zoom.ready.aloud"));
    }
  }

  #takeInput() {
    const rail = by("rail");
    drag(rail, (event) => {
      const { left, width } = rail.getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - left) / width));
      this.stage.zoomTo(this.#zoomAt(part));
    });
    rail.addEventListener("keydown", (event) => {
      const [least, most] = this.stage.zoomLimits();
      const now = this.stage.zoom({ target: true });
      /** @type {Record<string, number>} */
      const zooms = {
        ArrowRight: now * KEY_STEP,
        ArrowUp: now * KEY_STEP,
        ArrowLeft: now / KEY_STEP,
        ArrowDown: now / KEY_STEP,
        PageUp: now * 2,
        PageDown: now / 2,
        Home: least,
        End: most,
      };
      if (!(event.key in zooms)) return;
      event.preventDefault();
      this.stage.zoomTo(zooms[event.key]);
    });
    by("zoom-in").addEventListener("click", () => this.stage.zoomBy(1.6));
    by("zoom-out").addEventListener("click", () => this.stage.zoomBy(1 / 1.6));
    by("zoom-whole").addEventListener("click", () => this.stage.whole());
  }
}
