// The page: the gallery or a picture, as the address says, and what both share.
import { inWords, listModels, listPictures } from "./api.js";
import { by, closable, toast } from "./dom.js";
import { Download } from "./download.js";
import { showFailure, showLoading, showPictures } from "./gallery.js";
import { Models } from "./models.js";
import { showPeek } from "./peek.js";
import { readRoute, routeTo } from "./route.js";
import { acceptFiles, addedPictures, forget } from "./upload.js";
import { Viewer } from "./viewer.js";
import { currentLanguage, show, speak, t } from "./words.js";

/** @type {Viewer | null} */
let viewer = null;
/** @type {Promise<Viewer> | null} */
let starting = null;
/** @type {import("./api.js").Pictures} */
let listed = { pictures: [], unreadable: [], locked: [] };

async function fillGallery() {
  showLoading();
  try {
    const [pictures, own] = await Promise.all([listPictures(), addedPictures()]);
    listed = pictures;
    showPictures(listed, own, remove);
    if (!readRoute()) showPeek(listed.pictures);
  } catch (error) {
    showFailure(inWords(error));
  }
}

/** @param {import("./api.js").Picture} picture */
async function remove(picture) {
  await forget(picture).catch((error) => toast(inWords(error), { isError: true }));
  showPictures(listed, await addedPictures(), remove);
}

async function startViewer() {
  const models = new Models(await listModels(), (choice) => made.choose(choice));
  const made = new Viewer(models, new Download());
  viewer = made;
  return made;
}

function theViewer() {
  starting ??= startViewer().catch((error) => {
    starting = null;
    throw error;
  });
  return starting;
}

async function follow() {
  const route = readRoute();
  if (!route) {
    const last = viewer?.picture?.id;
    if (viewer?.isOpen) viewer.close();
    showPeek(listed.pictures);
    /** @type {HTMLElement | null} */
    const card = document.querySelector(`[data-picture="${CSS.escape(last ?? "")}"]`);
    card?.focus();
    return;
  }
  try {
    by("viewer").hidden = false; // OpenSeadragon measures what it is put into
    by("home").hidden = true;
    await (await theViewer()).open(route);
  } catch (error) {
    by("viewer").hidden = true;
    by("home").hidden = false;
    toast(inWords(error), { isError: true });
  }
}

/**
 * In a field that can be seen: right after a dialog closes, its field still has the focus.
 * @param {KeyboardEvent} event
 */
function isTyping({ target }) {
  const fields = "input:not([type=radio], [type=range], [type=checkbox]), select, textarea";
  return target instanceof Element && target.matches(fields) && target.checkVisibility();
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const current = viewer;
  if (!current?.isOpen || document.querySelector("dialog[open]")) return;
  if (!current.picture && event.key !== "Escape") return;
  const { stage, modes } = current;
  /** @type {Record<string, () => void>} */
  const actions = {
    "+": () => stage.zoomBy(1.4),
    "=": () => stage.zoomBy(1.4),
    "-": () => stage.zoomBy(1 / 1.4),
    0: () => stage.whole(),
    1: () => stage.zoomTo(1),
    c: () => modes.toggle("compare"),
    l: () => modes.toggle("lens"),
    f: () => current.setFidelity(!current.fidelity),
    d: () => current.openDownload(),
    "?": () => by("help").showModal(),
    Escape: () => (by("models").hidden ? goHome() : current.models.open(false)),
  };
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function goHome() {
  // Back where one came from, so that the back button does not lead into the picture again.
  if (history.state?.fromGallery) history.back();
  else location.hash = "";
}

/** @param {string} id */
function openPicture(id) {
  history.pushState({ fromGallery: true }, "", routeTo({ picture: id }));
  follow();
}

const translate = () => speak(currentLanguage() === "en" ? "zh-Hant" : "en");
for (const id of /** @type {const} */ (["language", "viewer-language", "help-language"])) {
  by(id).addEventListener("click", translate);
}
for (const id of /** @type {const} */ (["theme", "viewer-theme", "help-theme"])) {
  by(id).addEventListener("click", window.switchTheme);
}
by("gallery-again").addEventListener("click", fillGallery);
by("help-open").addEventListener("click", () => by("help").showModal());
closable(by("help"), by("help-close"));
by("skip").addEventListener("click", (event) => {
  event.preventDefault();
  by("gallery").focus();
});
by("back").addEventListener("click", (event) => {
  event.preventDefault();
  goHome();
});
by("home").addEventListener("click", (event) => {
  const { target } = event;
  const link = target instanceof Element && target.closest("a[href^='#picture=']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState({ fromGallery: true }, "", link.getAttribute("href"));
  follow();
});
acceptFiles(async (pictures) => {
  showPictures(listed, await addedPictures(), remove);
  openPicture(pictures[0].id);
});
addEventListener("keydown", pressed);
addEventListener("popstate", follow); // also when somebody changes the address's last part

document.title = t("app.title");
show();
fillGallery();
if (readRoute()) follow();
