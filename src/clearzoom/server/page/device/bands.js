// Rows of tiles as rows of px: tiles lie side by side, or fade into each other where a network's
// windows are blended, as in clearzoom.engines.blended.

/**
 * @typedef {import("./tiles.js").Span} Span
 * @typedef {import("./tiles.js").Tile} Tile
 */

/**
 * How much a tile counts at each px of its enlarged span: it fades in along a cosine over the px
 * that it shares with the tile before, and out over those that it shares with the next.
 * @param {Span} span
 * @param {number} blendPx
 * @param {number} scale
 */
function weights({ coreStart, coreStop, nextStart }, blendPx, scale) {
  /** @type {(px: number) => number} */
  const risen = (px) => 0.5 - 0.5 * Math.cos(Math.PI * Math.min(Math.max(px / blendPx, 0), 1));
  return Float32Array.from({ length: (coreStop - coreStart) * scale }, (_, index) => {
    const px = (index + 0.5) / scale;
    const after = px - (nextStart - coreStart);
    if (after > 0) return 1 - risen(after);
    return coreStart ? risen(px) : 1;
  });
}

export class Bands {
  #width;
  #channels;
  #scale;
  #blendPx;
  /** @type {Uint8Array | Float32Array} of the row of tiles at hand */
  #band = new Uint8Array(0);
  /** What the row before adds to it. */
  #tail = new Float32Array(0);

  /**
   * @param {number} width of the result
   * @param {number} channels
   * @param {number} scale
   * @param {number} blendPx how far the core of a tile goes on into the next one
   */
  constructor(width, channels, scale, blendPx) {
    this.#width = width;
    this.#channels = channels;
    this.#scale = scale;
    this.#blendPx = blendPx;
  }

  /** @param {Span} rows of the next tiles */
  begin({ coreStart, coreStop }) {
    const values = (coreStop - coreStart) * this.#scale * this.#width * this.#channels;
    this.#band = this.#blendPx ? new Float32Array(values) : new Uint8Array(values);
  }

  /**
   * @param {Uint8Array} core (scale * h, scale * w, channels) of a tile
   * @param {Tile} tile
   */
  add(core, { columns }) {
    const [band, channels, scale] = [this.#band, this.#channels, this.#scale];
    const line = (columns.coreStop - columns.coreStart) * scale * channels;
    const across = this.#blendPx ? weights(columns, this.#blendPx, scale) : null;
    let to = columns.coreStart * scale * channels;
    for (let from = 0; from < core.length; from += line) {
      if (across) {
        for (let at = 0; at < line; at += 1) {
          band[to + at] += core[from + at] * across[Math.floor(at / channels)];
        }
      } else band.set(core.subarray(from, from + line), to);
      to += this.#width * channels;
    }
  }

  /**
   * The levels of the rows that no later tile changes.
   * @param {Span} rows of the tiles that were added
   */
  finish(rows) {
    const band = this.#band;
    if (band instanceof Uint8Array) return band;
    const line = this.#width * this.#channels;
    weights(rows, this.#blendPx, this.#scale).forEach((weight, y) => {
      for (let at = y * line; at < (y + 1) * line; at += 1) band[at] *= weight;
    });
    for (let at = 0; at < this.#tail.length; at += 1) band[at] += this.#tail[at];
    const own = (rows.nextStart - rows.coreStart) * this.#scale * line;
    this.#tail = band.slice(own);
    return Uint8Array.from(band.subarray(0, own), (value) => Math.floor(value + 0.5));
  }
}
