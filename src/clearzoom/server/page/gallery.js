// The pictures to choose from: those of the server's folder, and those added in this session.
import { thumbnail, THUMBNAIL_PX } from "./api.js";
import { by, make, wait } from "./dom.js";
import { routeTo } from "./route.js";
import { number, t } from "./words.js";

const FILTER_FROM = 13; // pictures; fewer can be taken in at a glance
const HEAD_START_MS = 800; // of the first picture before the others

/** @typedef {import("./api.js").Picture} Picture */

/** @type {Picture[]} */
let folders = [];
/** @type {Picture[]} */
let added = [];
/** @type {import("./api.js").Unreadable[]} */
let unreadable = [];
let isAhead = false;
/** @type {() => void} */
let pictureIsThere = () => {};
/** Ends when the first card has its picture, or cannot get it soon. */
export const firstPicture = new Promise((/** @type {(value: void) => void} */ done) => {
  pictureIsThere = () => done();
});
/** @type {import("./api.js").Locked[]} */
let locked = [];
/** @type {(picture: Picture) => void} */
let onRemove = () => {};

/**
 * Give a card its picture: at once to the first one, to the others when that has arrived, with which
 * they would share a slow line.
 * @param {HTMLImageElement} image
 * @param {string} id
 */
function fill(image, id) {
  const begin = () => {
    image.srcset = `${thumbnail(id)} 1x, ${thumbnail(id, 2 * THUMBNAIL_PX)} 2x`;
    image.src = thumbnail(id);
  };
  if (isAhead) {
    firstPicture.then(begin);
    return;
  }
  isAhead = true;
  for (const end of ["load", "error"]) image.addEventListener(end, pictureIsThere);
  setTimeout(pictureIsThere, HEAD_START_MS);
  begin();
}

/**
 * What stands on a card is its accessible name, too.
 * @param {Picture} picture
 */
function card(picture) {
  const { id, width, height } = picture;
  const name = picture.label ?? picture.name;
  const image = make("img", { alt: "", loading: "lazy", width, height });
  fill(image, id);
  const mat = make("span", { className: "mat" }, image);
  const link = make("a", { href: routeTo({ picture: id }), className: "card" });
  link.dataset.picture = id;
  const size = { width: number(width), height: number(height) };
  const words = [t("gallery.size", size)];
  if (!picture.upscaling) words.push(t("gallery.as-is"));
  if (picture.pages > 1) words.push(t("gallery.pages", { pages: number(picture.pages) }));
  if (picture.frames > 1) words.push(t("gallery.animation"));
  const facts = make("span", { className: "facts", textContent: words.join(" · ") });
  const title = make("span", { className: "name", textContent: name });
  title.title = name; // a long one is cut
  link.append(mat, title, " ", facts);
  image.addEventListener("error", () => {
    mat.replaceChildren(make("span", { className: "damaged", textContent: t("gallery.damaged") }));
  });
  const item = make("li", {}, link);
  if (id.startsWith("upload-")) {
    const label = t("gallery.remove", { name });
    const remove = make("button", { className: "remove", type: "button", textContent: "×" });
    remove.setAttribute("aria-label", label);
    remove.title = label;
    remove.addEventListener("click", () => onRemove(picture));
    item.append(remove);
  }
  return item;
}

/**
 * @param {string} title empty where it needs none
 * @param {Picture[]} pictures
 */
function shelf(title, pictures) {
  const list = make("ul", { className: "shelf" }, ...pictures.map(card));
  return title ? [make("h3", { textContent: title }), list] : [list];
}

function draw() {
  const part = by("filter").value.trim().toLowerCase();
  /** @param {Picture} picture */
  const fits = ({ name, label }) => `${name} ${label ?? ""}`.toLowerCase().includes(part);
  const shown = folders.filter(fits);
  const names = [...new Set(shown.map(({ folder }) => folder))].sort();
  by("shelves").replaceChildren(
    ...(added.length ? shelf(t("gallery.yours"), added) : []),
    ...names.flatMap((name) => {
      const title = name || (added.length ? t("gallery.folder") : "");
      return shelf(title, shown.filter(({ folder }) => folder === name));
    }),
  );
  const count = folders.length;
  by("gallery-count").textContent = count ? t("gallery.count", { count: number(count) }) : "";
  by("filter").hidden = count < FILTER_FROM;
  by("locked").replaceChildren(
    ...locked.map(({ group, login }) => {
      const link = make("a", { href: login, textContent: t("gallery.locked", { group }) });
      return make("li", {}, link);
    }),
  );
  by("locked").hidden = !locked.length;
  const isEmpty = !count && !added.length && !locked.length;
  by("home").classList.toggle("empty", isEmpty);
  state(isEmpty ? t("gallery.empty") : part && !shown.length ? t("gallery.none") : "");
  by("unreadable").hidden = !unreadable.length;
  by("unreadable-title").textContent = t("gallery.unreadable", { count: unreadable.length });
  by("unreadable-list").replaceChildren(
    ...unreadable.map(({ name, why }) => make("li", { textContent: `${name}: ${why}` })),
  );
}

/** @param {string} text */
function state(text) {
  by("gallery-state").textContent = text;
  by("gallery-state").hidden = !text;
}

export function showLoading() {
  by("gallery-again").hidden = true;
  state(t("gallery.loading"));
}

/** @param {string} text */
export function showFailure(text) {
  pictureIsThere();
  by("gallery-again").hidden = false;
  state(text);
}

/**
 * @param {import("./api.js").Pictures} listed of the server's folder
 * @param {Picture[]} own added in this session
 * @param {(picture: Picture) => void} remove
 */
export function showPictures(listed, own, remove) {
  folders = listed.pictures;
  unreadable = listed.unreadable;
  locked = listed.locked;
  added = own;
  onRemove = remove;
  draw();
  if (!isAhead) pictureIsThere();
}

by("filter").addEventListener("input", wait(draw, 120));
document.addEventListener("language", () => {
  if (folders.length || added.length || locked.length) draw();
});
