// Which tiles the view that is aimed at needs.
import { SHARP_FROM } from "./tiles.js";

/**
 * The level that OpenSeadragon will choose.
 * @param {OpenSeadragon.Viewport} viewport
 * @param {import("./tiles.js").Tiles} source
 */
function levelFor(viewport, source) {
  for (let level = source.maxLevel; level > source.minLevel; level--) {
    const ratio = viewport.deltaPixelsFromPointsNoRotate(source.getPixelRatio(level), false);
    if (ratio.x >= SHARP_FROM) return level;
  }
  return source.minLevel;
}

/**
 * Whether a tile is in view or, where it costs the server nothing, near.
 * @param {OpenSeadragon.Viewport} viewport
 * @param {OpenSeadragon.Tile} tile
 * @param {import("./tiles.js").Tiles} source
 */
export function isInSight(viewport, tile, source) {
  const view = viewport.getBounds(false);
  const margin = source.computed ? 0 : view.width / 4;
  const { x, y, width, height } = tile.bounds;
  const isNear =
    x < view.x + view.width + margin &&
    x + width > view.x - margin &&
    y < view.y + view.height + margin &&
    y + height > view.y - margin;
  return isNear && (!source.computed || tile.level === levelFor(viewport, source));
}
