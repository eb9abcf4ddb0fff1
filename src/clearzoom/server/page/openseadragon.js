// The library, and what it needs before it makes a viewer.

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
