// The pages of a picture's file: which one is shown, and the ways to its neighbours.
import { by } from "./dom.js";
import { routeTo } from "./route.js";
import { number, t } from "./words.js";

/** @param {import("./api.js").Picture | null} picture */
export function showPages(picture) {
  by("pages").hidden = !picture || picture.pages < 2;
  if (!picture || picture.pages < 2) return;
  const file = picture.id.replace(/~p\d+$/, "");
  const all = { page: number(picture.page), pages: number(picture.pages) };
  by("page-number").textContent = t("pages.number", all);
  lead(by("page-before"), file, picture.page > 1 ? picture.page - 1 : null);
  lead(by("page-after"), file, picture.page < picture.pages ? picture.page + 1 : null);
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string} file the id of its first page
 * @param {number | null} page that it leads to; null makes it a link that leads nowhere
 */
function lead(link, file, page) {
  if (page) link.href = routeTo({ picture: page > 1 ? `${file}~p${page}` : file });
  else link.removeAttribute("href");
  link.role = "link"; // also without an address
  link.ariaDisabled = String(!page);
}
