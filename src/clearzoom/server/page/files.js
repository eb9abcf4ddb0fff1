// Files from everywhere on a page: chosen, dropped or pasted.
import { by } from "./dom.js";

/**
 * Calls take(files) with an array, which is empty where something else was dropped.
 * @param {(files: File[]) => void} take
 */
export function takeFiles(take) {
  by("file").addEventListener("change", () => {
    take([...(by("file").files ?? [])]);
    by("file").value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take(files);
  });
  let depth = 0; // drag events come from every element that is crossed
  /** @param {DragEvent} event */
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  /** @param {number} change */
  const show = (change) => {
    depth = Math.max(0, depth + change);
    by("drop").hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => brings(event) && show(1));
  document.addEventListener("dragleave", (event) => brings(event) && show(-1));
  document.addEventListener("dragover", (event) => brings(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    show(-depth);
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
