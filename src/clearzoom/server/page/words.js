// Which language the page speaks, and how its texts get into the document.

/**
 * @typedef {"en" | "zh-Hant"} Language
 * @typedef {typeof import("./words-en.js").words} Words
 * @typedef {keyof Words} Key of a text
 */

const STORED = "clearzoom-language";
/** @type {Partial<Record<Language, Words>>} */
const loaded = {};

/**
 * The texts of a language, which are fetched when it is spoken first.
 * @param {Language} which
 * @returns {Promise<Words>}
 */
async function wordsIn(which) {
  const file = which === "en" ? import("./words-en.js") : import("./words-zh.js");
  return (loaded[which] ??= (await file).words);
}

/** @type {Language} which before-paint.js has chosen */
let language = document.documentElement.lang === "en" ? "en" : "zh-Hant";
let words = await wordsIn(language);

export const currentLanguage = () => language;

/**
 * The text of a key; {name} in it is replaced by parts.name.
 * @param {Key} key
 * @param {Record<string, string | number>} parts
 */
export function t(key, parts = {}) {
  return words[key].replace(/\{(\w+)\}/g, (all, name) => String(parts[name] ?? all));
}

/**
 * Whether there is such a text.
 * @param {string} key
 * @returns {key is Key}
 */
export const has = (key) => key in words;

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

/**
 * Put texts into everything that asks for them by data-t, data-t-label, data-t-title.
 * @param {ParentNode} part of the document
 */
export function say(part) {
  /** @type {(selector: string) => Iterable<HTMLElement>} */
  const all = (selector) => part.querySelectorAll(selector);
  for (const one of all("[data-t]")) one.textContent = textOf(one.dataset.t);
  for (const one of all("[data-t-label]")) {
    one.setAttribute("aria-label", textOf(one.dataset.tLabel));
    if (one.matches("button, a")) one.title = textOf(one.dataset.tTitle ?? one.dataset.tLabel);
  }
  for (const one of all("[data-t-placeholder]")) {
    one.setAttribute("placeholder", textOf(one.dataset.tPlaceholder));
  }
}

/** Speak the other language. */
export async function translate() {
  const chosen = language === "en" ? "zh-Hant" : "en";
  words = await wordsIn(chosen);
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
  say(document);
  document.dispatchEvent(new CustomEvent("language"));
}
