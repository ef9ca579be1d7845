// How things are selected and put right with the brush. These are methods of the app.
import { api } from "./api.js";
import { strings } from "./strings.js";
import { t } from "./text.js";
import { asPicture } from "./strokes.js";

const $ = (id) => document.getElementById(id);

export const selection = {
  // Selects what is marked; for the thing, if it is one that is put right.
  select(marks, thing = null) {
    this.inserting = null;
    const ticket = (this.ticket = (this.ticket ?? 0) + 1), photo = this.photo().number;
    this.selecting = true;
    this.render();
    return this.attempt(async () => {
      try {
        const found = await api.select({ of: photo, segmenter: this.segmenter || null, ...marks });
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
  setSegmenter(name) {
    this.segmenter = name;
    this.done();
  },
  // What was painted roughly is the thing that lies under it.
  findUnder(thing) {
    return this.select({ around: thing.sel }, thing).then(() => {
      if (this.doc.thing(thing.id)?.marks?.around) thing.strokes = [];
      this.finish();
    });
  },
};
