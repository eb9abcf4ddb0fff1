// Enlarge pictures in this browser: one worker, which holds the network. Nothing is sent anywhere.
//
//     const enlarger = new Enlarger();
//     const { blob, width, height } = await enlarger.enlarge(file, "weights/photo-x4.json");

/** What went wrong. ``code``: "cancelled", "fault", "model", "result", "too-large" or "unreadable". */
export class EnlargingError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Enlarger {
  #worker = null;
  #current = null;
  #jobs = 0;

  /**
   * Enlarge one picture; an earlier one that is still at work is cancelled.
   *
   * @param {Blob} file that this browser can decode.
   * @param {string} card address of a model card, NAME-xSCALE.json; the .onnx lies beside it.
   * @param {(done: number, total: number) => void} [onProgress] is told of each tile.
   * @returns {Promise<{blob: Blob, width: number, height: number, threads: number}>} a PNG, 8 bit
   *   sRGB, that states in its XMP what it was inferred by.
   * @throws {EnlargingError}
   */
  enlarge(file, card, onProgress = () => {}) {
    this.cancel();
    this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      this.#jobs += 1;
      this.#current = { job: this.#jobs, resolve, reject, onProgress };
      const address = new URL(card, location.href).href;
      this.#worker.postMessage({ job: this.#jobs, file, card: address });
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
    this.#worker.postMessage({ job: null });
    this.#end("reject", new EnlargingError("cancelled", "cancelled"));
  }

  #start() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      if (data.job !== this.#current?.job) return; // it was cancelled
      if (data.kind === "progress") this.#current?.onProgress(data.done, data.total);
      else if (data.kind === "done") this.#end("resolve", data.result);
      else this.#end("reject", new EnlargingError(data.code, data.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = null;
      this.#end("reject", new EnlargingError("fault", event.message ?? "the worker did not start"));
    };
    return worker;
  }

  #end(how, value) {
    const ended = this.#current;
    this.#current = null;
    ended?.[how](value);
  }
}
