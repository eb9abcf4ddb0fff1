// The viewer, its library and its dialogs are loaded when the first picture is opened, all at once.
import { ServerError } from "./api.js";
import { by, make } from "./dom.js";
import { say } from "./words.js";

/** All that viewer.js imports and the gallery does not; else each would wait for the one before. */
const MODULES = [
  "badge.js",
  "content-state.js",
  "download.js",
  "grey.js",
  "keys.js",
  "models.js",
  "modes.js",
  "openseadragon.js",
  "order.js",
  "pages.js",
  "seen.js",
  "share.js",
  "sight.js",
  "sizes.js",
  "stage.js",
  "tiles.js",
  "viewer.js",
];
const LIBRARY = "vendor/openseadragon.min.js";

/** @param {string} name of a file beside this one */
const beside = (name) => new URL(name, import.meta.url).href;

/** Put viewer.html into the document, once its style sheets are there. */
async function addMarkup() {
  const answer = await fetch(beside("viewer.html")).catch(() => null);
  if (!answer?.ok) throw new ServerError("network", "");
  const held = document.createElement("template");
  held.innerHTML = await answer.text();
  const sheets = [...held.content.querySelectorAll("link")].map(
    (sheet) => new Promise((done) => sheet.addEventListener("load", done)),
  );
  say(held.content);
  by("home").after(held.content);
  await Promise.all(sheets);
}

export async function loadViewer() {
  const preloads = MODULES.map((name) => make("link", { rel: "modulepreload", href: beside(name) }));
  const library = make("link", { rel: "preload", href: beside(LIBRARY) });
  library.as = "script";
  document.head.append(library, ...preloads);
  const [module] = await Promise.all([import("./viewer.js"), addMarkup()]);
  return module;
}
