// The server's answers, and its errors in words.
// All addresses are relative to the document, which may lie below a proxy's prefix.
import { has, t } from "./words.js";

export const THUMBNAIL_PX = 280;

/**
 * @typedef {object} Picture
 * @property {string} id
 * @property {string} name
 * @property {string} folder below the served one; empty for itself
 * @property {number} width in px
 * @property {number} height in px
 * @property {string} kind as "PNG"
 * @property {number} pages of its file; more than 1 in some TIFFs
 * @property {number} page which of them it is, from 1
 * @property {number} frames more than 1: an animation, of which the first is shown
 * @property {number} compression_error in levels of 255; 0 is lossless
 * @property {boolean} upscaling
 * @property {number | null} max_scale of its virtual pictures
 * @property {boolean} files whether jobs enlarge it: not where it has pages, or a watermark on inferred pixels
 * @property {string | null} rights
 * @property {string | null} attribution
 * @property {string | null} label
 * @property {string} manifest address of its IIIF manifest
 *
 * @typedef {object} Unreadable a file that cannot be shown
 * @property {string} name
 * @property {string} why
 *
 * @typedef {object} Locked
 * @property {string} group
 * @property {string} login
 *
 * @typedef {object} Pictures
 * @property {Picture[]} pictures
 * @property {Unreadable[]} unreadable
 * @property {Locked[]} locked
 *
 * @typedef {object} Model
 * @property {string} name
 * @property {number[]} scales
 * @property {string} about
 * @property {boolean} strength whether one below 1 is possible
 * @property {boolean} denoise whether it can be a number
 *
 * @typedef {object} Models
 * @property {string} default
 * @property {Model[]} models
 *
 * @typedef {object} Failure
 * @property {string} code
 * @property {string} message
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {"waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} done tiles
 * @property {number} total tiles; 0 until the first is made
 * @property {string} name of the result
 * @property {number | null} bytes of the result, once it is there
 * @property {string[]} notes
 * @property {Failure | null} error
 *
 * @typedef {object} ImageInfo what the page reads of IIIF's info.json
 * @property {{width: number, scaleFactors: number[]}[]} tiles
 *
 * @typedef {object} Choice how a picture is enlarged; null is the server's own
 * @property {string | null} model
 * @property {number | null} [strength] 0 to 1
 * @property {number | null} [denoise] 0 to 1
 */

export class ServerError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * An error for people: in the page's language, with what the server said.
 * @param {unknown} error
 * @returns {string}
 */
export function inWords(error) {
  const { code, message } = /** @type {Partial<Failure>} */ (error);
  const key = `error.${code ?? "network"}`;
  if (!has(key)) return message ?? "";
  const own = t(key);
  return message && code && code !== "fault" ? `${own} (${message})` : own;
}

/** @param {Response} response */
export async function failed(response) {
  /** @type {Failure | null} */
  const failure = await response.json().catch(() => null);
  return new ServerError(failure?.code ?? "fault", failure?.message ?? response.statusText);
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ServerError("network", "");
  }
  if (!response.ok) throw await failed(response);
  return response;
}

/**
 * The JSON of an answer.
 * @param {string} path
 * @param {RequestInit} [options]
 */
const read = async (path, options) => (await request(path, options)).json();
/** @param {string} path */
export const readJson = (path) => read(path);

/** @returns {Promise<Pictures>} */
export const listPictures = () => read("api/pictures");
/** @type {(id: string) => Promise<Picture>} */
export const onePicture = (id) => read(`api/pictures/${encodeURIComponent(id)}`);
/** @param {string} id */
export const removePicture = (id) =>
  request(`api/pictures/${encodeURIComponent(id)}`, { method: "DELETE" });
/** @returns {Promise<Models>} */
export const listModels = () => read("api/models");
/** @type {(query: URLSearchParams) => Promise<Job>} */
export const startEnlarging = (query) => read(`api/enlarge?${query}`, { method: "POST" });
/** @type {(job: Job, part?: "events" | "result") => string} */
export const jobAddress = ({ id }, part) => `api/jobs/${id}${part ? `/${part}` : ""}`;
/** @type {(job: Job) => Promise<Job>} */
export const jobState = (job) => read(jobAddress(job));
/** @param {Job} job */
export const removeJob = (job) => request(jobAddress(job), { method: "DELETE" });

/**
 * The id of a virtual picture: kind "x" is the enlargement, "f" its fidelity map.
 * @param {string} id
 * @param {"x" | "f"} kind
 * @param {number} scale
 * @param {Choice} choice
 */
export function virtualId(id, kind, scale, { model, strength, denoise }) {
  const level = denoise == null ? null : `d${denoise}`;
  const parts = [`${id}~${kind}${scale}`, model, strength, level];
  return parts.filter((part) => part != null).join(",");
}

/** @param {string} id */
export const imageService = (id) => `iiif/3/${encodeURIComponent(id)}`;
/**
 * The id of the picture that an image service shows, without what makes it a virtual one.
 * @param {string} service its address
 */
export function pictureOf(service) {
  const found = /\/iiif\/[23]\/([^/]+)$/.exec(service);
  return found ? decodeURIComponent(found[1]).replace(/~x\d+[^~]*$/, "") : null;
}

/**
 * A small picture of the whole.
 * @param {string} id
 * @param {number} px bound of its sides
 */
export const thumbnail = (id, px = THUMBNAIL_PX) =>
  `${imageService(id)}/full/!${px},${px}/0/default.webp`;
/** @type {(id: string) => Promise<ImageInfo>} */
export const imageInfo = (id) => read(`${imageService(id)}/info.json`);
