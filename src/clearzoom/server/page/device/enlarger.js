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
 * @typedef {{job: number, file: Blob, card: string}} Order for the worker
 *
 * @typedef {object} Current what is at work
 * @property {Order} order
 * @property {(result: Enlarged) => void} resolve
 * @property {(error: EnlargingError) => void} reject
 * @property {(done: number, total: number) => void} onProgress
 */

/**
 * What went wrong; its code is "cancelled", "fault", "memory", "model", "result", "server",
 * "too-large", "unreadable" or "unsupported".
 */
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

const PATIENCE_MS = 30_000; // tiles of large networks, and whole pictures, take minutes

export class Enlarger {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {number | undefined} */
  #leaving;
  #patienceMs;
  /** @type {Current | null} */
  #current = null;
  #jobs = 0;

  /** @param {{patienceMs?: number}} [options] how long a cancelled tile may take to its end */
  constructor({ patienceMs = PATIENCE_MS } = {}) {
    this.#patienceMs = patienceMs;
  }

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
    return new Promise((resolve, reject) => {
      this.#jobs += 1;
      const order = { job: this.#jobs, file, card: new URL(card, location.href).href };
      this.#current = { order, resolve, reject, onProgress };
      this.#send(order);
    });
  }

  get isBusy() {
    return this.#current !== null;
  }

  /**
   * Give up what is at work; its promise is rejected with the code "cancelled".
   *
   * The worker ends after the tile at hand, and stays: what it has loaded works offline. One whose
   * tile takes long is ended, and what was ordered meanwhile gets another.
   */
  cancel() {
    if (!this.#current) return;
    this.#worker?.postMessage({ job: null });
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => {
      this.#stop();
      if (this.#current) this.#send(this.#current.order);
    }, this.#patienceMs);
    this.#end()?.reject(new EnlargingError("cancelled", "cancelled"));
  }

  /** @param {Order} order */
  #send(order) {
    this.#worker ??= this.#start();
    this.#worker.postMessage(order);
  }

  #stop() {
    clearTimeout(this.#leaving);
    this.#worker?.terminate();
    this.#worker = null;
  }

  #start() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = (event) => {
      /** @type {Answer} */
      const answer = event.data;
      if (answer.kind !== "progress") clearTimeout(this.#leaving); // the tile is over
      if (answer.job !== this.#current?.order.job) return; // it was cancelled
      if (answer.kind === "progress") this.#current.onProgress(answer.done, answer.total);
      else if (answer.kind === "done") this.#end()?.resolve(answer.result);
      else {
        if (answer.code === "memory") this.#stop(); // nothing else gives the memory back
        this.#end()?.reject(new EnlargingError(answer.code, answer.message));
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#stop();
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
