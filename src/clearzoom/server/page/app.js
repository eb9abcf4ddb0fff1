// The page: the gallery or a picture, as the address says, and what both share.
import { inWords, listPictures } from "./api.js";
import { by, toast } from "./dom.js";
import { firstPicture, showFailure, showLoading, showPictures } from "./gallery.js";
import { readRoute, routeTo } from "./route.js";
import { show, t, translate } from "./words.js";

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./viewer.js").Viewer} Viewer
 */

/** @type {Viewer | null} */
let viewer = null;
/** @type {Promise<Viewer> | null} */
let starting = null;
/** @type {symbol | null} the newest change of the address */
let turn = null;
/** @type {import("./api.js").Pictures} */
let listed = { pictures: [], unreadable: [], locked: [] };

/** Parts that the first sight of the gallery can do without; they are fetched after it. */
const uploads = () => import("./upload.js");
const peek = () => import("./peek.js");

async function fillGallery() {
  showLoading();
  try {
    listed = await listPictures();
    showPictures(listed, [], remove);
  } catch (error) {
    showFailure(inWords(error));
  }
  showPeek();
}

async function takeUploads() {
  await firstPicture;
  const { acceptFiles, addedPictures } = await uploads();
  acceptFiles(arrived);
  const own = await addedPictures();
  if (own.length) showPictures(listed, own, remove);
}

async function showPeek() {
  if (readRoute() || !listed.pictures.length) return;
  await firstPicture;
  const { showPeek: draw } = await peek();
  if (!readRoute()) await draw(listed.pictures);
}

/** @param {Picture} picture */
async function remove(picture) {
  const { addedPictures, forget } = await uploads();
  await forget(picture).catch((error) => toast(inWords(error), { isError: true }));
  showPictures(listed, await addedPictures(), remove);
}

/** @param {Picture[]} pictures that somebody has added: one is opened, several are shown */
async function arrived(pictures) {
  const { addedPictures } = await uploads();
  showPictures(listed, await addedPictures(), remove);
  if (pictures.length === 1) openPicture(routeTo({ picture: pictures[0].id }));
  else if (readRoute()) goHome();
  else by("gallery").scrollIntoView({ behavior: "smooth" });
}

async function startViewer() {
  const { loadViewer } = await import("./load-viewer.js");
  const { startViewer: start } = await loadViewer();
  viewer = await start(goHome);
  return viewer;
}

function theViewer() {
  starting ??= startViewer().catch((error) => {
    starting = null;
    throw error;
  });
  return starting;
}

/** @param {"home" | "opening" | "viewer"} part of the page, which alone is shown */
function showPart(part) {
  by("home").hidden = part !== "home";
  by("opening").hidden = part !== "opening";
}

async function follow() {
  const mine = (turn = Symbol("turn"));
  const route = readRoute();
  if (!route) {
    const last = viewer?.picture?.id;
    if (viewer?.isOpen) viewer.close();
    showPart("home");
    showPeek();
    /** @type {HTMLElement | null} */
    const card = document.querySelector(`[data-picture="${CSS.escape(last ?? "")}"]`);
    card?.focus();
    return;
  }
  try {
    if (!viewer) {
      const known = listed.pictures.find(({ id }) => id === route.picture);
      by("opening-name").textContent = known?.label ?? known?.name ?? "";
      showPart("opening");
      by("opening-back").focus();
    }
    const ready = await theViewer();
    if (turn !== mine) return; // somebody went elsewhere in the meantime
    showPart("viewer");
    await ready.open(route);
  } catch (error) {
    if (turn !== mine) return;
    showPart("home");
    toast(inWords(error), { isError: true });
  }
}

function goHome() {
  // Back where one came from, so that the back button does not lead into the picture again.
  if (history.state?.fromGallery) history.back();
  else location.hash = "";
}

/** @param {string} address that routeTo() made */
function openPicture(address) {
  history.pushState({ fromGallery: true }, "", address);
  follow();
}

by("language").addEventListener("click", translate);
by("theme").addEventListener("click", window.switchTheme);
by("gallery-again").addEventListener("click", fillGallery);
by("skip").addEventListener("click", (event) => {
  event.preventDefault();
  by("gallery").focus();
});
by("opening-back").addEventListener("click", (event) => {
  event.preventDefault();
  goHome();
});
by("home").addEventListener("click", (event) => {
  const { target } = event;
  const link = target instanceof Element && target.closest("a[href^='#picture=']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  openPicture(link.getAttribute("href") ?? "");
});
addEventListener("popstate", follow); // also when somebody changes the address's last part

document.title = t("app.title");
show();
fillGallery().then(takeUploads);
if (new URLSearchParams(location.search).has("iiif-content")) {
  const { followState } = await import("./content-state.js");
  await followState();
}
if (readRoute()) follow();
