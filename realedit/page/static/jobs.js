// Jobs and their results: edits are made, followed and stopped, results are kept or discarded. These are methods of the
// app.
import { api, loadImage } from "./api.js";
import { t } from "./text.js";

const $ = (id) => document.getElementById(id);

export const jobs = {
  // What became of the job that is awaited.
  follow(job) {
    if (!job || job.number !== this.waiting) return;
    if (["waiting", "running"].includes(job.state)) {
      if (job.previews && job.previews !== this.previewed) this.showPreview(job);
      return;
    }
    [this.waiting, this.stopping, this.preview, this.previewed] = [null, false, null, null];
    if (job.state === "failed") this.fail(job.error);
    if (job.state === "stopped") this.say(t("stopped"), true);
    if (job.state === "done" && ["make", "draw"].includes(job.kind)) {
      [this.staged, this.asking] = [job.number, null];
      this.split(0.5);
      this.say(t("madeNow", { verdict: t(this.result(job.number)?.level ?? "drawn") }));
      requestAnimationFrame(() => ($("keep") ?? $("go-on"))?.focus({ preventScroll: true }));
    }
    if (job.state === "done" && job.kind === "find") this.found();
    this.keepDraft();
  },
  async showPreview(job) {
    this.previewed = job.previews;
    const picture = await loadImage(api.previewOf(job)).catch(() => null);
    if (picture && this.waiting === job.number) {
      this.preview = picture;
      this.render();
    }
  },
  lookOnce() {
    if (this.server.model.state === "done" && this.photo()?.ready && !this.server.looking && !this.busy()) this.look(this.doc.options.prompt ?? "", true);
  },
  look(prompt, quiet = false) {
    if (prompt) this.doc.options.prompt = prompt;
    const start = api.start("look", { prompt });
    return quiet ? start.catch(() => {}) : this.attempt(() => start);
  },
  make() {
    this.input.settle();
    return this.startJob("make", this.doc.request(this.known, this.server.others));
  },
  startJob(kind, values) {
    [this.starting, this.stopping] = [true, false];
    this.render();
    const before = this.server.job?.number ?? 0;
    return this.attempt(async () => {
      await api.start(kind, values);
      const now = await this.once((state) => (state.job?.number ?? 0) > before);
      this.waiting = now.job.number;
      this.starting = false;
      this.keepDraft();
      this.follow(now.job);
    }).finally(() => {
      this.starting = false;
      this.render();
    });
  },
  stop() {
    this.stopping = true;
    this.render();
    return this.attempt(() => api.stop());
  },
  keep(made) {
    this.doc.now.kept = made.number;
    this.doc.madeWith = JSON.stringify(this.doc.options);
    [this.staged, this.current] = [null, null];
    this.finish();
    requestAnimationFrame(() => $("download")?.focus({ preventScroll: true }));
  },
  discard() {
    this.staged = null;
    this.done();
  },
  setOption(name, value) {
    if (value === "" || value === null || Number.isNaN(value)) delete this.doc.options[name];
    else this.doc.options[name] = value;
    this.done();
  },
};
