// Which language the page speaks, and how its texts get into the document.
import { english } from "./words-en.js";
import { chinese } from "./words-zh.js";

const dictionaries = { en: english, "zh-Hant": chinese };
const STORED = "clearzoom-language";

function fitting(tag) {
  const lower = (tag ?? "").toLowerCase();
  if (lower.startsWith("zh")) return "zh-Hant";
  if (lower.startsWith("en")) return "en";
  return null;
}

function first() {
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, localStorage.getItem(STORED), ...navigator.languages];
  return wanted.map(fitting).find(Boolean) ?? "en";
}

let language = first();

export const currentLanguage = () => language;

/** The text of a key; {name} in it is replaced by parts.name. */
export function t(key, parts = {}) {
  const text = dictionaries[language][key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => parts[name] ?? all);
}

export const has = (key) => key in english;

/** 0.5 as "50 %", which never breaks at the space. */
export const percent = (part) => `${number(Math.round(100 * part))}\u00a0%`;

/** 1234567 as people of this language write it. */
export const number = (value, options) => new Intl.NumberFormat(language, options).format(value);

/** Put texts into everything below root that asks for them by data-t, data-t-label, data-t-title. */
export function say(root = document) {
  for (const one of root.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  for (const one of root.querySelectorAll("[data-t-label]")) {
    one.setAttribute("aria-label", t(one.dataset.tLabel));
    if (one.matches("button, a")) one.title = t(one.dataset.tTitle ?? one.dataset.tLabel);
  }
  for (const one of root.querySelectorAll("[data-t-placeholder]")) {
    one.placeholder = t(one.dataset.tPlaceholder);
  }
}

export function speak(wanted) {
  language = wanted;
  localStorage.setItem(STORED, wanted);
  const here = new URL(location.href);
  if (here.searchParams.has("lang")) {
    here.searchParams.set("lang", wanted);
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
