// One OpenSeadragon viewer with a stack of layers in the same place, so that zoom and pan are the
// same by construction: the original, its interpolated enlargement, the inferred one, and the
// fidelity map.
import { imageInfo, virtualId } from "./api.js";
import { drainColour } from "./grey.js";
import { alignAtOwnSize, OSD } from "./openseadragon.js";
import { isInSight } from "./sight.js";
import { SHARP_FROM, TileQueue, Tiles } from "./tiles.js";

const SCREEN_PX_PER_PX = 2; // of the largest virtual picture: how far one can zoom
const LEAST_ZOOM = 0.5; // at most: the border of original and inferred shall lie on the rail
const RANKS = { original: 0, interpolated: 1, inferred: 2, fidelity: 3 };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./api.js").Choice} Choice
 * @typedef {keyof typeof RANKS} Layer
 */

/**
 * JPEG is the quickest; what may be transparent needs another.
 * @param {Picture} picture
 */
const formatOf = ({ kind }) => (kind === "JPEG" ? "jpg" : "webp");

export class Stage extends EventTarget {
  /** @param {HTMLElement} element */
  constructor(element) {
    super();
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {Partial<Record<Layer, OpenSeadragon.TiledImage>>} */
    this.layers = {};
    /** @type {[number, number][] | null} */
    this.polygon = null;
    this.hasFidelity = false;
    this.viewer = new OSD.Viewer({
      element,
      drawer: "canvas",
      showNavigationControl: false,
      keyboardNavEnabled: false,
      immediateRender: true,
      loadTilesWithAjax: true,
      imageLoaderLimit: 0, // the queue of tiles.js limits
      timeout: 900_000,
      minPixelRatio: SHARP_FROM,
      maxTilesPerFrame: 4,
      visibilityRatio: 0.5,
      minZoomImageRatio: 0.8,
      maxImageCacheCount: 400,
      blendTime: calm.matches ? 0 : 0.25,
      animationTime: calm.matches ? 0 : 0.55,
      springStiffness: 8,
      zoomPerScroll: 1.25,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false },
    });
    this.viewer.canvas.tabIndex = -1; // the stage around it takes the keys
    this.queue = new TileQueue({
      isInSight: (tile, source) =>
        Boolean(this.layers.original) && isInSight(this.viewport, tile, source),
      distance: (tile) => tile.bounds.getCenter().distanceTo(this.viewport.getCenter(false)),
      onChange: () => this.#dispatch("working"),
      onFailure: (error) => this.#dispatch("failure", error),
    });
    this.viewer.addHandler("animation-finish", () => this.#align());
    this.viewer.addHandler("tiled-image-drawn", ({ tiledImage }) => {
      const isBeneath = this.hasFidelity && tiledImage !== this.layers.fidelity;
      if (isBeneath) drainColour(this.viewer);
    });
    for (const event of /** @type {const} */ (["zoom", "pan", "resize"])) {
      this.viewer.addHandler(event, () => this.queue.moved());
    }
    this.viewer.addHandler("resize", () => this.#limitZoom());
    for (const event of /** @type {const} */ (["viewport-change", "resize", "open"])) {
      this.viewer.addHandler(event, () => this.#dispatch("view"));
    }
  }

  get viewport() {
    return this.viewer.viewport;
  }

  /** The picture and its own layer, where one is open. */
  get #original() {
    const { picture, layers } = this;
    if (!picture || !layers.original) throw new Error("no picture is open");
    return { picture, image: layers.original };
  }

  /** Screen px for each px of the picture: 1 is its own size. */
  zoom({ target = false } = {}) {
    const image = this.layers.original;
    if (!image) return 1;
    return image.viewportToImageZoom(this.viewport.getZoom(!target)) * devicePixelRatio;
  }

  /** @param {number} zoom */
  zoomTo(zoom) {
    if (!this.layers.original) return;
    const target = this.layers.original.imageToViewportZoom(zoom / devicePixelRatio);
    this.viewport.zoomTo(target).applyConstraints();
  }

  /** @param {number} factor */
  zoomBy(factor) {
    this.viewport.zoomBy(factor).applyConstraints();
  }

  /**
   * @param {number} right in screen px
   * @param {number} down
   */
  panBy(right, down) {
    this.viewport.panBy(this.viewport.deltaPointsFromPixels(new OSD.Point(right, down)));
    this.viewport.applyConstraints();
  }

  whole() {
    this.viewport.goHome();
  }

  /** The least and the largest zoom. */
  zoomLimits() {
    const image = this.layers.original;
    const perZoom = image ? image.viewportToImageZoom(1) * devicePixelRatio : NaN;
    return [this.viewport.getMinZoom() * perZoom, this.viewport.getMaxZoom() * perZoom];
  }

  /** Middle of the view, in parts of the picture's width and height. */
  middle() {
    const { picture, image } = this.#original;
    const at = image.viewportToImageCoordinates(this.viewport.getCenter(false));
    return { x: at.x / picture.width, y: at.y / picture.height };
  }

  /** @param {{zoom: number, x: number, y: number}} view its middle in parts of the picture */
  lookAt({ zoom, x, y }) {
    const { picture, image } = this.#original;
    const at = new OSD.Point(x * picture.width, y * picture.height);
    this.viewport.panTo(image.imageToViewportCoordinates(at), true);
    this.viewport.zoomTo(image.imageToViewportZoom(zoom / devicePixelRatio), undefined, true);
  }

  /** @param {number[]} region left, top, width and height, in parts of the picture */
  fit([x, y, width, height]) {
    const { picture } = this.#original;
    const tall = picture.height / picture.width;
    this.viewport.fitBounds(new OSD.Rect(x, y * tall, width, height * tall), true);
    this.viewport.applyConstraints(true);
  }

  /** What of the picture is in view, in parts of it. */
  inView() {
    const { picture } = this.#original;
    const bounds = this.viewport.getBounds(true);
    const tall = picture.height / picture.width;
    return { x: bounds.x, y: bounds.y / tall, width: bounds.width, height: bounds.height / tall };
  }

  /**
   * @param {Picture} picture
   * @param {Choice} choice
   */
  async open(picture, choice) {
    this.close();
    this.picture = picture;
    await this.#add("original", picture.id, 1, formatOf(picture), 1);
    if (this.picture !== picture) return;
    if (picture.max_scale) {
      const id = virtualId(picture.id, "x", picture.max_scale, { model: "bicubic" });
      await this.#add("interpolated", id, picture.max_scale, formatOf(picture), 0);
      if (this.picture !== picture) return;
      await this.setModel(choice);
    }
    if (this.picture !== picture) return;
    this.#limitZoom();
    this.viewport.goHome(true);
    // A small picture is shown as it is: to enlarge it is left to whoever looks at it.
    if (this.zoom() > 1) this.lookAt({ zoom: 1, x: 0.5, y: 0.5 });
    this.#align();
    this.queue.moved();
  }

  #align() {
    if (this.layers.original) alignAtOwnSize(this.viewer, () => this.zoom());
  }

