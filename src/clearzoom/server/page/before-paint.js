// What must be known before anything is painted: light or dark, and the language.
(() => {
  const STORED_THEME = "clearzoom-theme";
  const STORED_LANGUAGE = "clearzoom-language";
  const root = document.documentElement;

  // The system's choice until somebody makes another.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem(STORED_THEME);
  const apply = () => {
    root.dataset.theme = chosen() ?? (dark.matches ? "dark" : "light");
  };
  apply();
  dark.addEventListener("change", apply);
  window.switchTheme = () => {
    localStorage.setItem(STORED_THEME, root.dataset.theme === "dark" ? "light" : "dark");
    apply();
  };

  const inAddress = new URLSearchParams(location.search).get("lang");
  const tags = [inAddress, localStorage.getItem(STORED_LANGUAGE), ...navigator.languages];
  const known = tags.map((tag) => /^(zh|en)/i.exec(tag ?? "")?.[0].toLowerCase());
  const isChinese = known.find(Boolean) === "zh";
  root.lang = isChinese ? "zh-Hant" : "en";

  // Words of one language are enough, and they are fetched with the scripts, not after them.
  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript);
  const words = document.createElement("link");
  words.rel = "modulepreload";
  words.href = new URL(isChinese ? "words-zh.js" : "words-en.js", src).href;
  document.head.append(words);
})();
