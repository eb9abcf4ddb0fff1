// Light or dark: the system's choice until somebody makes another. Runs before anything is painted.
(() => {
  const STORED = "clearzoom-theme";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem(STORED);
  const apply = () => {
    root.dataset.theme = chosen() ?? (dark.matches ? "dark" : "light");
  };
  apply();
  dark.addEventListener("change", apply);
  window.switchTheme = () => {
    localStorage.setItem(STORED, root.dataset.theme === "dark" ? "light" : "dark");
    apply();
  };
})();
