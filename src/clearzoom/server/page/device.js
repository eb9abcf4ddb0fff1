// The page that enlarges in the browser: a file, a model, the worker's progress, and the result.
import { imageService, onePicture } from "./api.js";
import { by, toast } from "./dom.js";
import { takeFiles } from "./files.js";
import { slides } from "./slider.js";
import { currentLanguage, number, percent, show, speak, t } from "./words.js";
import { Enlarger } from "/device/enlarger.js";

const MOST_SHOWN_PX = 60_000_000; // decoded it takes four bytes each
const enlarger = new Enlarger();
let chosen = null; // { file, name, width, height, address }
let opening = null; // the file that was chosen last
let progress = null; // { done, total }
let result = null; // { width, height, threads, seconds, address }

const wanted = () => {
  const { model, scale } = by("order").elements;
  return { model: model.value, scale: Number(scale.value) };
};

function words(error) {
  if (error.code === "cancelled") return t("download.cancelled");
  const key = `device.error.${error.code}`;
  return t(key) === key ? t("device.error.fault", { why: error.message }) : t(key);
}

/** Put everything that is known into the page. */
function tell() {
  const { model, scale } = wanted();
  by("about").textContent = t(`model.${model}`);
  by("chosen").hidden = !chosen;
  if (chosen) {
    by("name").textContent = chosen.name;
    const [wide, high] = [number(chosen.width * scale), number(chosen.height * scale)];
    const own = { width: number(chosen.width), height: number(chosen.height) };
    by("plan").textContent = t("device.plan", { ...own, wide, high });
  }
  by("work").hidden = !progress;
  by("start").disabled = Boolean(progress);
  if (progress) {
    const { done, total } = progress;
    by("said").textContent = total
      ? t("download.running", { percent: percent(done / total) })
      : t("device.loading");
    by("part").textContent = total
      ? t("download.part", { done: number(done), total: number(total) })
      : "";
    if (total) by("bar").value = done / total;
    else by("bar").removeAttribute("value");
  }
  by("result").hidden = !result;
  if (result) {
    const seconds = number(result.seconds, { maximumSignificantDigits: 2 });
    const done = t("device.done", { seconds });
    by("done").textContent = `${done} (${t("device.threads", { threads: result.threads })})`;
    by("caption").textContent = t("device.caption", { name: result.name });
  }
}

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

async function choose(file) {
  forget();
  tell();
  opening = file;
  const address = URL.createObjectURL(file);
  try {
    const size = await measured(address);
    if (opening === file) chosen = { file, name: file.name, address, ...size };
    else URL.revokeObjectURL(address); // another was chosen while this one was decoded
  } catch {
    URL.revokeObjectURL(address);
    toast(`${file.name}: ${words({ code: "unreadable" })}`, { isError: true });
  }
  if (opening !== file) return;
  tell();
  if (chosen) by("start").focus();
}

async function start() {
  const source = chosen;
  const { model, scale } = wanted();
  if (result) URL.revokeObjectURL(result.address);
  result = null;
  progress = {};
  tell();
  by("cancel").focus();
  const began = performance.now();
  try {
    const card = `/device/weights/${model}-x${scale}.json`;
    const made = await enlarger.enlarge(source.file, card, (done, total) => {
      progress = { done, total };
      tell();
    });
    const seconds = (performance.now() - began) / 1000;
    result = { ...made, name: source.name, seconds, address: URL.createObjectURL(made.blob) };
    present(source, scale);
  } catch (error) {
    toast(words(error), { isError: error.code !== "cancelled" });
  }
  progress = null;
  tell();
  (result ? by("save") : by("start")).focus();
}

function present(source, scale) {
  by("save").href = result.address;
  by("save").download = `${source.name.replace(/\.\w+$/, "")}-x${scale}.png`;
  by("peek").hidden = result.width * result.height > MOST_SHOWN_PX;
  if (by("peek").hidden) return;
  by("peek-picture").style.setProperty("--wide", `${result.width}px`);
  by("peek-picture").style.setProperty("--high", `${result.height}px`);
  by("before").src = source.address;
  by("after").src = result.address;
}

/** A picture of the server, by ?picture=ID: its own pixels are fetched, nothing is sent back. */
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
    tell();
    toast(t("device.error.missing"), { isError: true });
  }
}

takeFiles((files) => {
  const picture = files.find(({ type }) => !type || type.startsWith("image/"));
  if (picture) choose(picture);
  else toast(t("upload.none"), { isError: true });
});
by("order").addEventListener("change", tell);
by("order").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
by("cancel").addEventListener("click", () => enlarger.cancel());
by("language").addEventListener("click", () => speak(currentLanguage() === "en" ? "zh-Hant" : "en"));
by("theme").addEventListener("click", window.switchTheme);
document.addEventListener("language", () => {
  document.title = `${t("device.title")} – clearzoom`;
  tell();
});
slides(by("peek-range"), by("peek-picture"));
show();
const served = new URLSearchParams(location.search).get("picture");
if (served) fetchServed(served);
