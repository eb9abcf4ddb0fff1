// The page that enlarges in the browser: a file, a model, the worker's progress, and the result.
import { imageService, onePicture } from "./api.js";
import { about, drawOthers, drawScales, listOthers, order } from "./device-models.js";
import { by, toast } from "./dom.js";
import { takeFiles } from "./files.js";
import { slides } from "./slider.js";
import { has, number, percent, show, t, translate } from "./words.js";
import { Enlarger, EnlargingError } from "../device/enlarger.js";

const MOST_SHOWN_PX = 60_000_000; // decoded it takes four bytes each
const enlarger = new Enlarger();

/**
 * @typedef {{file: File, name: string, width: number, height: number, address: string}} Chosen
 * @typedef {import("./device/enlarger.js").Enlarged
 *   & {name: string, seconds: number, address: string}} Result
 */

/** @type {Chosen | null} */
let chosen = null;
/** @type {File | null} the one that was chosen last */
let opening = null;
/** @type {{done: number, total: number} | null} total is 0 while the network loads */
let progress = null;
/** @type {Result | null} */
let result = null;

/** @param {unknown} error */
function words(error) {
  const { code, message } = /** @type {Partial<EnlargingError>} */ (error);
  if (code === "cancelled") return t("download.cancelled");
  const key = `device.error.${code}`;
  return t(has(key) ? key : "device.error.fault", { why: message ?? "" });
}

/** Put everything that is known into the page. */
function update() {
  const { scale } = order();
  by("about").textContent = about();
  by("about").hidden = !by("about").textContent;
  by("chosen").hidden = !chosen;
  if (chosen) {
    by("name").textContent = chosen.name;
    const [wide, high] = [number(chosen.width * scale), number(chosen.height * scale)];
    const own = { width: number(chosen.width), height: number(chosen.height) };
    by("plan").textContent = t("device.plan", { ...own, wide, high });
  }
  by("work").hidden = !progress;
  by("start").disabled = Boolean(progress);
  if (progress) showProgress(progress);
  by("result").hidden = !result;
  if (result) {
    const seconds = number(result.seconds, { maximumSignificantDigits: 2 });
    const done = t("device.done", { seconds });
    by("done").textContent = `${done} (${t("device.threads", { threads: result.threads })})`;
    by("caption").textContent = t("device.caption", { name: result.name });
  }
}

/** @param {{done: number, total: number}} progress */
function showProgress({ done, total }) {
  const hasParts = total > 1; // of one alone nobody knows how far it is
  const running = hasParts
    ? t("download.running", { percent: percent(done / total) })
    : t("device.running");
  by("status").textContent = total ? running : t("device.loading");
  by("part").textContent = hasParts
    ? t("download.part", { done: number(done), total: number(total) })
    : "";
  if (hasParts) by("bar").value = done / total;
  else by("bar").removeAttribute("value");
}

/** @param {string} address */
async function measured(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight };
}

function forget() {
  enlarger.cancel();
  for (const one of [chosen, result]) if (one) URL.revokeObjectURL(one.address);
  chosen = result = null;
}

/** @param {File} file */
async function choose(file) {
  forget();
  update();
  opening = file;
  const address = URL.createObjectURL(file);
  try {
    const size = await measured(address);
    if (opening === file) chosen = { file, name: file.name, address, ...size };
    else URL.revokeObjectURL(address); // another was chosen while this one was decoded
  } catch {
    URL.revokeObjectURL(address);
    toast(`${file.name}: ${t("device.error.unreadable")}`, { isError: true });
  }
  if (opening !== file) return;
  update();
  if (chosen) by("start").focus();
}

async function start() {
  const source = chosen;
  if (!source) return;
  const { model, scale } = order();
  if (result) URL.revokeObjectURL(result.address);
  result = null;
  progress = { done: 0, total: 0 };
  update();
  by("cancel").focus();
  const began = performance.now();
  try {
    const card = `device/weights/${model}-x${scale}.json`;
    const made = await enlarger.enlarge(source.file, card, (done, total) => {
      progress = { done, total };
      update();
    });
    const seconds = (performance.now() - began) / 1000;
    result = { ...made, name: source.name, seconds, address: URL.createObjectURL(made.blob) };
    present(source, result, scale);
  } catch (error) {
    const isCancelled = error instanceof EnlargingError && error.code === "cancelled";
    toast(words(error), { isError: !isCancelled });
  }
  progress = null;
  update();
  (result ? by("save") : by("start")).focus();
}

/**
 * @param {Chosen} source
 * @param {Result} made
 * @param {number} scale
 */
function present(source, made, scale) {
  by("save").href = made.address;
  by("save").download = `${source.name.replace(/\.\w+$/, "")}-x${scale}.png`;
  by("peek").hidden = made.width * made.height > MOST_SHOWN_PX;
  if (by("peek").hidden) return;
  by("peek-picture").style.setProperty("--wide", `${made.width}px`);
  by("peek-picture").style.setProperty("--high", `${made.height}px`);
  by("before").src = source.address;
  by("after").src = made.address;
}

/**
 * A picture of the server, by ?picture=ID: its own pixels are fetched, nothing is sent back.
 * @param {string} id
 */
async function fetchServed(id) {
  try {
    const picture = await onePicture(id);
    if (!picture.upscaling) throw new Error("switched off");
    const answer = await fetch(`${imageService(id)}/full/max/0/default.png`);
    if (!answer.ok) throw new Error(answer.statusText);
    await choose(new File([await answer.blob()], picture.name, { type: "image/png" }));
    if (chosen?.width === picture.width) return;
    forget(); // larger than one answer of the server may be: this would be a reduced one
    throw new Error("reduced");
  } catch {
    update();
    toast(t("device.error.missing"), { isError: true });
  }
}

takeFiles(({ files }) => {
  const picture = files.find(({ type }) => !type || type.startsWith("image/"));
  if (picture) choose(picture);
  else toast(t("upload.none"), { isError: true });
});
by("order").addEventListener("change", ({ target }) => {
  if (/** @type {HTMLInputElement} */ (target).name === "model") drawScales();
  update();
});
by("others").addEventListener("toggle", update);
by("order").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
by("cancel").addEventListener("click", () => enlarger.cancel());
by("language").addEventListener("click", translate);
by("theme").addEventListener("click", window.switchTheme);
document.addEventListener("language", () => {
  document.title = `${t("device.title")} – clearzoom`;
  drawOthers();
  update();
});
slides(by("peek-range"), by("peek-picture"));
show();
listOthers();
const served = new URLSearchParams(location.search).get("picture");
if (served) fetchServed(served);
