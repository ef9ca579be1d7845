// What is drawn over the photo while it is edited: things at their old and new places, marks, strokes, the brush. These
// are methods of the editing.
import { drawBox } from "./source_photo.js";
import { drawStrokes } from "./strokes.js";

const $ = (id) => document.getElementById(id);
const ACCENT = "#16616b", LIGHT = "#ffffff", MOVED = "#ffd27a";
const VEIL = "rgba(128,128,128,.62)", GONE = "rgba(128,128,128,.8)";

export const overlay = {
  // Things as they are drawn: where they are and where they go. `edit` may be one that is not committed yet.
  items() {
    const { app } = this, { edits: pending } = app.doc.pending(), found = [];
    const live = (edit) => (this.live?.id === edit.id ? { ...edit, ...this.live } : edit);
    for (const thing of app.doc.now.things) {
      const selection = app.selectionOf(thing), cutout = app.masks.get(selection);
      if (!cutout || !selection.foot) continue;
      const own = thing.of === app.photo().number, all = app.doc.editsOf(thing.id);
      const kept = all.find((edit) => !pending.includes(edit) && edit.kind !== "restyle" && edit.kind !== "transfer");
      const edit = pending.map(live).find((each) => (each.thing === thing.id && ["move", "duplicate", "remove"].includes(each.kind)) || (each.source === thing.id && each.kind === "insert"));
      if (!own && !edit) continue;
      found.push({ thing, selection, cutout, own, edit, kept, swap: pending.find((each) => ["swap", "front"].includes(each.kind) && [each.thing, each.swap].includes(thing.id)) });
    }
    return found;
  },
  // Where an item is drawn at last, on the screen.
  target(item) {
    const { edit, selection, cutout, kept } = item;
    if (edit?.kind === "insert") return this.inserted(item);
    const at = edit && edit.d ? edit : kept && kept.d ? kept : { d: [0, 0], scale: 1 };
    return this.stage.boxOn(cutout, selection.foot, at.d, at.scale);
  },
  // A thing of another photo is as large against this photo's shorter side as it was against its own.
  inserted({ edit, cutout, selection }) {
    const here = Math.min(...this.stage.size), other = this.app.server.others.find((photo) => photo.number === edit.other).size;
    const s = (this.stage.scale * edit.scale * here) / Math.min(...other);
    const [left, top, right, bottom] = cutout.box, [x, y] = this.stage.toScreen(edit.to), [cx, cy] = selection.centre;
    return [x + (left - cx) * other[0] * s, y + (top - cy) * other[1] * s, (right - left) * other[0] * s, (bottom - top) * other[1] * s];
  },
  draw(pen) {
    if (!this.app.photo() || !this.app.view || this.app.staged !== null) return;
    if (!this.app.busy() || !this.app.preview) {
      const items = this.items();
      for (const item of items) this.drawOld(pen, item);
      for (const item of items) this.drawNew(pen, item);
    }
    if (this.stroke) this.drawStroke(pen);
    if (this.rectangle) drawBox(pen, this.rectangle);
    this.drawMarks(pen);
    this.drawBrush(pen);
    this.cross.draw(pen);
  },
  drawOld(pen, { cutout, selection, edit, own }) {
    if (!own || !edit || edit.kind === "duplicate") return;
    const box = this.stage.boxOn(cutout, selection.foot, [0, 0], 1);
    this.stage.drawVeil(pen, cutout, box, edit.kind === "remove" ? GONE : VEIL);
    this.stage.drawOutline(pen, cutout, box, "rgba(255,255,255,.55)", "rgba(0,0,0,.35)");
  },
  drawNew(pen, item) {
    const { cutout, edit, thing, swap } = item, current = thing.id === this.app.current || (edit?.kind === "insert" && this.app.inserting === edit.id);
    const box = this.target(item);
    if (edit?.d || edit?.to) this.stage.drawCutout(pen, cutout, box);
    if (edit?.kind === "remove") return current && this.stage.drawOutline(pen, cutout, box, LIGHT, ACCENT);
    if (!current && !edit && !swap) return;
    this.stage.drawOutline(pen, cutout, box, current ? LIGHT : MOVED, ACCENT);
    if (current && this.tool === "select" && this.editable) this.stage.drawHandles(pen, box);
  },
  drawMarks(pen) {
    const thing = this.app.doc.thing(this.app.current), marks = thing?.marks;
    if (!marks || this.app.clicks === "new" || !this.editable) return;
    for (const [points, sign] of [[marks.points ?? [], "+"], [marks.not ?? [], "-"]])
      for (const point of points) {
        const [x, y] = this.stage.toScreen(point);
        pen.fillStyle = sign === "+" ? ACCENT : "#a3262a";
        pen.strokeStyle = "#fff";
        pen.lineWidth = 2;
        pen.beginPath();
        pen.arc(x, y, 8, 0, 7);
        pen.fill();
        pen.stroke();
        pen.beginPath();
        pen.moveTo(x - 4, y);
        pen.lineTo(x + 4, y);
        if (sign === "+") {
          pen.moveTo(x, y - 4);
          pen.lineTo(x, y + 4);
        }
        pen.stroke();
      }
  },
  drawStroke(pen) {
    pen.globalAlpha = 0.55;
    drawStrokes(pen, [this.stroke.values], (point) => this.stage.toScreen(point), this.stage.frame[2], { add: "#3fb5a8", erase: "#e0555a" });
    pen.globalAlpha = 1;
  },
  drawBrush(pen) {
    if (this.tool === "select" || !this.hovered || !this.editable) return;
    for (const [colour, more] of [["rgba(0,0,0,.6)", 1], ["#fff", 0]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = 1.25;
      pen.beginPath();
      pen.arc(...this.hovered, Number($("brush").value) + more, 0, 7);
      pen.stroke();
    }
  },
};
