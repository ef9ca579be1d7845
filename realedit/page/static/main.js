// The page: what is known, what can be done, and who is told of it.
import { api, loadImage } from "./api.js";
import { Doc } from "./model.js";
import { Editing } from "./editing.js";
import { Masks } from "./masks.js";
import { Panel } from "./panel.js";
import { Stage } from "./stage.js";
import { chooseOther } from "./other.js";
import { fillIn, strings, t } from "./strings.js";
import { asPicture } from "./strokes.js";

const $ = (id) => document.getElementById(id);
const DRAFT_DELAY = 300; // ms after a change until it is kept on the server

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
    const state = await api.begin();
    if (state.draft.photo) this.restore(state.draft, state);
    await this.changed(state);
    api.listen((now) => this.changed(now), (well, ended) => this.connected(well, ended));
    this.wire();
  }

  restore(draft, state) {
    if (draft.photo !== state.photo?.number) return;
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
    if (job.state === "done" && job.kind === "make") {
      this.staged = job.number;
      this.split(0.5);
      this.say(t("madeNow", { verdict: t(this.result(job.number)?.level ?? "good") }));
      requestAnimationFrame(() => $("keep")?.focus({ preventScroll: true }));
    }
    if (job.state === "done" && job.kind === "find") this.found();
    this.keepDraft();
  }

  async showPreview(job) {
    this.previewed = job.previews;
    const picture = await loadImage(api.previewOf(job)).catch(() => null);
    if (picture && this.waiting === job.number) {
      this.preview = picture;
      this.render();
    }
  }

  lookOnce() {
    if (this.server.model.state === "done" && this.photo()?.ready && !this.server.looking && !this.busy()) this.look(this.doc.options.prompt ?? "", true);
  }

  // What can be done

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
      await api.open(file);
    } catch (problem) {
      $("open-error").textContent = problem.message;
      this.fail(problem.message);
    } finally {
      document.body.classList.remove("opening");
      this.render();
    }
  }

  // Selects what is marked; for the thing, if it is one that is put right.
  select(marks, thing = null) {
    const ticket = (this.ticket = (this.ticket ?? 0) + 1), photo = this.photo().number;
    this.selecting = true;
    this.render();
    return this.attempt(async () => {
      try {
        const found = await api.select({ of: photo, ...marks });
        if (ticket !== this.ticket || photo !== this.photo()?.number) return;
        this.known.set(found.number, found);
        await this.masks.load(found, this.view);
        if (thing && this.doc.thing(thing.id)) Object.assign(this.doc.thing(thing.id), { sel: found.number, marks });
        else {
          const swap = this.asking === "swap" ? this.current : null;
          this.doc.dropUnused(swap);
          const made = this.doc.addThing({ of: photo, sel: found.number, marks });
          if (swap) return this.swapWith(made.id);
          this.current = made.id;
        }
        this.doc.commit();
        this.sayOf(this.doc.thing(this.current));
      } finally {
        if (ticket === this.ticket) this.selecting = false;
        this.done();
      }
    });
  }

  sayOf(thing) {
    const selection = this.selectionOf(thing);
    if (selection) this.say(t("selectedNow", { name: thing.name, share: `${(selection.size * 100).toFixed(1)} %` }));
  }

  // A point on what is selected, or beside it.
  addPoint(point, belongs) {
    const thing = this.doc.thing(this.current), marks = thing.marks ?? {};
    const points = [...(marks.points ?? [])], not = [...(marks.not ?? [])];
    (belongs ? points : not).push(point);
    return this.select({ ...marks, points, not }, thing);
  }

  pick(id) {
    if (this.asking === "swap" && id !== this.current) return this.swapWith(id);
    [this.current, this.asking] = [id, null];
    this.doc.dropUnused(id);
    this.sayOf(this.doc.thing(id));
    this.done();
  }

  deselect() {
    [this.current, this.asking, this.clicks] = [null, null, "new"];
    this.doc.dropUnused(null);
    this.done();
    $("stage").focus({ preventScroll: true });
  }

  rename(thing, name) {
    thing.name = this.doc.freeName(name.trim() || strings.unnamed, thing.id);
    this.finish();
  }

  setClicks(value) {
    this.clicks = value;
    this.render();
  }

  ask(kind) {
    this.asking = this.asking === kind ? null : kind;
    this.render();
    if (this.asking === "restyle") $("restyle-as")?.focus();
  }


  // Begins to move or to duplicate: a first place for it, from where it is dragged.
  startPlace(kind) {
    const thing = this.doc.thing(this.current), old = this.doc.placeOf(thing.id);
    if (old?.kind === kind) return this.drop(old);
    const [left, , right] = this.selectionOf(thing).box, width = right - left;
    const d = old?.d ?? [right + width < 1 || left < 1 - right ? Math.min(width, 1 - right) + 0.01 : -Math.min(width, left) - 0.01, 0];
    this.set({ kind, thing: thing.id, d: [Math.round(d[0] * 1e5) / 1e5, d[1]], scale: old?.scale ?? 1 });
    $("stage").focus({ preventScroll: true });
  }

  place(thing, d, scale) {
    const old = this.doc.placeOf(thing.id), kind = old?.kind ?? "move";
    if (kind === "move" && d[0] === 0 && d[1] === 0 && scale === 1) {
      if (old) this.drop(old);
      return;
    }
    this.set({ kind, thing: thing.id, d: d.map((value) => Math.round(value * 1e5) / 1e5), scale: Math.round(scale * 1e3) / 1e3 });
  }

  set(values) {
    this.asking = null;
    this.doc.setEdit(values);
    this.finish();
  }

  toggle(values) {
    const old = this.doc.now.edits.find((edit) => edit.thing === values.thing && edit.kind === values.kind);
    if (old) this.drop(old);
    else this.set(values);
  }

  drop(edit) {
    this.doc.dropEdit(edit.id);
    this.doc.dropUnused(this.current);
    if (this.doc.now.edits.length === 0) this.doc.now.kept = null;
    this.finish();
  }

  swapWith(id) {
    const thing = this.current;
    this.set({ kind: "swap", thing, swap: id });
  }

  // Something of another photo: its look for what is selected, or the thing itself to be set down here.
  async takeFrom(kind) {
    this.asking = kind;
    const chosen = await chooseOther(this.server.others, (wanted) => this.once(wanted));
    this.asking = null;
    if (!chosen) return this.render();
    const source = this.doc.addThing({ of: chosen.other.number, sel: chosen.selection?.number ?? null, marks: chosen.marks, name: this.doc.freeName(chosen.words || strings.unnamed) });
    if (chosen.selection) {
      this.known.set(chosen.selection.number, chosen.selection);
      await this.masks.load(chosen.selection, chosen.image);
    }
    const values = { kind, other: chosen.other.number, source: source.id, from_object: chosen.words };
    if (kind === "transfer") this.set({ ...values, thing: this.current });
    else this.set({ ...values, to: [0.5, 0.6], scale: 1 });
  }

  async strokeDone(thing, stroke) {
    const id = this.doc.id();
    this.doc.strokes[id] = stroke;
    thing.strokes = [...thing.strokes, id];
    this.doc.commit();
    await this.sendStrokes(thing);
  }

  async undoStroke(thing) {
    thing.strokes = thing.strokes.slice(0, -1);
    this.doc.commit();
    await this.sendStrokes(thing);
  }

  // The strokes of a thing as one picture; the selection is put right by all of them anew.
  sendStrokes(thing) {
    return this.attempt(async () => {
      const strokes = thing.strokes.map((id) => this.doc.strokes[id]);
      const found = await api.paint(thing.sel, await asPicture(strokes, this.photo().view));
      this.known.set(found.number, found);
      this.server.selections = this.server.selections.map((each) => (each.number === found.number ? found : each));
      await this.masks.load(found, this.view);
      this.done();
    });
  }

  // A thing that is only painted: nothing is marked, the brush alone says what it is.
  async paintNew(stroke) {
    const found = await this.attempt(() => api.select({ of: this.photo().number }));
    if (!found) return;
    this.known.set(found.number, found);
    this.server.selections.push(found);
    this.doc.dropUnused(null);
    const thing = this.doc.addThing({ of: this.photo().number, sel: found.number, marks: null });
    this.current = thing.id;
    await this.strokeDone(thing, stroke);
  }

  chooseWords(words) {
    this.wanted = words;
    return this.startJob("find", { words, prompt: this.doc.options.prompt ?? "" });
  }

  found() {
    const selection = [...this.known.values()].filter((each) => each.words === this.wanted).at(-1);
    if (!selection) return;
    this.doc.dropUnused(null);
    this.current = this.doc.addThing({ of: selection.of, sel: selection.number, words: selection.words }).id;
    this.doc.commit();
    this.sayOf(this.doc.thing(this.current));
    this.loadMasks().then(() => this.render());
  }

  look(prompt, quiet = false) {
    if (prompt) this.doc.options.prompt = prompt;
    const start = api.start("look", { prompt });
    return quiet ? start.catch(() => {}) : this.attempt(() => start);
  }

  make() {
    this.editing.settle();
    return this.startJob("make", this.doc.request(this.known, this.server.others));
  }

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
  }

  stop() {
    this.stopping = true;
    this.render();
    return this.attempt(() => api.stop());
  }

  keep(made) {
    this.doc.now.kept = made.number;
    this.doc.madeWith = JSON.stringify(this.doc.options);
    [this.staged, this.current] = [null, null];
    this.finish();
    requestAnimationFrame(() => $("download")?.focus({ preventScroll: true }));
  }

  discard() {
    this.staged = null;
    this.done();
  }

  step(by) {
    if (this.busy() || this.staged !== null || !this.doc.go(by)) return;
    if (!this.doc.thing(this.current)) this.current = null;
    this.asking = null;
    const painted = this.doc.thing(this.current);
    if (painted?.strokes.length || this.selectionOf(painted)?.brushed) this.sendStrokes(painted);
    this.loadMasks().then(() => this.done());
  }

  setOption(name, value) {
    if (value === "" || value === null || Number.isNaN(value)) delete this.doc.options[name];
    else this.doc.options[name] = value;
    this.done();
  }

  setSaving(name, value) {
    this.saving = { ...this.saving, [name]: value };
    this.render();
  }

  savingOptions() { return Object.fromEntries(Object.entries(this.saving).filter(([, value]) => value)); }

  savedName(made) {
    return this.saving.format ? made.name.replace(/\.\w+$/, `.${this.saving.format}`) : made.name;
  }

  savedCommand(made) {
    const more = Object.entries(this.savingOptions()).map(([name, value]) => (name === "format" ? ` ${made.saving.format} ${value}` : ` ${made.saving[name]}`));
    return made.command + more.join("");
  }

  async copy(text, button) {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
    setTimeout(() => (button.textContent = t("copy")), 1500);
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
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => {
      const { current, staged, waiting } = this;
      api.draft({ photo: this.doc.photo, doc: this.doc.toDraft(), current, staged, waiting }).catch(() => {});
    }, DRAFT_DELAY);
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

const app = new App();
globalThis.realedit = app;
app.begin().catch((problem) => {
  $("veil").hidden = false;
  $("veil").textContent = problem.status === 404 || !problem.status ? t("gone") : problem.message;
});
