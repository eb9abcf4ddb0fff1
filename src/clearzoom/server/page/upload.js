// Pictures added by drop, paste or file dialog. The page keeps their ids for its session.
import { inWords, onePicture, removePicture, ServerError } from "./api.js";
import { by, make, toast } from "./dom.js";
import { takeFiles } from "./files.js";
import { number, percent, t } from "./words.js";

/** @typedef {import("./api.js").Picture} Picture */

const STORED = "clearzoom-added";
const MOST_NAMED = 5; // files that were left out

/** @returns {string[]} */
const remembered = () => JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
/** @param {string[]} ids */
const remember = (ids) => sessionStorage.setItem(STORED, JSON.stringify(ids));

/** Those of this session that the server still has. */
export async function addedPictures() {
  const found = await Promise.allSettled(remembered().map(onePicture));
  const there = found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  remember(there.map(({ id }) => id));
  return there;
}

/** @param {Picture} picture */
export async function forget(picture) {
  remember(remembered().filter((id) => id !== picture.id));
  await removePicture(picture.id);
}

/**
 * By XMLHttpRequest, as fetch does not tell how much has been sent.
 * @param {File} file
 * @param {(part: number) => void} onProgress
 * @returns {Promise<Picture>}
 */
function send(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const name = encodeURIComponent(file.name || "picture.png");
    request.open("POST", `api/pictures?name=${name}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 1);
    request.onerror = () => reject(new ServerError("network", ""));
    request.onload = () => {
      if (request.status === 201) resolve(request.response);
      else reject(new ServerError(request.response?.code ?? "fault", request.response?.message ?? ""));
    };
    request.send(file);
  });
}

/**
 * @param {File} file
 * @returns {Promise<Picture | null>} null where it failed, which people have read by then
 */
async function add(file) {
  const line = make("p", { className: "toast" });
  const bar = make("progress", { max: 1, value: 0 });
  const text = make("span");
  line.append(text, bar);
  by("toasts").append(line);
  /** @param {number} part */
  const progress = (part) => {
    bar.value = part;
    text.textContent = t("upload.progress", { name: file.name, percent: percent(part) });
  };
  progress(0);
  try {
    const picture = await send(file, progress);
    remember([picture.id, ...remembered()]);
    return picture;
  } catch (error) {
    toast(`${file.name}: ${inWords(error)}`, { isError: true });
    return null;
  } finally {
    line.remove();
  }
}

/** @param {string[]} names */
function sayLeftOut(names) {
  const some = names.slice(0, MOST_NAMED).join(", ");
  const more = names.length - MOST_NAMED;
  const rest = more > 0 ? ` ${t("upload.more", { count: number(more) })}` : "";
  toast(t("upload.left-out", { names: some + rest }), { isError: true });
}

/**
 * Take files from everywhere on the page; onAdded gets the pictures that arrived.
 * @param {(pictures: Picture[]) => void} onAdded
 */
export function acceptFiles(onAdded) {
  takeFiles(async ({ files, leftOut }) => {
    if (leftOut.length) sayLeftOut(leftOut);
    else if (!files.length) toast(t("upload.none"), { isError: true });
    /** @type {Picture[]} */
    const there = [];
    for (const file of files) {
      const picture = await add(file);
      if (picture) there.push(picture);
    }
    if (there.length === 1) toast(t("upload.added", { name: there[0].name }));
    if (there.length > 1) toast(t("upload.several", { count: number(there.length) }));
    if (there.length) onAdded(there);
  });
}
