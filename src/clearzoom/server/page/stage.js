// One OpenSeadragon viewer with a stack of layers in the same place, so that zoom and pan are the
// same by construction: the original, its interpolated enlargement, the inferred one, and the
// fidelity map.
import { imageInfo, virtualId } from "./api.js";
import { OSD } from "./openseadragon.js";
import { SHARP_FROM, TileQueue, Tiles } from "./tiles.js";

const SCREEN_PX_PER_PX = 2; // of the largest virtual picture: how far one can zoom
const LEAST_ZOOM = 0.5; // at most: the border of original and inferred shall lie on the rail
const RANKS = { original: 0, interpolated: 1, inferred: 2, fidelity: 3 };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage extends EventTarget {
  constructor(element) {
    super();
    this.layers = {};
    this.shown = { compare: false, fidelity: false };
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
      isWanted: (tile, source) => this.#isWanted(tile, source),
      distance: (tile) => tile.bounds.getCenter().distanceTo(this.viewport.getCenter(false)),
      onChange: () => this.#tell("working"),
      onFailure: (error) => this.#tell("failure", error),
    });
    for (const event of ["zoom", "pan", "resize"]) {
      this.viewer.addHandler(event, () => this.queue.moved());
    }
    this.viewer.addHandler("resize", () => this.#limitZoom());
    for (const event of ["viewport-change", "resize", "open"]) {
      this.viewer.addHandler(event, () => this.#tell("view"));
    }
  }

  get viewport() {
    return this.viewer.viewport;
  }

  /** Screen px for each px of the picture: 1 is its own size. */
  zoom({ target = false } = {}) {
    const image = this.layers.original;
    if (!image) return 1;
    return image.viewportToImageZoom(this.viewport.getZoom(!target)) * devicePixelRatio;
  }

  zoomTo(zoom, about) {
    if (!this.layers.original) return;
    const wanted = this.layers.original.imageToViewportZoom(zoom / devicePixelRatio);
    this.viewport.zoomTo(wanted, about).applyConstraints();
  }

  zoomBy(factor) {
    this.viewport.zoomBy(factor).applyConstraints();
  }

  panBy(right, down) {
    this.viewport.panBy(this.viewport.deltaPointsFromPixels(new OSD.Point(right, down)));
    this.viewport.applyConstraints();
  }

  whole() {
    this.viewport.goHome();
  }

  zoomLimits() {
    const perZoom = this.layers.original?.viewportToImageZoom(1) * devicePixelRatio;
    return [this.viewport.getMinZoom() * perZoom, this.viewport.getMaxZoom() * perZoom];
  }

  /** Middle of the view, in parts of the picture's width and height. */
  middle() {
    const image = this.layers.original;
    const at = image.viewportToImageCoordinates(this.viewport.getCenter(false));
    return { x: at.x / this.picture.width, y: at.y / this.picture.height };
  }

  lookAt({ zoom, x, y }) {
    const at = new OSD.Point(x * this.picture.width, y * this.picture.height);
    const image = this.layers.original;
    this.viewport.panTo(image.imageToViewportCoordinates(at), true);
    this.viewport.zoomTo(image.imageToViewportZoom(zoom / devicePixelRatio), null, true);
  }

  /** What of the picture is in view, in parts of it. */
  inView() {
    const bounds = this.viewport.getBounds(true);
    const tall = this.picture.height / this.picture.width;
    return { x: bounds.x, y: bounds.y / tall, width: bounds.width, height: bounds.height / tall };
  }

  async open(picture, choice) {
    this.close();
    this.picture = picture;
    const info = await imageInfo(picture.id);
    if (this.picture !== picture) return;
    const common = this.#common(picture.id, 1, info);
    const own = new Tiles({ ...common, format: this.#format(), rank: RANKS.original });
    await this.#add("original", own, 1);
    if (this.picture !== picture) return;
    if (picture.max_scale) {
      const id = virtualId(picture.id, "x", picture.max_scale, { model: "bicubic" });
      await this.#virtual("interpolated", id, this.#format(), 0);
      if (this.picture !== picture) return;
      await this.setModel(choice);
    }
    if (this.picture !== picture) return;
    this.#limitZoom();
    this.viewport.goHome(true);
    this.queue.moved();
  }

  close() {
    this.picture = null;
    this.queue.drop(() => true);
    this.viewer.world.removeAll();
    this.layers = {};
  }

  /** Infer by another choice of {model, strength, denoise}; the old result stays until the new one is there. */
  async setModel(choice) {
    const { picture } = this;
    const { id, max_scale: scale } = picture;
    const old = [this.layers.inferred, this.layers.fidelity].filter(Boolean);
    for (const layer of old) this.queue.drop((one) => one.source === layer.source);
    await this.#virtual("inferred", virtualId(id, "x", scale, choice), this.#format(), 1);
    if (this.picture !== picture) return;
    const map = virtualId(id, "f", scale, choice);
    await this.#virtual("fidelity", map, "png", this.shown.fidelity ? 1 : 0);
    if (this.picture !== picture) return;
    this.#crop();
    const retire = () => {
      for (const layer of old) {
        if (this.viewer.world.getIndexOfItem(layer) >= 0) this.viewer.world.removeItem(layer);
      }
    };
    if (!old.length) return;
    this.layers.inferred.addOnceHandler("fully-loaded-change", retire);
    setTimeout(retire, 5000);
  }

  /** Show the interpolated picture, and the inferred one only inside polygon (screen px); or all. */
  crop(polygon) {
    this.polygon = polygon;
    this.#crop();
  }

  setFidelity(isShown) {
    this.shown.fidelity = isShown;
    this.layers.fidelity?.setOpacity(isShown ? 1 : 0);
    this.queue.moved();
  }

  #crop() {
    const { interpolated, inferred, fidelity } = this.layers;
    if (!inferred) return;
    interpolated.setOpacity(this.polygon ? 1 : 0);
    for (const layer of [inferred, fidelity].filter(Boolean)) {
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

  /** JPEG is the quickest; what may be transparent needs another. */
  #format() {
    return this.picture.kind === "JPEG" ? "jpg" : "webp";
  }

  #common(id, scale, info) {
    const { width, height } = this.picture;
    const size = { width: width * scale, height: height * scale };
    return { id, ...size, info, scale, queue: this.queue, computed: false };
  }

  async #virtual(name, id, format, opacity) {
    const { picture } = this;
    const scale = picture.max_scale;
    const info = await imageInfo(id);
    if (this.picture !== picture) return;
    const common = this.#common(id, scale, info);
    const computed = name !== "interpolated";
    const tiles = new Tiles({ ...common, format, rank: RANKS[name], computed });
    await this.#add(name, tiles, opacity);
  }

  /** Put a layer on the stage, unless its picture has left in the meantime. */
  async #add(name, tileSource, opacity) {
    const { picture } = this;
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
    const largest = SCREEN_PX_PER_PX * (this.picture.max_scale ?? 1);
    const forViewport = (zoom) => this.layers.original.imageToViewportZoom(zoom / devicePixelRatio);
    const home = this.viewport.getHomeZoom();
    this.viewport.maxZoomLevel = Math.max(forViewport(largest), home);
    this.viewport.minZoomLevel = Math.min(forViewport(LEAST_ZOOM), 0.8 * home);
  }

  #isWanted(tile, source) {
    if (!this.layers.original) return false;
    const view = this.viewport.getBounds(false);
    const margin = source.computed ? 0 : view.width / 4;
    const { x, y, width, height } = tile.bounds;
    const isNear =
      x < view.x + view.width + margin &&
      x + width > view.x - margin &&
      y < view.y + view.height + margin &&
      y + height > view.y - margin;
    return isNear && (!source.computed || tile.level === this.#levelFor(source));
  }

  /** The level that OpenSeadragon will choose at the zoom aimed at. */
  #levelFor(source) {
    for (let level = source.maxLevel; level > source.minLevel; level--) {
      const ratio = this.viewport.deltaPixelsFromPointsNoRotate(source.getPixelRatio(level), false);
      if (ratio.x >= SHARP_FROM) return level;
    }
    return source.minLevel;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
