// Enlarge and download: a size, a job on the server with its progress, and the file.
import { inWords, jobState, removeJob, ServerError, startEnlarging } from "./api.js";
import { by, closable, make } from "./dom.js";
import { FEW_DPI, largest, planned, refusal } from "./sizes.js";
import { number, percent, t } from "./words.js";

const ENDS = /** @type {const} */ (["done", "failed", "cancelled"]);
const POLL_MS = 1000;
const MOSTLY_INFERRED_FROM = 8; // times larger
const MOST_ANSWERED_PX = 16_000_000; // in one answer of the server
const USUAL_TIMES = 4;

/**
 * @typedef {import("./api.js").Job} Job
 * @typedef {import("./api.js").Picture} Picture
 * @typedef {import("./models.js").Models["choice"]} Choice
 * @typedef {import("./sizes.js").Plan} Plan
 */

/** @param {Job} job */
const hasEnded = ({ state }) => ENDS.some((end) => end === state);

export class Download {
  constructor() {
    /** @type {Job | null} */
    this.job = null;
    /** @type {EventSource | null} of the job */
    this.events = null;
    /** @type {{picture: Picture, choice: Choice} | null} what the dialog is open for */
    this.source = null;
    /** @type {Plan | null} what can be started */
    this.plan = null;
    closable(by("download"), by("download-close"));
    by("download-form").addEventListener("input", () => this.#sayOutcome());
    by("download-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    by("presets").addEventListener("click", ({ target }) => {
      if (!(target instanceof HTMLButtonElement)) return;
      by("size-times").value = target.value;
      this.#sayOutcome();
    });
    for (const id of /** @type {const} */ (["job-cancel", "job-another"])) {
      by(id).addEventListener("click", () => {
        this.#forget();
        by("download-start").focus();
      });
    }
    // What went wrong has been read; opened again, the dialog asks for a size.
    by("download").addEventListener("close", () => {
      if (this.job?.state === "failed" || this.job?.state === "cancelled") this.#forget();
    });
    document.addEventListener("language", () => {
      this.#sayOutcome();
      this.#show();
    });
  }

  /**
   * Open for a picture; a job that still runs is shown instead.
   * @param {Picture} picture
   * @param {Choice} choice
   */
  open(picture, choice) {
    if (this.source?.picture.id !== picture.id) {
      if (this.job) this.#forget();
      const times = Math.min(USUAL_TIMES, largest(picture, choice.mostTimes));
      by("size-times").value = String(times);
      by("size-width").value = String(Math.max(1, Math.floor(picture.width * times)));
      by("size-height").value = "";
      const isUpright = picture.height > picture.width;
      by("print-width").value = isUpright ? "40" : "60";
      by("print-height").value = isUpright ? "60" : "40";
      by("format").value = /\.jpe?g$/i.test(picture.name) ? "jpg" : "png";
    }
    this.source = { picture, choice };
    by("download-here").href = `/device?picture=${encodeURIComponent(picture.id)}`;
    by("download-here").hidden = picture.width * picture.height > MOST_ANSWERED_PX;
    by("download-error").hidden = true;
    this.#sayOutcome();
    this.#show();
    by("download").showModal();
  }

  /**
   * The size that the form states.
   * @returns {import("./sizes.js").Times | import("./sizes.js").Pixels | import("./sizes.js").Print}
   */
  #size() {
    const how = new FormData(by("download-form")).get("how");
    if (how === "times") return { how, times: by("size-times").valueAsNumber };
    if (how === "pixels") {
      const [width, height] = [by("size-width").valueAsNumber, by("size-height").valueAsNumber];
      return { how, width, height };
    }
    return {
      how: "print",
      width: by("print-width").valueAsNumber,
      height: by("print-height").valueAsNumber,
      unit: by("print-unit").value,
      dpi: by("print-dpi").valueAsNumber,
      fill: by("print-fill").checked,
    };
  }

  #sayOutcome() {
    if (!this.source) return;
    const { picture, choice } = this.source;
    const size = this.#size();
    const ways = /** @type {const} */ (["times", "pixels", "print"]);
    for (const how of ways) by(`fields-${how}`).hidden = how !== size.how;
    by("size-times").max = String(largest(picture, choice.mostTimes));
    /** @param {Plan | null} plan */
    const refusalOf = (plan) => {
      const why = plan && refusal(picture, plan, choice.mostTimes, by("format").value);
      if (!why) return "";
      const parts = Object.entries(why.parts ?? {}).map(([name, value]) => [name, number(value)]);
      return t(why.key, Object.fromEntries(parts));
    };
    for (const preset of by("presets").querySelectorAll("button")) {
      const times = Number(preset.value);
      preset.title = refusalOf(planned(picture, { how: "times", times }));
      preset.disabled = Boolean(preset.title);
    }
    const plan = planned(picture, size);
    const refused = refusalOf(plan);
    this.plan = refused ? null : plan;
    by("download-start").disabled = !this.plan;
    by("outcome").classList.toggle("refused", Boolean(refused));
    const model = t("download.with", { model: choice.model });
    by("download-with").textContent = plan && plan.times <= 1 ? "" : model;
    by("outcome-more").textContent = "";
    by("outcome-caution").textContent = "";
    if (!plan) {
      by("outcome-size").textContent = t("download.unclear");
      return;
    }
    const [width, height] = [number(plan.width), number(plan.height)];
    by("outcome-size").textContent = t("download.result", { width, height });
    if (refused) {
      by("outcome-caution").textContent = refused;
      return;
    }
    /** @param {number} value */
    const round = (value) => number(value, { maximumSignificantDigits: value < 100 ? 2 : 4 });
    const more = { times: round(plan.times), megapixels: round((plan.width * plan.height) / 1e6) };
    by("outcome-more").textContent = t("download.result.more", more);
    by("outcome-caution").textContent = this.#caution(picture, plan);
  }

  /**
   * @param {Picture} picture
   * @param {Plan} plan
   */
  #caution(picture, { times, sourceDpi }) {
    if (!picture.max_scale) return t("download.refused.original");
    if (times <= 1) return t("download.smaller");
    if (sourceDpi !== undefined && sourceDpi < FEW_DPI) {
      return t("download.little", { dpi: number(Math.round(sourceDpi)) });
    }
    if (times >= MOSTLY_INFERRED_FROM) {
      return t("download.far", { all: number(Math.round(times * times)) });
    }
    return "";
  }

  async #start() {
    const { source, plan } = this;
    if (!source || !plan) return;
    const { picture, choice } = source;
    const query = new URLSearchParams({ picture: picture.id, job: "true" });
    /** @type {Plan["query"]} */
    const fields = { ...plan.query, format: by("format").value, model: choice.model };
    if (choice.strength != null) fields.strength = choice.strength;
    if (choice.denoise != null) fields.denoise = choice.denoise;
    if (by("consistency").value) fields.consistency = by("consistency").value;
    for (const [name, value] of Object.entries(fields)) query.set(name, String(value));
    by("download-error").hidden = true;
    by("download-start").disabled = true;
    try {
      this.#follow(await startEnlarging(query));
    } catch (error) {
      by("download-error").textContent = inWords(error);
      by("download-error").hidden = false;
    } finally {
      by("download-start").disabled = !this.plan;
    }
  }

  /** @param {Job} job */
  #follow(job) {
    this.job = job;
    this.#show();
    by("job-cancel").focus();
    const events = new EventSource(job.links.events);
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
      by("job-save").href = job.links.result;
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