  close() {
    this.picture = null;
    this.queue.drop(() => true);
    this.viewer.world.removeAll();
    this.layers = {};
  }

  /**
   * Infer by another choice; the old result stays until the new one is there.
   * @param {Choice} choice
   */
  async setModel(choice) {
    const { picture } = this;
    if (!picture?.max_scale) return;
    const { id, max_scale: scale } = picture;
    const old = this.#inferred();
    for (const { source } of old) {
      this.queue.drop((one) => one.source === /** @type {object} */ (source));
    }
    await this.#add("inferred", virtualId(id, "x", scale, choice), scale, formatOf(picture), 1);
    if (this.picture !== picture) return;
    const map = virtualId(id, "f", scale, choice);
    await this.#add("fidelity", map, scale, "png", this.hasFidelity ? 1 : 0);
    if (this.picture !== picture) return;
    this.#crop();
    const retire = () => {
      for (const layer of old) {
        if (this.viewer.world.getIndexOfItem(layer) >= 0) this.viewer.world.removeItem(layer);
      }
    };
    if (!old.length) return;
    this.layers.inferred?.addOnceHandler("fully-loaded-change", retire);
    setTimeout(retire, 5000);
  }

  /**
   * Show the interpolated picture, and the inferred one only inside a polygon; or all.
   * @param {[number, number][] | null} polygon in screen px
   */
  crop(polygon) {
    this.polygon = polygon;
    this.#crop();
  }

  /** @param {boolean} isShown */
  setFidelity(isShown) {
    this.hasFidelity = isShown;
    this.layers.fidelity?.setOpacity(isShown ? 1 : 0);
    this.viewer.forceRedraw();
    this.queue.moved();
  }

  /** The layers that a network has made. */
  #inferred() {
    const { inferred, fidelity } = this.layers;
    return [inferred, fidelity].filter((layer) => layer !== undefined);
  }

  #crop() {
    if (!this.layers.inferred) return;
    this.layers.interpolated?.setOpacity(this.polygon ? 1 : 0);
    for (const layer of this.#inferred()) {
      if (!this.polygon) {
        layer.resetCroppingPolygons();
        continue;
      }
      const points = this.polygon.map(([x, y]) => {
        const at = this.viewport.pointFromPixel(new OSD.Point(x, y), true);
        return layer.viewportToImageCoordinates(at, true);
      });
      layer.setCroppingPolygons([points]);
    }
    this.viewer.forceRedraw();
  }

  /**
   * Put a layer on the stage, unless its picture has left in the meantime.
   * @param {Layer} name
   * @param {string} id of the layer's picture
   * @param {number} scale how many times it is larger than the open picture
   * @param {string} format of its tiles
   * @param {number} opacity
   */
  async #add(name, id, scale, format, opacity) {
    const { picture } = this;
    const info = await imageInfo(id);
    if (!picture || this.picture !== picture) return;
    const size = { width: picture.width * scale, height: picture.height * scale };
    const computed = name === "inferred" || name === "fidelity";
    const how = { format, rank: RANKS[name], computed, queue: this.queue };
    const tileSource = new Tiles({ id, ...size, info, scale, ...how });
    /** @type {OpenSeadragon.TiledImage} */
    const layer = await new Promise((resolve, reject) => {
      this.viewer.addTiledImage({
        tileSource,
        opacity,
        x: 0,
        y: 0,
        width: 1,
        success: ({ item }) => resolve(item),
        error: ({ message }) => reject(new Error(message)),
      });
    });
    if (this.picture === picture) this.layers[name] = layer;
    else if (this.viewer.world.getIndexOfItem(layer) >= 0) this.viewer.world.removeItem(layer);
  }

  #limitZoom() {
    if (!this.layers.original) return;
    const { picture, image } = this.#original;
    const largest = SCREEN_PX_PER_PX * (picture.max_scale ?? 1);
    /** @param {number} zoom */
    const forViewport = (zoom) => image.imageToViewportZoom(zoom / devicePixelRatio);
    const home = this.viewport.getHomeZoom();
    this.viewport.maxZoomLevel = Math.max(forViewport(largest), home);
    this.viewport.minZoomLevel = Math.min(forViewport(LEAST_ZOOM), 0.8 * home);
  }

  /**
   * @param {"view" | "working" | "failure"} type
   * @param {unknown} [detail] of a failure: the error
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
