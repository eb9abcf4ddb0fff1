// The worker: decode, run the network tile by tile, write the PNG as it grows.
import { hasAlpha } from "./alpha.js";
import { Bands } from "./bands.js";
import { Failure } from "./failure.js";
import { loadNetwork } from "./network.js";
import { PngWriter } from "./png.js";
import { provenance } from "./provenance.js";
import { enlargeTile } from "./tile.js";
import { blendOf, grid } from "./tiles.js";

const LONGEST_SIDE_PX = 16_384; // that browsers decode into a canvas
const MOST_RESULT_PX = 200_000_000;

/**
 * The picture's RGBA levels, upright and sRGB, as the browser decodes it.
 * @param {Blob} file
 * @param {number} scale
 */
async function decode(file, scale) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Failure("unreadable", "this browser cannot decode the picture");
  }
  const { width, height } = bitmap;
  const tooLarge = Math.max(width, height) > LONGEST_SIDE_PX;
  if (tooLarge || width * height * scale ** 2 > MOST_RESULT_PX) {
    throw new Failure("too-large", `${width} x ${height} px are too many for a browser`);
  }
  const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Failure("fault", "this browser has no canvas to spare");
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  const levels = pen.getImageData(0, 0, width, height).data;
  return { width, height, levels, channels: hasAlpha(levels) ? 4 : 3 };
}

/**
 * Let messages in; throw if another picture, or none, has been ordered by now.
 * @param {number} job
 */
async function checkNewest(job) {
  await new Promise((resolve) => setTimeout(resolve));
  if (job !== newest) throw new Failure("cancelled", "cancelled");
}

/** @param {import("./enlarger.js").Answer} answer to the page */
const send = (answer) => postMessage(answer);

/**
 * @param {number} job
 * @param {Blob} file
 * @param {string} card address of a model card
 */
async function enlarge(job, file, card) {
  await checkNewest(job);
  const network = await loadNetwork(card);
  const { scale } = network;
  const picture = await decode(file, scale);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const png = new PngWriter(width, height, picture.channels, provenance(network));
  await checkNewest(job);
  const rows = grid(picture, network);
  const bands = new Bands(width, picture.channels, scale, blendOf(picture, network));
  const total = rows.length * rows[0].length;
  let done = 0;
  send({ job, kind: "progress", done, total });
  for (const row of rows) {
    bands.begin(row[0].rows);
    for (const tile of row) {
      bands.add(await enlargeTile(picture, tile, network), tile);
      done += 1;
      send({ job, kind: "progress", done, total });
      await checkNewest(job);
    }
    await png.write(bands.finish(row[0].rows));
  }
  return { blob: await png.finish(), width, height, threads: network.threads };
}

/** @type {number | null} the newest job */
let newest = null;
let last = Promise.resolve();

/**
 * @param {number} job
 * @param {Blob} file
 * @param {string} card
 */
async function answer(job, file, card) {
  try {
    send({ job, kind: "done", result: await enlarge(job, file, card) });
  } catch (error) {
    const { code, message } = /** @type {Partial<Failure>} */ (error);
    send({ job, kind: "failed", code: code ?? "fault", message: String(message) });
  }
}

addEventListener("message", ({ data: { job, file, card } }) => {
  newest = job;
  if (job !== null) last = last.then(() => answer(job, file, card)); // one at a time
});
