// Small helpers for the document.

/**
 * The element with an id; scripts/lint-page/elements.js makes the types from the documents.
 * @template {keyof PageElements} Id
 * @param {Id} id
 */
export const by = (id) => /** @type {PageElements[Id]} */ (document.getElementById(id));

/**
 * An element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * Call run once, with the last call's values, when no call has come for this long.
 * @template {unknown[]} Values
 * @param {(...values: Values) => void} run
 * @param {number} ms
 * @returns {(...values: Values) => void}
 */
export function wait(run, ms) {
  /** @type {number | undefined} */
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), ms);
  };
}

/**
 * A line that comes, can be read, and goes. Errors stay longer.
 * @param {string} text
 */
export function toast(text, { isError = false } = {}) {
  const line = make("p", { className: isError ? "toast error" : "toast", textContent: text });
  by("toasts").append(line);
  setTimeout(() => line.remove(), isError ? 9000 : 4000);
  return line;
}

/** For screen readers only, and not while the view still moves. */
export const sayAloud = wait((/** @type {string} */ text) => {
  by("aloud").textContent = text;
}, 700);

/**
 * A dialog that its cross, and a click beside it, close.
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} cross
 */
export function closable(dialog, cross) {
  cross.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
