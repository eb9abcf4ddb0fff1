// Enlarge and download: a job on the server with its progress, or the part in view; and the file.
import { inWords, jobAddress, jobState, removeJob, ServerError, startEnlarging } from "./api.js";
import { by, closable, make } from "./dom.js";
import { Order } from "./order.js";
import { addressOf, fetchView, nameOf } from "./seen.js";
import { number, percent, t } from "./words.js";

const ENDS = /** @type {const} */ (["done", "failed", "cancelled"]);
const POLL_MS = 1000;
const MOST_ANSWERED_PX = 16_000_000; // in one answer of the server

/**
 * @typedef {import("./api.js").Job} Job
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./models.js").Models["choice"]} Choice
 * @typedef {import("./sizes.js").View} View
 */

/** @param {Job} job */
const hasEnded = ({ state }) => ENDS.some((end) => end === state);

export class Download {
  constructor() {
    /** @type {Job | null} */
    this.job = null;
    /** @type {EventSource | null} of the job */
    this.events = null;
    /** @type {AbortController | null} of a view that is fetched */
    this.fetching = null;
    this.order = new Order();
    closable(by("download"), by("download-close"));
    by("download-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    for (const id of /** @type {const} */ (["job-cancel", "job-another"])) {
      by(id).addEventListener("click", () => {
        this.#forget();
        by("download-start").focus();
      });
    }
    // What went wrong has been read; opened again, the dialog asks for a size.
    by("download").addEventListener("close", () => {
      this.fetching?.abort();
      if (this.job?.state === "failed" || this.job?.state === "cancelled") this.#forget();
    });
    document.addEventListener("language", () => this.#show());
  }

  /**
   * Open for a picture; a job that still runs is shown instead.
   * @param {Picture} picture
   * @param {Choice} choice
   * @param {Omit<View, "how">} view what of it is on the screen
   */
  open(picture, choice, view) {
    if (this.job && this.order.source?.picture.id !== picture.id) this.#forget();
    this.order.open({ picture, choice, view: { how: "view", ...view } });
    by("download-here").href = `device?picture=${encodeURIComponent(picture.id)}`;
    by("download-here").hidden = picture.width * picture.height > MOST_ANSWERED_PX;
    by("download-error").hidden = true;
    this.#show();
    by("download").showModal();
  }

  async #start() {
    const { source, plan } = this.order;
    if (!source || !plan) return;
    by("download-error").hidden = true;
    by("download-start").disabled = true;
    try {
      if (this.order.isView) {
        await this.#saveView();
      } else {
        const query = new URLSearchParams({ picture: source.picture.id, job: "true" });
        for (const [name, value] of Object.entries(this.order.fields())) query.set(name, value);
        this.#follow(await startEnlarging(query));
      }
    } catch (error) {
      by("download-error").textContent = inWords(error);
      by("download-error").hidden = false;
    } finally {
      by("download-start").disabled = !this.order.plan;
    }
  }

  /** Fetch the part in view, so that what goes wrong is said, and hand the file to the browser. */
  async #saveView() {
    const { source, plan, format } = this.order;
    if (!source || !plan) return;
    const { picture, choice, view } = source;
    const fetching = (this.fetching = new AbortController());
    by("download-start").textContent = t("download.fetching");
    try {
      const file = await fetchView(addressOf(picture, choice, view, plan, format), fetching.signal);
      const href = URL.createObjectURL(file);
      make("a", { href, download: nameOf(picture, plan, format) }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000); // the browser has begun by then
      by("download").close();
    } catch (error) {
      if (!fetching.signal.aborted) throw error;
    } finally {
      this.order.say();
    }
  }

  /** @param {Job} job */
  #follow(job) {
    this.job = job;
    this.#show();
    by("job-cancel").focus();
    const events = new EventSource(jobAddress(job, "events"));
    this.events = events;
    for (const name of ["progress", ...ENDS]) {
      events.addEventListener(name, ({ data }) => {
        if (this.events !== events) return;
        /** @type {Job} */
        const newest = JSON.parse(data);
        this.job = newest;
        if (hasEnded(newest)) events.close();
        this.#show();
      });
    }
    // The stream may break while the job goes on.
    events.onerror = () => {
      events.close();
      setTimeout(() => this.#ask(events), POLL_MS);
    };
  }

  /**
   * Ask for the job's state until it has ended.
   * @param {EventSource} events its stream, which is broken
   */
  async #ask(events) {
    const { job } = this;
    if (this.events !== events || !job || hasEnded(job)) return;
    /** @type {Job} */
    const newest = await jobState(job).catch((error) => ({ ...job, state: "failed", error }));
    if (this.events !== events) return; // forgotten in the meantime
    this.job = newest;
    if (!hasEnded(newest)) setTimeout(() => this.#ask(events), POLL_MS);
    this.#show();
  }

  #forget() {
    if (this.job && this.job.state !== "cancelled") removeJob(this.job).catch(() => null);
    this.events?.close();
    this.events = null;
    this.job = null;
    this.#show();
  }

  #show() {
    const { job } = this;
    by("download-choose").hidden = Boolean(job);
    by("download-work").hidden = !job;
    const part = job?.total ? job.done / job.total : 0;
    const isRunning = job !== null && !hasEnded(job);
    by("download-open").classList.toggle("busy", isRunning);
    by("download-open-text").textContent = isRunning ? percent(part) : t("download.open");
    if (!job) return;
    by("job-text").textContent = sentence(job, percent(part));
    by("job-text").classList.toggle("error", job.state === "failed");
    by("job-bar").hidden = !isRunning;
    if (job.total) by("job-bar").value = part;
    else by("job-bar").removeAttribute("value");
    const tiles = { done: number(job.done), total: number(job.total) };
    by("job-part").textContent = isRunning && job.total ? t("download.part", tiles) : "";
    const notes = (job.notes ?? []).map((text) => make("li", { textContent: text }));
    by("job-notes").replaceChildren(...notes);
    by("job-cancel").hidden = !isRunning;
    by("job-another").hidden = isRunning;
    by("job-save").hidden = job.state !== "done";
    if (job.state === "done") {
      by("job-save").href = jobAddress(job, "result");
      by("job-save").download = job.name;
    }
  }
}

/**
 * A job's state in words.
 * @param {Job} job
 * @param {string} share of it that is done
 */
function sentence(job, share) {
  if (job.state === "running") return t("download.running", { percent: share });
  if (job.state === "cancelled") return t("download.cancelled");
  if (job.state === "failed") {
    return inWords(new ServerError(job.error?.code ?? "fault", job.error?.message ?? ""));
  }
  if (job.state === "done") {
    const megabytes = number((job.bytes ?? 0) / 1e6, { maximumSignificantDigits: 3 });
    return t("download.done", { name: job.name, size: `${megabytes} MB` });
  }
  return t("download.waiting");
}
