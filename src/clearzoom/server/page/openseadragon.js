// The library, and what it needs before it makes a viewer.

const NEAR = 1e-4; // px, and parts of a zoom

const script = document.createElement("script");
script.src = new URL("vendor/openseadragon.min.js", import.meta.url).href;
await new Promise((done, failed) => {
  script.addEventListener("load", done);
  script.addEventListener("error", () => failed(new Error("OpenSeadragon did not arrive")));
  document.head.append(script);
});

/** The library that the classic script has put into the window. */
export const OSD = /** @type {Window} */ (window).OpenSeadragon;

// It would add a style sheet of one rule for phones, unless something like one is there; the
// page's content policy forbids such sheets, and viewer.css holds the rule.
const standIn = document.createElementNS("urn:stand-in", "style");
standIn.setAttribute("data-openseadragon-mobile-css", "");
document.head.append(standIn);

// It would draw every frame as long as a layer in sight has no tile to show: while the server infers
// the first one, and for ever where nothing is inferred. A tile that arrives asks for a frame itself.
OSD.TiledImage.prototype.setDrawn = function setDrawn() {
  this._needsDraw = this._isBlending || this._wasBlending;
  return this._needsDraw;
};

// It would draw each tile a px larger, to hide seams. Where tiles are drawn in their own size there
// are none, and that px would smear all the others.
const position = OSD.TiledImage.prototype._positionTile;
OSD.TiledImage.prototype._positionTile = function positionTile(tile, overlap, viewport, ...rest) {
  const zoom = this.viewportToImageZoom(viewport.getZoom(true)) * devicePixelRatio;
  const ownSize = zoom * 2 ** (this.source.maxLevel - tile.level);
  position.call(this, tile, isOwn(ownSize) ? Number.EPSILON : overlap, viewport, ...rest);
  // It draws whole px, and 240.0000001 would count as 241.
  if (isOwn(ownSize) && tile.size) tile.size = tile.size.minus(new OSD.Point(NEAR, NEAR));
};

/** @param {number} zoom */
const isOwn = (zoom) => Math.abs(zoom - 1) < NEAR;

/**
 * At 100 % each px of the picture lies on one of the screen, and not between two.
 * @param {OpenSeadragon.Viewer} viewer
 * @param {() => number} zoom 1 is 100 %
 */
export function alignAtOwnSize({ viewport }, zoom) {
  if (!isOwn(zoom())) return;
  const { x, y } = viewport.pixelFromPoint(new OSD.Point(0, 0), true);
  /** @param {number} at */
  const beside = (at) => at - Math.round(at * devicePixelRatio) / devicePixelRatio;
  const step = new OSD.Point(beside(x), beside(y));
  if (Math.max(Math.abs(step.x), Math.abs(step.y)) < NEAR) return;
  viewport.panBy(viewport.deltaPointsFromPixels(step, true), true);
}
