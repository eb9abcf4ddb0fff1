// Which language the page speaks, and how its texts get into the document.
import { english } from "./words-en.js";
import { chinese } from "./words-zh.js";

/**
 * @typedef {"en" | "zh-Hant"} Language
 * @typedef {keyof typeof english} Key of a text
 */

/** @type {Record<Language, Record<Key, string>>} */
const dictionaries = { en: english, "zh-Hant": chinese };
const STORED = "clearzoom-language";

/**
 * @param {string | null} tag
 * @returns {Language | null}
 */
function fitting(tag) {
  const lower = (tag ?? "").toLowerCase();
  if (lower.startsWith("zh")) return "zh-Hant";
  if (lower.startsWith("en")) return "en";
  return null;
}

/** @returns {Language} */
function first() {
  const inAddress = new URLSearchParams(location.search).get("lang");
  const tags = [inAddress, localStorage.getItem(STORED), ...navigator.languages];
  return tags.map(fitting).find((one) => one !== null) ?? "en";
}

let language = first();

export const currentLanguage = () => language;

/**
 * The text of a key; {name} in it is replaced by parts.name.
 * @param {Key} key
 * @param {Record<string, string | number>} parts
 */
export function t(key, parts = {}) {
  const text = dictionaries[language][key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => String(parts[name] ?? all));
}

/**
 * Whether there is such a text.
 * @param {string} key
 * @returns {key is Key}
 */
export const has = (key) => key in english;

/**
 * 0.5 as "50 %", which never breaks at the space.
 * @param {number} part
 */
export const percent = (part) => `${number(Math.round(100 * part))}\u00a0%`;

/**
 * 1234567 as people of this language write it.
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export const number = (value, options) => new Intl.NumberFormat(language, options).format(value);

/**
 * The text of a key that stands in the document; a test checks that there is one.
 * @param {string | undefined} key
 */
const textOf = (key) => t(/** @type {Key} */ (key));

/** Put texts into everything that asks for them by data-t, data-t-label, data-t-title. */
function say() {
  /** @type {(selector: string) => Iterable<HTMLElement>} */
  const all = (selector) => document.querySelectorAll(selector);
  for (const one of all("[data-t]")) one.textContent = textOf(one.dataset.t);
  for (const one of all("[data-t-label]")) {
    one.setAttribute("aria-label", textOf(one.dataset.tLabel));
    if (one.matches("button, a")) one.title = textOf(one.dataset.tTitle ?? one.dataset.tLabel);
  }
  for (const one of all("[data-t-placeholder]")) {
    one.setAttribute("placeholder", textOf(one.dataset.tPlaceholder));
  }
}

/** @param {Language} chosen */
export function speak(chosen) {
  language = chosen;
  localStorage.setItem(STORED, chosen);
  const here = new URL(location.href);
  if (here.searchParams.has("lang")) {
    here.searchParams.set("lang", chosen);
    history.replaceState(history.state, "", here);
  }
  show();
}

/** Say everything in the present language; parts of the page that are made by script listen. */
export function show() {
  document.documentElement.lang = language;
  say();
  document.dispatchEvent(new CustomEvent("language"));
}
