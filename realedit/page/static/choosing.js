// What the app does with things: selecting them, putting them right with the brush, and saying what shall happen to them.
// These are methods of the app.
import { api } from "./api.js";
import { chooseOther } from "./other.js";
import { strings, t } from "./strings.js";
import { asPicture } from "./strokes.js";

const $ = (id) => document.getElementById(id);

export const choosing = {
  // Selects what is marked; for the thing, if it is one that is put right.
  select(marks, thing = null) {
    this.inserting = null;
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
  },
  sayOf(thing) {
    const selection = this.selectionOf(thing);
    if (selection) this.say(t("selectedNow", { name: thing.name, share: `${(selection.size * 100).toFixed(1)} %` }));
  },
  // A point on what is selected, or beside it.
  addPoint(point, belongs) {
    const thing = this.doc.thing(this.current), marks = thing.marks ?? {};
    const points = [...(marks.points ?? [])], not = [...(marks.not ?? [])];
    (belongs ? points : not).push(point);
    return this.select({ ...marks, points, not }, thing);
  },
  pick(id) {
    if (this.asking === "swap" && id !== this.current) return this.swapWith(id);
    [this.current, this.asking, this.inserting] = [id, null, null];
    this.doc.dropUnused(id);
    this.sayOf(this.doc.thing(id));
    this.done();
  },
  deselect() {
    [this.current, this.asking, this.clicks] = [null, null, "new"];
    this.doc.dropUnused(null);
    this.done();
    $("stage").focus({ preventScroll: true });
  },
  rename(thing, name) {
    thing.name = this.doc.freeName(name.trim() || strings.unnamed, thing.id);
    this.finish();
  },
  setClicks(value) {
    this.clicks = value;
    this.render();
  },
  ask(kind) {
    this.asking = this.asking === kind ? null : kind;
    this.render();
    if (this.asking === "restyle") $("restyle-as")?.focus();
  },
  // Begins to move or to duplicate: a first place for it, from where it is dragged.
  startPlace(kind) {
    const thing = this.doc.thing(this.current), old = this.doc.placeOf(thing.id);
    if (old?.kind === kind) return this.drop(old);
    const [left, , right] = this.selectionOf(thing).box, width = right - left;
    const d = old?.d ?? [right + width < 1 || left < 1 - right ? Math.min(width, 1 - right) + 0.01 : -Math.min(width, left) - 0.01, 0];
    this.set({ kind, thing: thing.id, d: [Math.round(d[0] * 1e5) / 1e5, d[1]], scale: old?.scale ?? 1 });
    $("stage").focus({ preventScroll: true });
  },
  place(thing, d, scale) {
    const old = this.doc.placeOf(thing.id), kind = old?.kind ?? "move";
    if (kind === "move" && d[0] === 0 && d[1] === 0 && scale === 1) {
      if (old) this.drop(old);
      return;
    }
    this.set({ kind, thing: thing.id, d: d.map((value) => Math.round(value * 1e5) / 1e5), scale: Math.round(scale * 1e3) / 1e3 });
  },
  set(values) {
    this.asking = null;
    this.doc.setEdit(values);
    this.finish();
  },
  toggle(values) {
    const old = this.doc.now.edits.find((edit) => edit.thing === values.thing && edit.kind === values.kind);
    if (old) this.drop(old);
    else this.set(values);
  },
  drop(edit) {
    this.doc.dropEdit(edit.id);
    this.doc.dropUnused(this.current);
    if (this.doc.now.edits.length === 0) this.doc.now.kept = null;
    this.finish();
  },
  swapWith(id) {
    const thing = this.current;
    this.set({ kind: "swap", thing, swap: id });
  },
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
  },
  async strokeDone(thing, stroke) {
    const id = this.doc.id();
    this.doc.strokes[id] = stroke;
    thing.strokes = [...thing.strokes, id];
    this.doc.commit();
    await this.sendStrokes(thing);
  },
  async undoStroke(thing) {
    thing.strokes = thing.strokes.slice(0, -1);
    this.doc.commit();
    await this.sendStrokes(thing);
  },
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
  },
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
  },
  chooseWords(words) {
    this.wanted = words;
    return this.startJob("find", { words, prompt: this.doc.options.prompt ?? "" });
  },
  found() {
    const selection = [...this.known.values()].filter((each) => each.words === this.wanted).at(-1);
    if (!selection) return;
    this.doc.dropUnused(null);
    this.current = this.doc.addThing({ of: selection.of, sel: selection.number, words: selection.words }).id;
    this.doc.commit();
    this.sayOf(this.doc.thing(this.current));
    this.loadMasks().then(() => this.render());
  },
};
