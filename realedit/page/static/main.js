// The page: what is known, what can be done, and who is told of it.
import { api, loadImage } from "./api.js";
import { choosing } from "./choosing.js";
import { making } from "./making.js";
import { Doc } from "./model.js";
import { Editing } from "./editing.js";
import { Masks } from "./masks.js";
import { Panel } from "./panel.js";
import { Stage } from "./stage.js";
import { fillIn, strings, t } from "./strings.js";

const $ = (id) => document.getElementById(id);

class App {
  constructor() {
    this.server = null; // all that the server knows
    this.doc = new Doc();
    this.masks = new Masks();
    this.view = null; // the picture of the photo as it is
    this.pictures = new Map(); // of results, by number
    this.current = null; // the thing that is selected
    this.clicks = "new"; // what a click means: new, more or less
    this.asking = null; // for what the panel waits: restyle, swap
    this.staged = null; // the number of a result that is neither kept nor discarded
    this.waiting = null; // the number of the job that is awaited
    this.selecting = false;
    this.stopping = false;
    this.error = this.note = "";
    this.saving = {};
    this.madeWith = "{}"; // the options of the kept result
    this.stage = new Stage($("stage"));
    this.editing = new Editing(this, this.stage);
    this.panel = new Panel(this, $("panel"));
    this.waiters = [];
  }

  // What is known

  photo() { return this.server?.photo ?? null; }
  selections() { return new Map([...(this.server?.selections ?? [])].map((each) => [each.number, each])); }
  selectionOf(thing) { return thing && this.known?.get(thing.sel); }
  cutoutOf(thing) { return this.masks.get(this.selectionOf(thing)); }
  result(number) { return this.server?.results.find((each) => each.number === number); }
  stagedResult() { return this.staged === null ? null : this.result(this.staged); }
  keptResult() { return this.doc.now.kept === null ? null : this.result(this.doc.now.kept); }
  busy() { return this.starting || this.running(); }
  running() { const job = this.server?.job; return job && job.number === this.waiting && ["waiting", "running"].includes(job.state); }
  optionsChanged() { return this.doc.now.kept !== null && JSON.stringify(this.doc.options) !== (this.doc.madeWith ?? "{}"); }

  // From the server

  async begin() {
    fillIn(document);
    document.title = strings.title;
    this.wire();
    this.begun = api.begin();
    const state = await this.begun;
    this.restore(api.kept(), state);
    await this.changed(state);
    api.listen((now) => this.changed(now), (well, ended) => this.connected(well, ended));
  }

  restore(draft, state) {
    if (!draft || draft.photo !== state.photo?.number) return;
    this.doc.fromDraft(draft.doc);
    this.current = draft.current;
    this.staged = draft.staged;
    this.waiting = draft.waiting;
  }

  connected(well, ended) {
    const message = well ? "" : ended ? t("gone") : t("lost");
    $("veil").hidden = well;
    $("veil").textContent = message;
  }

  async changed(now) {
    const before = this.server;
    this.server = now;
    this.known = this.selections();
    const photo = now.photo;
    if (photo?.number !== this.shown?.number || photo?.ready !== this.shown?.ready) await this.showPhoto(photo);
    if (photo?.error) this.error = photo.error;
    await this.loadMasks();
    this.follow(now.job);
    if (now.model.state === "done" && before?.model.state !== "done" || photo?.ready && !before?.photo?.ready) this.lookOnce();
    this.waiters = this.waiters.filter((waiter) => !waiter(now));
    this.render();
  }

  // The state of the server once it is as wanted.
  once(wanted) {
    if (wanted(this.server)) return Promise.resolve(this.server);
    return new Promise((resolve) => this.waiters.push((now) => wanted(now) && (resolve(now), true)));
  }

  async showPhoto(photo) {
    const other = photo?.number !== this.shown?.number;
    if (other && this.doc.photo !== (photo?.number ?? null)) this.forget(photo);
    this.shown = photo && { number: photo.number, ready: photo.ready };
    if (photo && (photo.ready || photo.browser)) {
      try {
        this.view = await loadImage(api.viewOf(photo));
        this.masks.clear();
      } catch { /* a browser that cannot show the file itself waits for the view */ }
    }
    document.body.dataset.state = photo ? "open" : "empty";
    $("file-name").textContent = photo?.name ?? "";
    $("file-size").textContent = photo ? `${photo.size[0]} × ${photo.size[1]}` : "";
    this.note = photo?.notes.join(". ") ?? "";
    if (photo) requestAnimationFrame(() => this.stage.resize());
  }

  // Nothing of an old photo survives a new one.
  forget(photo) {
    this.doc.reset(photo?.number ?? null);
    this.masks.clear();
    this.pictures.clear();
    this.current = this.asking = this.staged = this.waiting = this.view = null;
    this.error = "";
    this.keepDraft();
    this.stage.after = null;
    this.stage.fit();
  }

  async loadMasks() {
    if (!this.view || !this.server.photo?.ready) return;
    const needed = this.doc.now.things.filter((thing) => thing.sel).map((thing) => this.known.get(thing.sel));
    await Promise.all(needed.filter((each) => each && each.of === this.server.photo.number && !this.masks.get(each)).map((each) => this.masks.load(each, this.view).catch(() => {})));
    for (const thing of this.doc.now.things.filter((each) => each.of !== this.server.photo.number)) await this.loadOther(thing);
  }

