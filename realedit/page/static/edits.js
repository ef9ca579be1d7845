// What shall happen to things: edits are begun, changed and left out. These are methods of the app.
import { chooseSource } from "./source_photo.js";
import { strings } from "./strings.js";

const $ = (id) => document.getElementById(id);

export const edits = {
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
    const chosen = await chooseSource(this.server.others, (wanted) => this.once(wanted));
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
};
