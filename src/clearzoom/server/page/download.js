// Enlarge and download: a size, a job on the server with its progress, and the file.
import { inWords, jobState, removeJob, ServerError, startEnlarging } from "./api.js";
import { by, closable, make } from "./dom.js";
import { FEW_DPI, largest, planned, refusal } from "./sizes.js";
import { number, percent, t } from "./words.js";

const ENDS = ["done", "failed", "cancelled"];
const POLL_MS = 1000;
const MOSTLY_INFERRED_FROM = 8; // times larger
const MOST_ANSWERED_PX = 16_000_000; // in one answer of the server
const USUAL_TIMES = 4;

export class Download {
  constructor() {
    this.job = null;
    closable(by("download"), by("download-close"));
    by("download-form").addEventListener("input", () => this.#sayOutcome());
    by("download-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    by("presets").addEventListener("click", ({ target }) => {
      if (!target.value) return;
      by("size-times").value = target.value;
      this.#sayOutcome();
    });
    for (const id of ["job-cancel", "job-another"]) {
      by(id).addEventListener("click", () => {
        this.#forget();
        by("download-start").focus();
      });
    }
    // What went wrong has been read; opened again, the dialog asks for a size.
    by("download").addEventListener("close", () => {
      if (["failed", "cancelled"].includes(this.job?.state)) this.#forget();
    });
    document.addEventListener("language", () => {
      if (this.picture) this.#sayOutcome();
      this.#show();
    });
  }

  /** Open for a picture; a job that still runs is shown instead. */
  open(picture, choice) {
    this.choice = choice;
    if (this.picture?.id !== picture.id) {
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
    this.picture = picture;
    by("download-here").href = `/device?picture=${encodeURIComponent(picture.id)}`;
    by("download-here").hidden = picture.width * picture.height > MOST_ANSWERED_PX;
    by("download-error").hidden = true;
    this.#sayOutcome();
    this.#show();
    by("download").showModal();
  }

  #wanted() {
    const value = (id) => by(id).valueAsNumber;
    const how = by("download-form").elements.how.value;
    if (how === "times") return { how, times: value("size-times") };
    if (how === "pixels") return { how, width: value("size-width"), height: value("size-height") };
    const unit = by("print-unit").value;
    const size = { width: value("print-width"), height: value("print-height") };
    return { how, ...size, unit, dpi: value("print-dpi"), fill: by("print-fill").checked };
  }

  /** Why the server would refuse a plan, in words; empty where it would not. */
  #refusal(plan) {
    const why = refusal(this.picture, plan, this.choice.mostTimes, by("format").value);
    if (!why) return "";
    const { key, ...parts } = why;
    for (const name of Object.keys(parts)) parts[name] = number(parts[name]);
    return t(key, parts);
  }

  #sayOutcome() {
    const wanted = this.#wanted();
    for (const how of ["times", "pixels", "print"]) by(`fields-${how}`).hidden = how !== wanted.how;
    by("size-times").max = String(largest(this.picture, this.choice.mostTimes));
    for (const preset of by("presets").children) {
      const times = Number(preset.value);
      preset.title = this.#refusal(planned(this.picture, { how: "times", times }));
      preset.disabled = Boolean(preset.title);
    }
    const plan = planned(this.picture, wanted);
    const refused = plan ? this.#refusal(plan) : "";
    this.plan = refused ? null : plan;
    by("download-start").disabled = !this.plan;
    by("outcome").classList.toggle("refused", Boolean(refused));
    const model = t("download.with", { model: this.choice.model });
    by("download-with").textContent = plan?.times <= 1 ? "" : model;
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
    const round = (value) => number(value, { maximumSignificantDigits: value < 100 ? 2 : 4 });
    const more = { times: round(plan.times), megapixels: round((plan.width * plan.height) / 1e6) };
    by("outcome-more").textContent = t("download.result.more", more);
    by("outcome-caution").textContent = this.#caution(plan);
  }

  #caution({ times, sourceDpi }) {
    if (!this.picture.max_scale) return t("download.refused.original");
    if (times <= 1) return t("download.smaller");
    if (sourceDpi < FEW_DPI) return t("download.little", { dpi: number(Math.round(sourceDpi)) });
    if (times >= MOSTLY_INFERRED_FROM) {
      return t("download.far", { all: number(Math.round(times * times)) });
    }
    return "";
  }

  async #start() {
    const { picture, plan, choice } = this;
    if (!plan) return;
    const query = new URLSearchParams({ picture: picture.id, job: "true" });
    const said = { ...plan.query, format: by("format").value, model: choice.model };
    if (choice.strength != null) said.strength = choice.strength;
    if (choice.denoise != null) said.denoise = choice.denoise;
    if (by("consistency").value) said.consistency = by("consistency").value;
    for (const [name, value] of Object.entries(said)) query.set(name, String(value));
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

  #follow(job) {
    this.job = job;
    this.#show();
    by("job-cancel").focus();
    const events = new EventSource(job.links.events);
    this.events = events;
    const heard = (data) => {
      if (this.events !== events) return;
      this.job = JSON.parse(data);
      if (ENDS.includes(this.job.state)) events.close();
      this.#show();
    };
    for (const name of ["progress", ...ENDS]) {
      events.addEventListener(name, ({ data }) => heard(data));
    }
    // The stream may break while the job goes on.
    events.onerror = () => {
      events.close();
      setTimeout(() => this.#ask(events), POLL_MS);
    };
  }

  async #ask(events) {
    if (this.events !== events || ENDS.includes(this.job.state)) return;
    const said = await jobState(this.job).catch((error) => ({ state: "failed", error }));
    if (this.events !== events) return; // forgotten in the meantime
    this.job = { ...this.job, ...said };
    if (!ENDS.includes(this.job.state)) setTimeout(() => this.#ask(events), POLL_MS);
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
    const isRunning = Boolean(job) && !ENDS.includes(job.state);
    by("download-open-text").textContent = isRunning ? percent(part) : t("download.open");
    if (!job) return;
    by("job-text").textContent = this.#sentence(percent(part));
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

  #sentence(share) {
    const { job } = this;
    if (job.state === "running") return t("download.running", { percent: share });
    if (job.state === "cancelled") return t("download.cancelled");
    if (job.state === "failed") {
      return inWords(new ServerError(job.error?.code ?? "fault", job.error?.message ?? ""));
    }
    if (job.state === "done") {
      const megabytes = number(job.bytes / 1e6, { maximumSignificantDigits: 3 });
      return t("download.done", { name: job.name, size: `${megabytes} MB` });
    }
    return t("download.waiting");
  }
}
