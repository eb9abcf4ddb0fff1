// The server's answers, and its errors in words.
import { has, t } from "./words.js";

export class ServerError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** An error for people: in the page's language, with what the server said. */
export function inWords(error) {
  const key = `error.${error.code ?? "network"}`;
  if (!has(key)) return error.message;
  const own = t(key);
  return error.message && error.code && error.code !== "fault" ? `${own} (${error.message})` : own;
}

export async function failed(response) {
  const said = await response.json().catch(() => null);
  return new ServerError(said?.code ?? "fault", said?.message ?? response.statusText);
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ServerError("network", "");
  }
  if (!response.ok) throw await failed(response);
  return response.status === 204 ? null : response.json();
}

export const listPictures = () => ask("/api/pictures");
export const onePicture = (id) => ask(`/api/pictures/${encodeURIComponent(id)}`);
export const removePicture = (id) =>
  ask(`/api/pictures/${encodeURIComponent(id)}`, { method: "DELETE" });
export const listModels = () => ask("/api/models");
export const startEnlarging = (query) => ask(`/api/enlarge?${query}`, { method: "POST" });
export const jobState = (job) => ask(job.links.self);
export const removeJob = (job) => ask(job.links.self, { method: "DELETE" });

/** The id of a virtual picture: kind "x" is the enlargement, "f" its fidelity map. */
export function virtualId(id, kind, scale, { model, strength, denoise }) {
  const level = denoise == null ? null : `d${denoise}`;
  const parts = [`${id}~${kind}${scale}`, model, strength, level];
  return parts.filter((part) => part != null).join(",");
}

export const imageService = (id) => `/iiif/3/${encodeURIComponent(id)}`;
export const imageInfo = (id) => ask(`${imageService(id)}/info.json`);
