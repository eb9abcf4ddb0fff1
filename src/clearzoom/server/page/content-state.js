// IIIF Content State 1.0: which picture and region of this server an address names, and back.
import { inWords, pictureOf, readJson, ServerError } from "./api.js";
import { toast } from "./dom.js";
import { routeTo } from "./route.js";
import { t } from "./words.js";

const PARAMETER = "iiif-content";
const LONGEST = 20_000; // characters

/**
 * @typedef {{left: number, top: number, width: number, height: number}} Region in px of the canvas
 * @typedef {{id: string, type?: string, within: string | null, selector: string | null}} Target
 */

/** @param {string} text base64url of an URI-encoded text, as the standard writes it */
function decoded(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return decodeURIComponent(atob(base64.padEnd(Math.ceil(base64.length / 4) * 4, "=")));
}

/** @param {string} text */
const encoded = (text) =>
  btoa(encodeURIComponent(text)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/**
 * A state that names a part of a manifest's canvas.
 * @param {string} manifest its address
 * @param {Region} region
 */
export function stateOf(manifest, { left, top, width, height }) {
  const canvas = manifest.replace(/\/manifest$/, "/canvas/1");
  const target = {
    id: `${canvas}#xywh=${left},${top},${width},${height}`,
    type: "Canvas",
    partOf: [{ id: manifest, type: "Manifest" }],
  };
  return encoded(JSON.stringify(target));
}

/**
 * @param {unknown} value a resource or its address
 * @returns {Target | null}
 */
function targetOf(value) {
  const one = /** @type {any} */ (Array.isArray(value) ? value[0] : value);
  if (typeof one === "string") return { id: one, within: null, selector: null };
  if (!one || typeof one !== "object") return null;
  if (one.type === "Annotation" || one.target) return targetOf(one.target);
  if (one.source) {
    const source = targetOf(one.source);
    const selectors = [one.selector].flat().map((each) => each?.value);
    return source && { ...source, selector: selectors.find((each) => typeof each === "string") ?? null };
  }
  if (typeof one.id !== "string") return null;
  const within = [one.partOf].flat()[0];
  const manifest = typeof within === "string" ? within : within?.id;
  return { id: one.id, type: one.type, within: manifest ?? null, selector: null };
}

/**
 * What a state names.
 * @param {string} text the parameter: an address, JSON, or JSON in base64url
 * @returns {Target | null} null where it is none
 */
export function readState(text) {
  if (text.length > LONGEST) return null;
  if (/^https?:/.test(text)) return targetOf(text);
  try {
    const plain = text.startsWith("{") ? text : decoded(text);
    return targetOf(/^https?:/.test(plain) ? plain : JSON.parse(plain));
  } catch {
    return null;
  }
}

/**
 * The region that "xywh=10,20,300,200" states, also in percent.
 * @param {string} text
 * @param {{width: number, height: number}} canvas
 * @returns {Region | null}
 */
function regionIn(text, { width, height }) {
  const found = /xywh=(pixel:|percent:)?([\d.]+),([\d.]+),([\d.]+),([\d.]+)/.exec(text);
  if (!found) return null;
  const [x, y, wide, high] = found.slice(2).map(Number);
  const [across, down] = found[1] === "percent:" ? [width / 100, height / 100] : [1, 1];
  return { left: x * across, top: y * down, width: wide * across, height: high * down };
}

/**
 * Find the picture of this server that a target names, by asking for its manifest.
 * @param {Target} target
 */
async function find({ id, within, selector }) {
  const [name, fragment = ""] = id.split("#");
  const manifest = (within ?? name).split("#")[0].replace(/\/canvas\/[^/]*$/, "/manifest");
  const own = new URL("iiif/presentation/3/", document.baseURI);
  const asked = new URL(manifest, document.baseURI);
  // The proxy in front may speak another scheme than the addresses that are passed round.
  if (asked.host !== own.host || !asked.pathname.startsWith(own.pathname)) return null;
  const { items = [] } = await readJson(asked.pathname + asked.search);
  const canvas = items.find((/** @type {any} */ one) => one.id === name) ?? items[0];
  const image = canvas?.items?.[0]?.items?.[0]?.body;
  const service = [image?.service].flat()[0];
  const picture = pictureOf(service?.id ?? service?.["@id"] ?? "");
  if (!picture) return null;
  const region = regionIn(selector ?? fragment, canvas);
  if (!region) return { picture, region: null };
  const { left, top, width, height } = region;
  const parts = [left / canvas.width, top / canvas.height, width / canvas.width, height / canvas.height];
  return { picture, region: parts };
}

/** Go to what the address's iiif-content names, and put the page's own address in its place. */
export async function followState() {
  const here = new URL(location.href);
  const text = here.searchParams.get(PARAMETER) ?? "";
  here.searchParams.delete(PARAMETER);
  const target = readState(text);
  try {
    const found = target && (await find(target));
    if (found) here.hash = routeTo(found);
    else toast(t(target ? "state.elsewhere" : "state.unreadable"), { isError: true });
  } catch (error) {
    const isGone = error instanceof ServerError && error.code === "missing";
    toast(isGone ? t("state.missing") : inWords(error), { isError: true });
  }
  history.replaceState(history.state, "", here);
}
