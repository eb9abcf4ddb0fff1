// What is on the screen as a file: one answer of the image server, of the part in its shown size.
import { failed, imageService, ServerError, virtualId } from "./api.js";

/**
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./api.js").Choice} Choice
 * @typedef {import("./sizes.js").View} View
 * @typedef {import("./sizes.js").Plan} Plan
 */

/**
 * What of a picture is in view, and nothing beside it, in its px.
 * @param {Picture} picture
 * @param {{x: number, y: number, width: number, height: number}} inView in parts of the picture
 */
export function seenOf(picture, { x, y, width, height }) {
  /** @type {(from: number, length: number, all: number) => [number, number]} */
  const clipped = (from, length, all) => {
    const start = Math.min(all - 1, Math.max(0, Math.round(from * all)));
    return [start, Math.max(1, Math.min(all, Math.round((from + length) * all)) - start)];
  };
  const [left, wide] = clipped(x, width, picture.width);
  const [top, high] = clipped(y, height, picture.height);
  return { left, top, width: wide, height: high };
}

/**
 * Where the server gives a view.
 * @param {Picture} picture
 * @param {Choice} choice
 * @param {View} view
 * @param {Plan} plan of the view
 * @param {string} format
 */
export function addressOf(picture, choice, view, plan, format) {
  const scale = plan.times > 1 && picture.max_scale ? picture.max_scale : 1;
  const id = scale > 1 ? virtualId(picture.id, "x", scale, choice) : picture.id;
  const [left, top, width, height] = [view.left, view.top, view.width, view.height].map(
    (length) => length * scale,
  );
  const up = plan.width > width || plan.height > height ? "^" : "";
  const region = `${left},${top},${width},${height}`;
  return `${imageService(id)}/${region}/${up}${plan.width},${plan.height}/0/default.${format}`;
}

/**
 * A name that says what the file holds, as "chelsea-part-600-percent.jpg".
 * @param {Picture} picture
 * @param {Plan} plan
 * @param {string} format
 */
export const nameOf = ({ name, page, pages }, { times }, format) =>
  `${name.replace(/\.\w+$/, "")}${pages > 1 ? `-page-${page}` : ""}-part-${Math.round(100 * times)}-percent.${format}`;

/**
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function fetchView(address, signal) {
  const answer = await fetch(address, { signal }).catch(() => {
    throw new ServerError("network", "");
  });
  if (!answer.ok) throw await failed(answer);
  return answer.blob();
}
