// Files from everywhere on a page: chosen, dropped or pasted; of a folder, all that are pictures.
import { by } from "./dom.js";

/**
 * @typedef {object} Taken
 * @property {File[]} files
 * @property {string[]} leftOut names of files in dropped folders that are no pictures
 */

/** @param {File} file of a folder: what was chosen by hand is left to whoever reads it */
function isPicture({ name, type }) {
  const offered = by("file").accept.split(",");
  return type.startsWith("image/") || offered.some((suffix) => name.toLowerCase().endsWith(suffix));
}

/** @param {FileSystemDirectoryReader} reader which gives a folder bit by bit */
async function allOf(reader) {
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return all;
    all.push(...some);
  }
}

/**
 * Take the files of a folder and of the folders in it, by name.
 * @param {FileSystemDirectoryEntry} folder
 * @param {Taken} taken
 */
async function takeFolder(folder, taken) {
  const entries = await allOf(folder.createReader());
  entries.sort((a, b) => a.name.localeCompare(b.name));
  for (const entry of entries.filter(({ name }) => !name.startsWith("."))) {
    if (entry.isDirectory) {
      await takeFolder(/** @type {FileSystemDirectoryEntry} */ (entry), taken);
      continue;
    }
    /** @type {File} */
    const file = await new Promise((done, failed) => {
      /** @type {FileSystemFileEntry} */ (entry).file(done, failed);
    });
    if (isPicture(file)) taken.files.push(file);
    else taken.leftOut.push(file.name);
  }
}

/**
 * @param {DataTransfer | null} dropped
 * @returns {Promise<Taken>}
 */
async function takenFrom(dropped) {
  // At once: after the first wait the browser has emptied the list.
  const items = [...(dropped?.items ?? [])].filter(({ kind }) => kind === "file");
  const all = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  /** @type {Taken} */
  const taken = { files: [], leftOut: [] };
  for (const { entry, file } of all) {
    if (entry?.isDirectory) {
      await takeFolder(/** @type {FileSystemDirectoryEntry} */ (entry), taken);
    } else if (file) {
      taken.files.push(file);
    }
  }
  return taken;
}

/**
 * Calls take with what somebody brings; its files are none where something else was dropped.
 * @param {(taken: Taken) => void} take
 */
export function takeFiles(take) {
  const takeChosen = () => {
    take({ files: [...(by("file").files ?? [])], leftOut: [] });
    by("file").value = "";
  };
  by("file").addEventListener("change", takeChosen);
  if (by("file").files?.length) takeChosen(); // chosen before this part of the page was there
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) take({ files, leftOut: [] });
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
  document.addEventListener("drop", async (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    show(-depth);
    take(await takenFrom(event.dataTransfer));
  });
}
