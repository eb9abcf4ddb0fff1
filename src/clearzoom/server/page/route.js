// What the address says: which picture, where in it, and how it is looked at.

/**
 * @typedef {"plain" | "compare" | "lens"} Mode
 *
 * @typedef {object} Route all but the picture may be missing from the address
 * @property {string} picture its id
 * @property {number | null} [percent] of the zoom
 * @property {number | null} [x] of the view's middle, in parts of the picture
 * @property {number | null} [y]
 * @property {number[] | null} [region] left, top, width and height, in parts of the picture, that
 *   shall fill the view; it comes before zoom and place
 * @property {Mode} [mode]
 * @property {boolean} [fidelity]
 * @property {string | null} [model]
 * @property {number | null} [strength]
 * @property {number | null} [denoise]
 */

/**
 * Of location.hash; null without a picture.
 * @returns {Route | null}
 */
export function readRoute() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const picture = parts.get("picture");
  if (!picture) return null;
  /** @param {string} name */
  const numeric = (name) => {
    const value = Number.parseFloat(parts.get(name) ?? "");
    return Number.isFinite(value) ? value : null;
  };
  const mode = parts.get("mode");
  return {
    picture,
    percent: numeric("zoom"),
    x: numeric("x"),
    y: numeric("y"),
    region: regionIn(parts.get("region") ?? ""),
    mode: mode === "compare" || mode === "lens" ? mode : "plain",
    fidelity: parts.get("fidelity") === "1",
    model: parts.get("model"),
    strength: numeric("strength"),
    denoise: numeric("denoise"),
  };
}

/** @param {string} text */
function regionIn(text) {
  const parts = text.split(",").map(Number);
  const [x, y, width, height] = parts;
  const isRegion = parts.length === 4 && parts.every((part) => part >= 0 && part <= 1);
  return isRegion && width > 0 && height > 0 && x < 1 && y < 1 ? parts : null;
}

/** @param {Route} route */
export function routeTo(route) {
  const { picture, percent, x, y, region, mode, fidelity, model, strength, denoise } = route;
  const parts = new URLSearchParams({ picture });
  if (percent != null && x != null && y != null) {
    parts.set("zoom", String(Math.round(percent * 10) / 10));
    parts.set("x", x.toFixed(4));
    parts.set("y", y.toFixed(4));
  }
  if (region) parts.set("region", region.map((part) => part.toFixed(5)).join(","));
  if (mode && mode !== "plain") parts.set("mode", mode);
  if (fidelity) parts.set("fidelity", "1");
  if (model) parts.set("model", model);
  if (strength != null) parts.set("strength", String(strength));
  if (denoise != null) parts.set("denoise", String(denoise));
  return `#${parts}`;
}
