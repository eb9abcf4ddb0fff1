// The viewer's keys, and the buttons of its bar that are not about the picture.
import { by, closable } from "./dom.js";
import { translate } from "./words.js";

/**
 * In a field that can be seen: right after a dialog closes, its field still has the focus.
 * @param {KeyboardEvent} event
 */
function isTyping({ target }) {
  const fields = "input:not([type=radio], [type=range], [type=checkbox]), select, textarea";
  return target instanceof Element && target.matches(fields) && target.checkVisibility();
}

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {() => void} leave goes back to the gallery
 */
export function takeKeys(viewer, leave) {
  const { stage, modes } = viewer;
  /** @type {Record<string, () => void>} */
  const actions = {
    "+": () => stage.zoomBy(1.4),
    "=": () => stage.zoomBy(1.4),
    "-": () => stage.zoomBy(1 / 1.4),
    0: () => stage.whole(),
    1: () => stage.zoomTo(1),
    c: () => modes.toggle("compare"),
    l: () => modes.toggle("lens"),
    f: () => viewer.setFidelity(!viewer.fidelity),
    d: () => viewer.openDownload(),
    "?": () => by("help").showModal(),
    Escape: () => (by("models").hidden ? leave() : viewer.models.open(false)),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (!viewer.isOpen || document.querySelector("dialog[open]")) return;
    if (!viewer.picture && event.key !== "Escape") return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const id of /** @type {const} */ (["viewer-language", "help-language"])) {
    by(id).addEventListener("click", translate);
  }
  for (const id of /** @type {const} */ (["viewer-theme", "help-theme"])) {
    by(id).addEventListener("click", window.switchTheme);
  }
  by("help-open").addEventListener("click", () => by("help").showModal());
  closable(by("help"), by("help-close"));
  by("back").addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
}
