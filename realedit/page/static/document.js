// The document that is edited: what things are selected, and what shall happen to them. No drawing, no server.
//
// A thing is {id, name, of, sel, marks: {box, points, not}, words, strokes: [ids]}; `sel` is the number of its
// selection on the server. An edit is {id, kind, thing, ...}: `d` is how far the thing's foot goes (fractions) and
// `scale` its size for move and duplicate; front: it stays in front of what is set down; `as` for restyle; `other`, `source` (a thing) for transfer and insert; `swap`
// (a thing) for swap; `to` for insert.
import { strings } from "./strings.js";

const MOST_HISTORY = 60;
const PLACES = ["move", "duplicate", "remove", "swap"];
const LOOKS = ["restyle", "transfer"];

export class Doc {
  constructor() {
    this.reset();
  }

  reset(photo = null) {
    this.photo = photo;
    this.next = 1;
    this.strokes = {};
    this.options = {};
    this.now = { things: [], edits: [], kept: null };
    this.history = [JSON.stringify(this.now)];
    this.at = 0;
  }

  // For a page that is loaded again.
  toDraft() {
    return { photo: this.photo, next: this.next, strokes: this.strokes, options: this.options, history: this.history, at: this.at };
  }

  fromDraft(draft) {
    Object.assign(this, draft);
    this.now = JSON.parse(this.history[this.at]);
  }

  id() {
    return this.next++;
  }

  commit() {
    const text = JSON.stringify(this.now);
    if (text === this.history[this.at]) return;
    this.history = [...this.history.slice(0, this.at + 1), text].slice(-MOST_HISTORY);
    this.at = this.history.length - 1;
  }

  // The selection of a thing in every state, where the server found it anew without a change that could be undone.
  amend(id, change) {
    const apply = (state) => state.things.filter((thing) => thing.id === id).forEach(change);
    apply(this.now);
    this.history = this.history.map((text) => {
      const state = JSON.parse(text);
      apply(state);
      return JSON.stringify(state);
    });
  }

  get canUndo() { return this.at > 0; }
  get canRedo() { return this.at < this.history.length - 1; }

  go(step) {
    const at = this.at + step;
    if (at < 0 || at >= this.history.length) return false;
    this.at = at;
    this.now = JSON.parse(this.history[at]);
    return true;
  }

  thing(id) { return this.now.things.find((thing) => thing.id === id); }
  editsOf(id) { return this.now.edits.filter((edit) => edit.thing === id || edit.swap === id); }
  placeOf(id) { return this.now.edits.find((edit) => edit.thing === id && (edit.kind === "move" || edit.kind === "duplicate")); }

  addThing(values) {
    const thing = { id: this.id(), name: this.freeName(values.words ?? strings.unnamed), strokes: [], ...values };
    this.now.things.push(thing);
    return thing;
  }

  freeName(name, not = null) {
    const taken = this.now.things.filter((thing) => thing.id !== not).map((thing) => thing.name);
    if (!taken.includes(name)) return name;
    for (let k = 2; ; k++) if (!taken.includes(`${name} ${k}`)) return `${name} ${k}`;
  }

  // Things that nothing happens to go when another is selected.
  dropUnused(keep) {
    const used = new Set(this.now.edits.flatMap((edit) => [edit.thing, edit.swap, edit.source]));
    this.now.things = this.now.things.filter((thing) => thing.id === keep || used.has(thing.id));
  }

  // An edit of a thing, in place of those that contradict it.
  setEdit(values) {
    const group = PLACES.includes(values.kind) ? PLACES : LOOKS.includes(values.kind) ? LOOKS : [];
    const touched = [values.thing, values.swap].filter(Boolean);
    const contradicts = (edit) =>
      edit.id !== values.id &&
      [edit.thing, edit.swap].some((id) => touched.includes(id)) &&
      (group.includes(edit.kind) || edit.kind === "remove" || values.kind === "remove");
    const before = this.now.edits.find((edit) => contradicts(edit) && edit.thing === values.thing && group.includes(edit.kind));
    this.now.edits = this.now.edits.filter((edit) => edit === before || !contradicts(edit));
    const edit = { id: before?.id ?? this.id(), ...values };
    const at = this.now.edits.findIndex((each) => each.id === edit.id);
    if (at < 0) this.now.edits.push(edit);
    else this.now.edits[at] = edit;
    return edit;
  }

