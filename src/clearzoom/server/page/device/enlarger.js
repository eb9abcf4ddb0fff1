// Enlarge pictures in this browser: one worker, which holds the network. Nothing is sent anywhere.
//
//     const enlarger = new Enlarger();
//     const { blob, width, height } = await enlarger.enlarge(file, "weights/photo-x4.json");

/**
 * @typedef {object} Enlarged
 * @property {Blob} blob a PNG, 8 bit sRGB, that states in its XMP what it was inferred by
 * @property {number} width in px
 * @property {number} height
 * @property {number} threads
 *
 * @typedef {{kind: "progress", job: number, done: number, total: number}
 *   | {kind: "done", job: number, result: Enlarged}
 *   | {kind: "failed", job: number, code: string, message: string}} Answer of the worker
 *
 * @typedef {object} Current what is at work
 * @property {number} job
 * @property {(result: Enlarged) => void} resolve
 * @property {(error: EnlargingError) => void} reject
 * @property {(done: number, total: number) => void} onProgress
 */

/** What went wrong; its code is "cancelled", "fault", "model", "result", "too-large" or "unreadable". */
export class EnlargingError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Enlarger {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Current | null} */
  #current = null;
  #jobs = 0;

  /**
   * Enlarge one picture; an earlier one that is still at work is cancelled.
   *
   * @param {Blob} file that this browser can decode.
   * @param {string} card address of a model card, NAME-xSCALE.json; the .onnx lies beside it.
   * @param {(done: number, total: number) => void} [onProgress] is called after each tile.
   * @returns {Promise<Enlarged>}
   * @throws {EnlargingError}
   */
  enlarge(file, card, onProgress = () => {}) {
    this.cancel();
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve, reject) => {
      this.#jobs += 1;
      this.#current = { job: this.#jobs, resolve, reject, onProgress };
      const address = new URL(card, location.href).href;
      worker.postMessage({ job: this.#jobs, file, card: address });
    });
  }

  get isBusy() {
    return this.#current !== null;
  }

  /**
   * Give up what is at work; its promise is rejected with the code "cancelled".
   *
   * The worker ends after the tile at hand, and stays: what it has loaded works offline.
   */
  cancel() {
    if (!this.#current) return;
    this.#worker?.postMessage({ job: null });
    this.#end()?.reject(new EnlargingError("cancelled", "cancelled"));
  }

  #start() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = (event) => {
      /** @type {Answer} */
      const answer = event.data;
      if (answer.job !== this.#current?.job) return; // it was cancelled
      if (answer.kind === "progress") this.#current.onProgress(answer.done, answer.total);
      else if (answer.kind === "done") this.#end()?.resolve(answer.result);
      else this.#end()?.reject(new EnlargingError(answer.code, answer.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = null;
      const message = event.message ?? "the worker did not start";
      this.#end()?.reject(new EnlargingError("fault", message));
    };
    return worker;
  }

  /** Nothing is at work any more; gives what was. */
  #end() {
    const ended = this.#current;
    this.#current = null;
    return ended;
  }
}
