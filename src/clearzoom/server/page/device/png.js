// Write a PNG row by row: no canvas limits its size, and memory holds no more than a band of rows.
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** @type {Record<number, number>} */
const COLOUR_TYPE = { 3: 2, 4: 6 }; // RGB, RGBA
const PAETH = 4;
const PERCEPTUAL = 0; // the intent in the chunk sRGB

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/**
 * @param {string} name
 * @param {Uint8Array} content
 */
function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(content, 8);
  let crc = 0xffffffff;
  for (let at = 4; at < 8 + content.length; at += 1) {
    crc = CRC[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
  }
  view.setUint32(8 + content.length, ~crc >>> 0);
  return bytes;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} channels
 */
function header(width, height, channels) {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes.set([8, COLOUR_TYPE[channels], 0, 0, 0], 8);
  return chunk("IHDR", bytes);
}

/**
 * iTXt, as the XMP specification (part 3, 1.1.5) has it.
 * @param {string} xmp
 */
const metadata = (xmp) =>
  chunk("iTXt", new TextEncoder().encode(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`));

export class PngWriter {
  /** @type {BlobPart[]} */
  #parts;
  #row;
  /** @type {Uint8Array} */
  #above;
  #channels;
  #deflate = new CompressionStream("deflate");
  #pen = this.#deflate.writable.getWriter();
  #collected;

  /**
   * 8 bit sRGB, and a packet of XMP.
   * @param {number} width
   * @param {number} height
   * @param {number} channels 3 or 4
   * @param {string} xmp
   */
  constructor(width, height, channels, xmp) {
    this.#channels = channels;
    this.#row = width * channels;
    this.#above = new Uint8Array(this.#row);
    const sRGB = chunk("sRGB", Uint8Array.of(PERCEPTUAL));
    this.#parts = [SIGNATURE, header(width, height, channels), sRGB, metadata(xmp)];
    this.#collected = this.#collect();
  }

  async #collect() {
    const reader = this.#deflate.readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#parts.push(chunk("IDAT", value));
    }
  }

  /**
   * Add whole rows.
   * @param {Uint8Array} levels (rows, width, channels)
   */
  async write(levels) {
    const bytes = this.#channels;
    const filtered = new Uint8Array(levels.length + levels.length / this.#row);
    let to = 0;
    for (let start = 0; start < levels.length; start += this.#row) {
      const row = levels.subarray(start, start + this.#row);
      const above = this.#above;
      filtered[to] = PAETH;
      to += 1;
      for (let at = 0; at < this.#row; at += 1) {
        const left = at < bytes ? 0 : row[at - bytes];
        const corner = at < bytes ? 0 : above[at - bytes];
        const guess = left + above[at] - corner;
        const a = Math.abs(guess - left);
        const b = Math.abs(guess - above[at]);
        const c = Math.abs(guess - corner);
        const nearest = a <= b && a <= c ? left : b <= c ? above[at] : corner;
        filtered[to] = row[at] - nearest;
        to += 1;
      }
      this.#above = row;
    }
    await this.#pen.write(filtered);
  }

  async finish() {
    await this.#pen.close();
    await this.#collected;
    this.#parts.push(chunk("IEND", new Uint8Array(0)));
    return new Blob(this.#parts, { type: "image/png" });
  }
}
