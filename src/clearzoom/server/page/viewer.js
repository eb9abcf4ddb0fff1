// The viewer: a picture on the stage with its tools, its place in the address, and its keys.
import { inWords, listModels, onePicture, ServerError, thumbnail } from "./api.js";
import { Badge } from "./badge.js";
import { by, make, toast, wait } from "./dom.js";
import { Download } from "./download.js";
import { takeKeys } from "./keys.js";
import { Models } from "./models.js";
import { Modes } from "./modes.js";
import { showPages } from "./pages.js";
import { readRoute, routeTo } from "./route.js";
import { seenOf } from "./seen.js";
import { prepareSharing, share } from "./share.js";
import { Stage } from "./stage.js";
import { number, t } from "./words.js";

const HINT_SEEN = "clearzoom-hint-seen";
const PAN_PX = 80;

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./route.js").Route} Route
 */

/**
 * Make the viewer, whose markup is in the document by now.
 * @param {() => void} leave goes back to the gallery
 */
export async function startViewer(leave) {
  const models = new Models(await listModels(), (choice) => viewer.choose(choice));
  by("viewer").hidden = false; // OpenSeadragon measures what it is put into
  const viewer = new Viewer(models, new Download());
  by("viewer").hidden = true;
  takeKeys(viewer, leave);
  return viewer;
}

export class Viewer {
  /**
   * @param {import("./models.js").Models} models
   * @param {import("./download.js").Download} download
   */
  constructor(models, download) {
    this.models = models;
    this.download = download;
    /** @type {Picture | null} */
    this.picture = null;
    this.fidelity = false;
    /** @type {symbol | null} the newest call of open() */
    this.opening = null;
    /** @type {(() => string) | null} why the stage is empty, in words */
    this.vacantFor = null;
    /** @type {HTMLElement | null} what says that tiles failed */
    this.failure = null;
    this.failedAt = -Infinity;
    this.stage = new Stage(by("canvas"));
    this.badge = new Badge(this.stage);
    this.modes = new Modes(this.stage, () => this.#changed());
    this.remember = wait(() => this.#remember(), 300);
    this.stage.addEventListener("view", () => this.#changed());
    this.stage.addEventListener("failure", (event) => {
      this.#failed(/** @type {CustomEvent<unknown>} */ (event).detail);
    });
    document.addEventListener("language", () => {
      this.#describe();
      if (this.vacantFor) this.#sayVacant(this.vacantFor);
    });
    by("tool-compare").addEventListener("click", () => this.modes.toggle("compare"));
    by("tool-lens").addEventListener("click", () => this.modes.toggle("lens"));
    by("tool-fidelity").addEventListener("click", () => this.setFidelity(!this.fidelity));
    by("download-open").addEventListener("click", () => this.openDownload());
    prepareSharing();
    by("share-open").addEventListener("click", () => {
      this.#remember(); // the address is of this very moment
      if (this.picture) share(this.picture, seenOf(this.picture, this.stage.inView()));
    });
    document.addEventListener("keydown", (event) => this.#move(event));
  }

  get isOpen() {
    return !by("viewer").hidden;
  }

  /** @param {Route} route */
  async open(route) {
    by("viewer").hidden = false;
    this.#clear();
    by("viewer").classList.add("vacant");
    const isUpload = route.picture.startsWith("upload-"); // whose id tells nobody anything
    by("picture-name").textContent = isUpload ? "clearzoom" : route.picture.split("/").pop() ?? "";
    by("picture-facts").textContent = "";
    const opening = (this.opening = Symbol("opening"));
    this.#sayVacant(() => t("viewer.opening"));
    try {
      const picture = await onePicture(route.picture);
      if (this.opening !== opening) return;
      await this.#show(picture, route);
    } catch (error) {
      if (this.opening !== opening) return;
      this.#clear();
      const isGone = error instanceof ServerError && error.code === "missing";
      this.#sayVacant(() => (isGone ? t("viewer.gone") : inWords(error)));
      by("viewer").classList.add("vacant");
    }
  }

  /** Nothing of the picture before stays: no message may lie over a picture that it is not about. */
  #clear() {
    this.picture = null;
    this.vacantFor = null;
    this.stage.close();
    this.failure?.remove();
    this.failedAt = -Infinity;
    this.models.open(false);
    by("download").close();
    for (const id of /** @type {const} */ (["hint", "map", "divider", "lens", "lens-around"])) {
      by(id).hidden = true;
    }
    by("legend").hidden = true;
    showPages(null);
    by("zoom-figure").textContent = "";
    by("zoom-words").textContent = "";
    document.title = t("app.title");
  }

  /** @param {() => string} why */
  #sayVacant(why) {
    this.vacantFor = why;
    by("hint").textContent = why();
    by("hint").hidden = false;
  }

  /**
   * @param {Picture} picture
   * @param {Route} route
   */
  async #show(picture, route) {
    this.picture = picture;
    this.models.set(route);
    this.badge.model = this.models.model;
    this.modes.isAble = Boolean(picture.max_scale);
    for (const tool of by("tools").querySelectorAll("button")) tool.disabled = !picture.max_scale;
    this.#describe();
    this.fidelity = false;
    this.#sayVacant(() => t("viewer.opening"));
    await this.stage.open(picture, this.models.choice);
    if (this.picture !== picture) return;
    this.vacantFor = null;
    by("viewer").classList.remove("vacant");
    if (route.percent && route.x != null && route.y != null) {
      this.stage.lookAt({ zoom: route.percent / 100, x: route.x, y: route.y });
    }
    if (route.region) this.stage.fit(route.region);
    this.modes.set(route.mode ?? "plain");
    this.setFidelity(Boolean(route.fidelity && picture.max_scale));
    this.badge.show();
    if (history.state?.fromGallery) by("stage").focus({ preventScroll: true });
  }

  close() {
    this.opening = null;
    this.#clear();
    by("viewer").hidden = true;
  }

  /** @param {boolean} isShown */
  setFidelity(isShown) {
    this.fidelity = isShown && this.modes.isAble;
    by("tool-fidelity").setAttribute("aria-pressed", String(this.fidelity));
    by("legend").hidden = !this.fidelity;
    this.stage.setFidelity(this.fidelity);
    this.#changed();
  }

  /** @param {import("./api.js").Choice & {model: string}} choice */
  async choose(choice) {
    if (!this.picture?.max_scale) return;
    this.badge.model = choice.model;
    this.badge.show();
    this.remember();
    await this.stage.setModel(choice).catch((error) => this.#failed(error));
  }

  openDownload() {
    if (!this.picture) return;
    const view = { ...seenOf(this.picture, this.stage.inView()), zoom: this.stage.zoom() };
    this.download.open(this.picture, this.models.choice, view);
  }

  #describe() {
    const { picture } = this;
    if (!picture) return;
    const name = picture.label ?? picture.name;
    document.title = `${name} · clearzoom`;
    by("picture-name").textContent = name;
    const size = { width: number(picture.width), height: number(picture.height) };
    const facts = [t("gallery.size", size)];
    if (picture.frames > 1) facts.push(t("gallery.animation"));
    if (picture.attribution) facts.push(t("viewer.by", { who: picture.attribution }));
    by("picture-facts").textContent = facts.join(" · ");
    if (picture.rights && /^https?:/.test(picture.rights)) {
      const link = make("a", { href: picture.rights, textContent: t("viewer.rights") });
      link.rel = "noreferrer";
      by("picture-facts").append(" · ", link);
    }
    showPages(picture);
    by("map-picture").src = thumbnail(picture.id);
    this.#hint();
  }

  #changed() {
    if (!this.picture || !this.stage.layers.original) return;
    this.badge.mode = this.modes.mode;
    this.badge.show();
    this.#hint();
    this.#map();
    this.remember();
  }

