// The page: what it knows, and how that changes when the server tells. What it can do lies in the modules whose methods
// it takes.
import { api } from "./api.js";
import { Doc } from "./document.js";
import { downloads } from "./downloads.js";
import { edits } from "./edits.js";
import { generation } from "./generation.js";
import { jobs } from "./jobs.js";
import { opening } from "./opening.js";
import { Masks } from "./masks.js";
import { Panel } from "./panel.js";
import { selection } from "./selection.js";
import { Stage } from "./stage.js";
import { StageInput } from "./stage_input.js";
import { strings } from "./strings.js";
import { fillIn, t } from "./text.js";
import { view } from "./view.js";

const $ = (id) => document.getElementById(id);

export class App {
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
    this.whole = { kind: "relook" }; // what is asked of a whole picture
    this.segmenter = ""; // what finds what is marked; nothing: the program itself
    this.madeWith = "{}"; // the options of the kept result
    this.stage = new Stage($("stage"));
    this.input = new StageInput(this, this.stage);
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
    if (!draft || draft.photo !== (state.photo?.number ?? null)) return;
    this.doc.fromDraft(draft.doc);
    this.current = draft.current;
    this.staged = draft.staged;
    this.waiting = draft.waiting;
    this.whole = draft.whole ?? this.whole;
    this.segmenter = draft.segmenter ?? "";
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
    const { current, staged, waiting, whole, segmenter } = this;
    api.keep({ photo: this.doc.photo, doc: this.doc.toDraft(), current, staged, waiting, whole, segmenter });
  }
}

Object.assign(App.prototype, downloads, edits, generation, jobs, opening, selection, view);
