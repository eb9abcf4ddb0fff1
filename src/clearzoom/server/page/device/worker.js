// The worker: decode, run the network tile by tile, write the PNG as it grows.
import { hasAlpha } from "./alpha.js";
import { Failure } from "./failure.js";
import { loadNetwork } from "./network.js";
import { PngWriter } from "./png.js";
import { provenance } from "./provenance.js";
import { enlargeTile } from "./tile.js";
import { grid } from "./tiles.js";

const LONGEST_SIDE_PX = 16_384; // that browsers decode into a canvas
const MOST_RESULT_PX = 200_000_000;

/** The picture's RGBA levels, upright and sRGB, as the browser decodes it. */
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
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, levels: pen.getImageData(0, 0, width, height).data };
}

/** Let messages in; throw if another picture, or none, is wanted by now. */
async function checkWanted(job) {
  await new Promise((resolve) => setTimeout(resolve));
  if (job !== wanted) throw new Failure("cancelled", "cancelled");
}

async function enlarge(job, file, card) {
  await checkWanted(job);
  const network = await loadNetwork(card);
  const { scale } = network;
  const picture = await decode(file, scale);
  picture.channels = hasAlpha(picture.levels) ? 4 : 3;
  const [width, height] = [picture.width * scale, picture.height * scale];
  const png = new PngWriter(width, height, picture.channels, provenance(network));
  await checkWanted(job);
  const rows = grid(picture, network);
  const total = rows.length * rows[0].length;
  let done = 0;
  postMessage({ job, kind: "progress", done, total });
  for (const row of rows) {
    const { coreStart, coreStop } = row[0].rows;
    const band = new Uint8Array((coreStop - coreStart) * scale * width * picture.channels);
    for (const tile of row) {
      await enlargeTile(picture, tile, network, band);
      done += 1;
      postMessage({ job, kind: "progress", done, total });
      await checkWanted(job);
    }
    await png.write(band);
  }
  return { blob: await png.finish(), width, height, threads: network.threads };
}

let wanted = null; // the newest job
let last = Promise.resolve();

async function answer(job, file, card) {
  try {
    postMessage({ job, kind: "done", result: await enlarge(job, file, card) });
  } catch (error) {
    const message = String(error.message);
    postMessage({ job, kind: "failed", code: error.code ?? "fault", message });
  }
}

addEventListener("message", ({ data: { job, file, card } }) => {
  wanted = job;
  if (job !== null) last = last.then(() => answer(job, file, card)); // one at a time
});