  /** One line that says what is not obvious now. */
  #hint() {
    const { picture } = this;
    if (!picture || !this.stage.layers.original) return;
    const kind = Badge.kind(this.stage.zoom(), picture);
    const isOriginal = kind === "original" || kind === "reduced";
    if (kind === "inferred") sessionStorage.setItem(HINT_SEEN, "1");
    let text = "";
    if (!picture.max_scale) text = t("viewer.no-upscaling");
    else if (isOriginal && this.modes.mode !== "plain") text = t("mode.same");
    else if (isOriginal && this.fidelity) text = t("fidelity.none");
    else if (isOriginal && picture.frames > 1) {
      text = t("viewer.animation", { frames: number(picture.frames) });
    } else if (isOriginal && !sessionStorage.getItem(HINT_SEEN)) text = t("viewer.first");
    if (by("hint").textContent !== text) by("hint").textContent = text;
    by("hint").hidden = !text;
  }

  #map() {
    const { x, y, width, height } = this.stage.inView();
    by("map").hidden = width > 0.6 && height > 0.6;
    const style = by("map-view").style;
    /** @param {number} value */
    const part = (value) => Math.min(1, Math.max(0, value));
    style.left = `${100 * part(x)}%`;
    style.top = `${100 * part(y)}%`;
    style.width = `${100 * (part(x + width) - part(x))}%`;
    style.height = `${100 * (part(y + height) - part(y))}%`;
  }

  #remember() {
    if (!this.picture || !this.stage.layers.original) return;
    if (readRoute()?.picture !== this.picture.id) return;
    const { model, strength, denoise } = this.models.choice;
    const isDefault = model === this.models.listed.default;
    history.replaceState(history.state, "", routeTo({
      picture: this.picture.id,
      percent: 100 * this.stage.zoom({ target: true }),
      ...this.stage.middle(),
      mode: this.modes.mode,
      fidelity: this.fidelity,
      model: isDefault ? null : model,
      strength,
      denoise,
    }));
  }

  /** @param {unknown} error */
  #failed(error) {
    if (performance.now() - this.failedAt < 8000) return; // once for a view's tiles
    this.failedAt = performance.now();
    this.failure = toast(t("viewer.failed", { why: inWords(error) }), { isError: true });
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const far = event.shiftKey ? 3 * PAN_PX : PAN_PX;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowLeft: [-far, 0],
      ArrowRight: [far, 0],
      ArrowUp: [0, -far],
      ArrowDown: [0, far],
    };
    const isMine = event.target === document.body || event.target === by("stage");
    if (!this.isOpen || !isMine || event.defaultPrevented) return;
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.stage.panBy(...moves[event.key]);
  }
}
