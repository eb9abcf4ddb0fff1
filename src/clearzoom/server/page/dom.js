// Small helpers for the document.
export const by = (id) => document.getElementById(id);

/** An element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function wait(run, ms) {
  let timer;
  return (...all) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...all), ms);
  };
}

/** A line that comes, can be read, and goes. Errors stay longer. */
export function toast(text, { isError = false } = {}) {
  const line = make("p", { className: isError ? "toast error" : "toast", textContent: text });
  by("toasts").append(line);
  setTimeout(() => line.remove(), isError ? 9000 : 4000);
  return line;
}

/** For screen readers only, and not while the view still moves. */
export const sayAloud = wait((text) => {
  by("aloud").textContent = text;
}, 700);

/** A dialog that its cross, and a click beside it, close. */
export function closable(dialog, cross) {
  cross.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
