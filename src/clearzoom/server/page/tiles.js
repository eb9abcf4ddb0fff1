// Tiles of one picture for OpenSeadragon, fetched by a queue of our own: the nearest to the middle
// first, and what nobody looks at any more is aborted, so that the server stops computing it.
import { failed, imageService } from "./api.js";
import { OSD } from "./openseadragon.js";

const DROPPED = "no longer looked at";
const AT_ONCE = 5; // a browser opens six connections; one is left for progress and questions
const COMPUTED_AT_ONCE = 4; // so that original pixels never wait behind inference
const TRIES = 4;
export const SHARP_FROM = 0.7; // of a level's own size: a finer level is left for less
const FIRST_SHARP_FROM = 0.505; // inference begins at 101 %
const QUIET_MS = 140; // of the view, before anything is computed for it

// A dropped tile is no error; OpenSeadragon would log it as one.
OSD.console = Object.assign(Object.create(console), {
  /** @param {unknown[]} all */
  error: (...all) => all.includes(DROPPED) || console.error(...all),
});

/**
 * @typedef {object} TilesOptions
 * @property {string} id of the picture
 * @property {number} width of the picture, in px
 * @property {number} height
 * @property {import("./api.js").ImageInfo} info
 * @property {number} scale how many times it is larger than its source, whose own levels are left
 *   to the original
 * @property {string} format as "jpg"
 * @property {number} rank lower ones are fetched first
 * @property {boolean} computed whether tiles cost the server work
 * @property {TileQueue} queue
 *
 * @typedef {Omit<OpenSeadragon.ImageJob, "source" | "userData">
 *   & {source: Tiles, userData: {tries: number}}} TileJob
 *
 * @typedef {object} QueueOptions
 * @property {(tile: OpenSeadragon.Tile, source: Tiles) => boolean} isInSight whether the view that
 *   is aimed at needs a tile
 * @property {(tile: OpenSeadragon.Tile) => number} distance from the middle
 * @property {() => void} onChange
 * @property {(error: unknown) => void} onFailure
 */

export class Tiles extends OSD.TileSource {
  /** @param {TilesOptions} options */
  constructor({ id, width, height, info, scale, format, rank, computed, queue }) {
    super({ width, height, tileSize: info.tiles[0].width, tileOverlap: 0 });
    this.service = imageService(id);
    this.format = format;
    this.rank = rank;
    this.scale = scale;
    this.computed = computed;
    this.queue = queue;
    const least = this.maxLevel - (info.tiles[0].scaleFactors.length - 1);
    this.firstOwn = scale > 1 ? this.maxLevel - Math.log2(scale) + 1 : least;
    // The lowest level is drawn at any zoom; below the first own one there is nothing to draw.
    this.minLevel = Math.min(least, scale > 1 ? this.firstOwn - 1 : least);
  }

  /** The level that is fetched first, whatever the view needs; of a virtual picture none is. */
  getClosestLevel() {
    return this.scale > 1 ? this.minLevel : super.getClosestLevel();
  }

  /**
   * Fewer levels are finer than the screen needs: computing them takes time.
   * @param {number} level
   */
  getPixelRatio(level) {
    const isFinerInferred = this.scale > 1 && level > this.firstOwn;
    const factor = isFinerInferred ? 1 : SHARP_FROM / FIRST_SHARP_FROM;
    return super.getPixelRatio(level).times(factor);
  }

  /**
   * @param {number} level
   * @param {number} x
   * @param {number} y
   */
  tileExists(level, x, y) {
    return level >= this.firstOwn && super.tileExists(level, x, y);
  }

  /**
   * @param {number} level
   * @param {number} x
   * @param {number} y
   */
  getTileUrl(level, x, y) {
    const factor = 2 ** (this.maxLevel - level);
    const side = this.getTileWidth(level) * factor;
    const [left, top] = [x * side, y * side];
    const width = Math.min(side, this.dimensions.x - left);
    const height = Math.min(side, this.dimensions.y - top);
    const whole = width === this.dimensions.x && height === this.dimensions.y;
    const region = whole ? "full" : `${left},${top},${width},${height}`;
    const size = `${Math.ceil(width / factor)},${Math.ceil(height / factor)}`;
    const sized = whole && factor === 1 ? "max" : size;
    return `${this.service}/${region}/${sized}/0/default.${this.format}`;
  }

  /** @param {TileJob} context */
  downloadTileStart(context) {
    this.queue.add(context);
  }

  /** @param {TileJob} context */
  downloadTileAbort(context) {
    this.queue.drop((waiting) => waiting === context);
  }
}

export class TileQueue {
  /** @param {QueueOptions} options */
  constructor({ isInSight, distance, onChange, onFailure }) {
    this.isInSight = isInSight;
    this.distance = distance;
    this.onChange = onChange;
    this.onFailure = onFailure;
    /** @type {Set<TileJob>} */
    this.waiting = new Set();
    /** @type {Map<TileJob, AbortController>} */
    this.running = new Map();
    this.movedAt = 0;
    /** @type {number | undefined} */
    this.resting = undefined;
  }

  /** Computed tiles that are still to come. */
  get computing() {
    const all = [...this.waiting, ...this.running.keys()];
    return all.filter((one) => one.source.computed && this.isInSight(one.tile, one.source)).length;
  }

  /** @param {TileJob} context */
  add(context) {
    context.userData.tries = 0;
    this.waiting.add(context);
    this.#next();
  }

  /** @param {(context: TileJob) => boolean} isUnneeded */
  drop(isUnneeded) {
    for (const context of [...this.waiting, ...this.running.keys()]) {
      if (!isUnneeded(context)) continue;
      this.waiting.delete(context);
      this.running.get(context)?.abort();
      this.running.delete(context);
      context.fail(DROPPED, null);
      context.tile.exists = true; // it may be asked for again
    }
    this.#next();
  }

  /** The view has moved: computing waits until it rests, and forgets what has gone out of sight. */
  moved() {
    this.movedAt = performance.now();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.drop(({ tile, source }) => !this.isInSight(tile, source));
    }, QUIET_MS);
  }

  #next() {
    this.onChange();
    const rests = performance.now() - this.movedAt >= QUIET_MS;
    const computing = () => [...this.running.keys()].filter((one) => one.source.computed).length;
    const order = [...this.waiting]
      .filter(({ tile, source }) => this.isInSight(tile, source))
      .sort((a, b) => a.source.rank - b.source.rank || this.distance(a.tile) - this.distance(b.tile));
    for (const context of order) {
      if (this.running.size >= AT_ONCE) return;
      if (context.source.computed && (!rests || computing() >= COMPUTED_AT_ONCE)) continue;
      this.waiting.delete(context);
      this.#fetch(context);
    }
  }

  /** @param {TileJob} context */
  async #fetch(context) {
    const abort = new AbortController();
    this.running.set(context, abort);
    let response;
    try {
      response = await fetch(context.src, { signal: abort.signal });
      if (!response.ok) throw await failed(response);
      const blob = await response.blob();
      if (!this.running.delete(context)) return;
      context.finish(blob, null, "rasterBlob");
    } catch (error) {
      if (!this.running.delete(context)) return; // dropped
      const again = !response || response.ok || [429, 503].includes(response.status);
      if (again && ++context.userData.tries < TRIES) {
        const seconds = Number(response?.headers.get("Retry-After")) || 1;
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
        this.waiting.add(context);
      } else {
        context.fail(DROPPED, null);
        this.onFailure(error);
      }
    }
    this.#next();
  }
}
