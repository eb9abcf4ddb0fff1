// How grainy pixels are, as far as they are seen where a picture is smooth.

const BLOCK_PX = 8;
const SMOOTHEST = 0.2; // of the blocks count: elsewhere detail would be taken for noise

/**
 * The standard deviation of the noise in luma, by the mean of a Laplacian that plane gradients do
 * not move (Immerkaer, Fast Noise Variance Estimation, 1996), in the smoothest blocks.
 * @param {ImageData} pixels
 * @returns {number} levels of 255
 */
export function noiseLevels({ width, height, data }) {
  const luma = new Float32Array(width * height);
  for (let at = 0; at < luma.length; at += 1) {
    luma[at] = 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2];
  }
  /** @param {number} at */
  const bent = (at) => luma[at - 1] - 2 * luma[at] + luma[at + 1];
  /** @type {number[]} */
  const found = [];
  for (let top = 1; top + BLOCK_PX < height; top += BLOCK_PX) {
    for (let left = 1; left + BLOCK_PX < width; left += BLOCK_PX) {
      let sum = 0;
      for (let y = top; y < top + BLOCK_PX; y += 1) {
        for (let x = left; x < left + BLOCK_PX; x += 1) {
          const at = y * width + x;
          sum += Math.abs(bent(at - width) - 2 * bent(at) + bent(at + width));
        }
      }
      found.push((Math.sqrt(Math.PI / 2) / 6) * (sum / BLOCK_PX ** 2));
    }
  }
  found.sort((a, b) => a - b);
  return found[Math.floor(SMOOTHEST * found.length)] ?? 0;
}