  dropEdit(id) {
    this.now.edits = this.now.edits.filter((edit) => edit.id !== id);
  }

  // The edits that the result which is kept has, as they were then; null if none is kept.
  keptEdits() {
    if (this.now.kept === null) return null;
    for (let k = this.at; k >= 0; k--) {
      const state = JSON.parse(this.history[k]);
      const earlier = k > 0 ? JSON.parse(this.history[k - 1]).kept : null;
      if (state.kept === this.now.kept && earlier !== this.now.kept) return state;
    }
    return this.now;
  }

  // Edits that are not in the kept result yet; and whether what is kept still holds.
  pending() {
    const kept = this.keptEdits();
    if (kept === null) return { edits: this.now.edits, holds: false };
    const text = (state, edit) => JSON.stringify([edit, state.things.filter((thing) => [edit.thing, edit.swap, edit.source].includes(thing.id))]);
    const old = kept.edits.map((edit) => text(kept, edit));
    const now = this.now.edits.map((edit) => text(this.now, edit));
    const holds = old.every((each) => now.includes(each));
    return { edits: holds ? this.now.edits.filter((_, k) => !old.includes(now[k])) : this.now.edits, holds };
  }

  // What the server is asked to make: a recipe, in which selections stand for masks.
  request(selections, others) {
    const where = {}, photos = {};
    const named = (id) => {
      const thing = this.thing(id);
      if (!thing.words || thing.strokes.length) where[thing.name] = thing.sel;
      return thing.name;
    };
    const front = this.now.edits.filter((each) => each.kind === "front").map((each) => this.thing(each.thing).sel);
    const edit = this.now.edits.filter((each) => each.kind !== "front").map((each) => {
      if (each.kind === "insert" || each.kind === "transfer") {
        const other = others.find((photo) => photo.number === each.other)?.name ?? "";
        const source = this.thing(each.source);
        photos[other] = source?.sel ? { where: source.sel } : { prompt: each.prompt };
        const taken = { kind: each.kind, from: other, from_object: each.from_object || undefined };
        if (each.kind === "transfer") return { ...taken, object: named(each.thing) };
        return { ...taken, to: each.to, scale: each.scale };
      }
      const object = named(each.thing);
      if (each.kind === "remove") return { kind: "remove", object };
      if (each.kind === "restyle") return { kind: "restyle", object, as: each.as };
      if (each.kind === "swap") return { kind: "swap", object, other: named(each.swap) };
      return { ...placed(each, selections.get(this.thing(each.thing).sel)), object };
    });
    const clean = Object.fromEntries(Object.entries(this.options).filter(([, value]) => value !== "" && value !== null));
    return { edit, where, photos, behind: front, ...clean };
  }
}

const rounded = (value) => Math.round(value * 1e5) / 1e5;

// A thing is resized about its foot here; where it also goes elsewhere, a recipe says how far its centre goes.
export function placed(edit, selection) {
  const scale = Math.round(edit.scale * 1e3) / 1e3;
  const [dx, dy] = edit.d;
  if (edit.kind === "move" && dx === 0 && dy === 0 && scale !== 1) return { kind: "resize", scale };
  const by = [0, 1].map((k) => rounded(edit.d[k] + (scale - 1) * (selection.centre[k] - selection.foot[k])));
  return scale === 1 ? { kind: edit.kind, by } : { kind: edit.kind, by, scale };
}

// What an edit is called in the list.
export function described(doc, edit, others, t) {
  const values = {
    name: edit.thing ? doc.thing(edit.thing)?.name : edit.from_object || doc.thing(edit.source)?.name,
    swap: edit.swap ? doc.thing(edit.swap)?.name : "",
    other: others.find((photo) => photo.number === edit.other)?.name,
    as: edit.as,
    scale: edit.scale ? `${Math.round(edit.scale * 100)} %` : "",
  };
  if (edit.kind === "move") {
    const still = edit.d[0] === 0 && edit.d[1] === 0;
    return t(edit.scale === 1 ? "editMove" : still ? "editResize" : "editMoveScale", values);
  }
  return t(`edit${edit.kind[0].toUpperCase()}${edit.kind.slice(1)}`, values);
}
