// What the address says: which picture, where in it, and how it is looked at.

/** Of location.hash; null without a picture. */
export function readRoute() {
  const said = new URLSearchParams(location.hash.slice(1));
  if (!said.get("picture")) return null;
  const numeric = (name) => {
    const value = Number.parseFloat(said.get(name));
    return Number.isFinite(value) ? value : null;
  };
  return {
    picture: said.get("picture"),
    percent: numeric("zoom"),
    x: numeric("x"),
    y: numeric("y"),
    mode: ["compare", "lens"].includes(said.get("mode")) ? said.get("mode") : "plain",
    fidelity: said.get("fidelity") === "1",
    model: said.get("model"),
    strength: numeric("strength"),
    denoise: numeric("denoise"),
  };
}

export function routeTo({ picture, percent, x, y, mode, fidelity, model, strength, denoise }) {
  const said = new URLSearchParams({ picture });
  if (percent != null) {
    said.set("zoom", String(Math.round(percent * 10) / 10));
    said.set("x", x.toFixed(4));
    said.set("y", y.toFixed(4));
  }
  if (mode && mode !== "plain") said.set("mode", mode);
  if (fidelity) said.set("fidelity", "1");
  if (model) said.set("model", model);
  if (strength != null) said.set("strength", String(strength));
  if (denoise != null) said.set("denoise", String(denoise));
  return `#${said}`;
}
