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
  error: (...all) => all.includes(DROPPED) || console.error(...all),
});

export class Tiles extends OSD.TileSource {
  /**
   * id, width and height of the picture; scale: how many times it is larger than its source, whose
   * own levels are left to the original; computed: whether tiles cost the server work.
   */
  constructor({ id, width, height, info, scale, format, rank, computed, queue }) {
    super({ width, height, tileSize: info.tiles[0].width, tileOverlap: 0 });
    this.service = imageService(id);
    this.format = format;
    this.rank = rank;
    this.scale = scale;
    this.computed = computed;
    this.queue = queue;
    this.minLevel = this.maxLevel - (info.tiles[0].scaleFactors.length - 1);
    this.firstOwn = scale > 1 ? this.maxLevel - Math.log2(scale) + 1 : this.minLevel;
  }

  /** Fewer levels are finer than the screen needs: computing them takes time. */
  getPixelRatio(level) {
    const isFinerInferred = this.scale > 1 && level > this.firstOwn;
    const factor = isFinerInferred ? 1 : SHARP_FROM / FIRST_SHARP_FROM;
    return super.getPixelRatio(level).times(factor);
  }

  tileExists(level, x, y) {
    return level >= this.firstOwn && super.tileExists(level, x, y);
  }

  getTileUrl(level, x, y) {
    const factor = 2 ** (this.maxLevel - level);
    const side = this.getTileWidth(level) * factor;
    const [left, top] = [x * side, y * side];
    const width = Math.min(side, this.dimensions.x - left);
    const height = Math.min(side, this.dimensions.y - top);
    const whole = width === this.dimensions.x && height === this.dimensions.y;
    const region = whole ? "full" : `${left},${top},${width},${height}`;
    const size = `${Math.ceil(width / factor)},${Math.ceil(height / factor)}`;
    const wanted = whole && factor === 1 ? "max" : size;
    return `${this.service}/${region}/${wanted}/0/default.${this.format}`;
  }

  downloadTileStart(context) {
    this.queue.add(context);
  }

  downloadTileAbort(context) {
    this.queue.drop((waiting) => waiting === context);
  }
}

export class TileQueue {
  /** isWanted(tile, source) says whether the view that is aimed at needs a tile. */
  constructor({ isWanted, distance, onChange, onFailure }) {
    Object.assign(this, { isWanted, distance, onChange, onFailure });
    this.waiting = new Set();
    this.running = new Map();
    this.movedAt = 0;
  }

  /** Computed tiles that are still to come. */
  get computing() {
    const all = [...this.waiting, ...this.running.keys()];
    return all.filter((one) => one.source.computed && this.isWanted(one.tile, one.source)).length;
  }

  add(context) {
    context.userData.tries = 0;
    this.waiting.add(context);
    this.#next();
  }

  drop(unwanted) {
    for (const context of [...this.waiting, ...this.running.keys()]) {
      if (!unwanted(context)) continue;
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
      this.drop(({ tile, source }) => !this.isWanted(tile, source));
    }, QUIET_MS);
  }

  #next() {
    this.onChange();
    const rests = performance.now() - this.movedAt >= QUIET_MS;
    const computing = () => [...this.running.keys()].filter((one) => one.source.computed).length;
    const order = [...this.waiting]
      .filter(({ tile, source }) => this.isWanted(tile, source))
      .sort((a, b) => a.source.rank - b.source.rank || this.distance(a.tile) - this.distance(b.tile));
    for (const context of order) {
      if (this.running.size >= AT_ONCE) return;
      if (context.source.computed && (!rests || computing() >= COMPUTED_AT_ONCE)) continue;
      this.waiting.delete(context);
      this.#fetch(context);
    }
  }

  async #fetch(context) {
    const abort = new AbortController();
    this.running.set(context, abort);
    try {
      const response = await fetch(context.src, { signal: abort.signal });
      if (!response.ok) throw Object.assign(await failed(response), { response });
      const blob = await response.blob();
      if (!this.running.delete(context)) return;
      context.finish(blob, null, "rasterBlob");
    } catch (error) {
      if (!this.running.delete(context)) return; // dropped
      const again = [undefined, 429, 503].includes(error.response?.status);
      if (again && ++context.userData.tries < TRIES) {
        const seconds = Number(error.response?.headers.get("Retry-After")) || 1;
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