  async loadOther(thing) {
    const selection = this.known.get(thing.sel), photo = this.server.others.find((each) => each.number === thing.of);
    if (selection && photo?.ready && !this.masks.get(selection)) await this.masks.load(selection, await loadImage(api.viewOf(photo)));
  }

  async attempt(work) {
    this.error = "";
    try {
      return await work();
    } catch (problem) {
      this.fail(problem.message);
    }
  }

  fail(message) {
    this.error = message;
    this.render();
    requestAnimationFrame(() => $("error")?.scrollIntoView({ block: "nearest" }));
  }

  say(message, shown = false) {
    $("live").textContent = message;
    if (shown) this.flash(message);
  }

  flash(message) {
    const note = $("stage-note");
    note.textContent = message;
    note.hidden = false;
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => (note.hidden = true), 3000);
  }

  async openFile(file) {
    $("open-error").textContent = "";
    this.note = t("opening", { name: file.name || "photo" });
    document.body.classList.add("opening");
    try {
      await this.begun;
      await api.open(file);
    } catch (problem) {
      $("open-error").textContent = problem.message;
      this.fail(problem.message);
    } finally {
      document.body.classList.remove("opening");
      this.render();
    }
  }

  step(by) {
    if (this.busy() || this.staged !== null || !this.doc.go(by)) return;
    if (!this.doc.thing(this.current)) this.current = null;
    this.asking = null;
    const painted = this.doc.thing(this.current);
    if (painted?.strokes.length || this.selectionOf(painted)?.brushed) this.sendStrokes(painted);
    this.loadMasks().then(() => this.done());
  }

  // A change that can be undone; and one that is only to be seen and kept.
  finish() {
    this.doc.commit();
    this.done();
  }

  done() {
    this.keepDraft();
    this.render();
  }

  keepDraft() {
    const { current, staged, waiting } = this;
    api.keep({ photo: this.doc.photo, doc: this.doc.toDraft(), current, staged, waiting });
  }

  // What is shown

  split(value) {
    this.stage.split = value;
    $("split").value = Math.round(value * 1000);
    this.stage.redraw();
  }

  async pictureOf(number) {
    if (!this.pictures.has(number)) this.pictures.set(number, await loadImage(api.resultOf(number)));
    return this.pictures.get(number);
  }

  render() {
    if (!this.server) return;
    const { model } = this.server, state = { done: "modelReady", failed: "modelFailed" }[model.state] ?? "modelLoading";
    $("model-text").textContent = t(state, { name: model.name });
    $("model").dataset.state = model.state;
    $("model").title = model.error ?? "";
    $("undo").disabled = !this.doc.canUndo || this.busy() || this.staged !== null;
    $("redo").disabled = !this.doc.canRedo || this.busy() || this.staged !== null;
    this.showPictures();
    this.editing.tools();
    this.panel.render();
  }

  showPictures() {
    if (!this.photo() || !this.view) return;
    const staged = this.stagedResult(), kept = this.keptResult(), size = this.photo().size;
    $("compare").hidden = !staged;
    document.body.dataset.mode = staged ? "compare" : this.busy() ? "busy" : "edit";
    const need = staged?.number ?? (kept && this.doc.pending().holds ? kept.number : null);
    if (need !== null && !this.pictures.has(need)) this.pictureOf(need).then(() => this.render()).catch(() => {});
    const picture = this.pictures.get(need) ?? null;
    const shown = !staged && picture ? picture : this.view;
    this.stage.after = staged ? picture : null;
    const now = this.busy() && this.preview ? this.preview : shown;
    if (this.stage.image !== now || this.stage.size[0] !== size[0]) this.stage.show(now, size);
    this.stage.redraw();
  }

  wire() {
    const file = $("file");
    for (const id of ["choose", "open"]) $(id).addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      if (file.files[0]) this.openFile(file.files[0]);
      file.value = "";
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("dragenter", () => document.body.classList.add("over"));
    addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.classList.remove("over"));
    addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("over");
      this.take(event.dataTransfer);
    });
    addEventListener("paste", (event) => event.clipboardData.files.length && this.take(event.clipboardData));
    $("undo").addEventListener("click", () => this.step(-1));
    $("redo").addEventListener("click", () => this.step(1));
    $("split").addEventListener("input", (event) => this.split(event.target.value / 1000));
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=range])")) return;
      if (event.key === "z" || event.key === "y") {
        event.preventDefault();
        this.step(event.key === "y" || event.shiftKey ? 1 : -1);
      }
    });
  }

  take(data) {
    const [first, ...more] = data.files;
    if (!first) return this.photo() ? this.fail(t("notPhoto")) : ($("open-error").textContent = t("notPhoto"));
    if (document.getElementById("other").open) return;
    this.openFile(first);
    if (more.length) this.flash(t("tooMany", { name: first.name }));
  }
}

Object.assign(App.prototype, choosing, making);
const app = new App();
globalThis.realedit = app;
app.begin().catch((problem) => {
  $("veil").hidden = false;
  $("veil").textContent = problem.status === 404 || !problem.status ? t("gone") : problem.message;
});
