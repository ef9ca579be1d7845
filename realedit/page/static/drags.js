// What a drag on the stage does: things are carried and resized, boxes drawn, strokes painted. These are methods of the
// stage's input.
import { Stroke } from "./strokes.js";

const SETTLE = 350; // ms after the last turn of the wheel or key until that is one change
const LEAST_SCALE = 0.05, MOST_SCALE = 20;

export const bounded = (scale) => Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));

export const drags = {
  // Dragging over a result moves the line between before and after.
  slide() {
    const to = (here) => {
      const [x, , w] = this.stage.frame;
      this.app.split(Math.min(1, Math.max(0, (here[0] - x) / w)));
    };
    return { move: to };
  },
  begun(item) {
    const old = this.app.doc.placeOf(item.thing.id);
    return { kind: old?.kind ?? "move", thing: item.thing.id, id: old?.id ?? "live", d: old?.d ?? [0, 0], scale: old?.scale ?? 1 };
  },
  // Shows a change before it is one: where the thing is while it is dragged.
  preview(values) {
    this.live = values;
    const { doc } = this.app;
    if (values.id === "live" && !doc.now.edits.some((edit) => edit.id === "live")) doc.now.edits.push({ ...values });
    if (values.id === "live") Object.assign(doc.now.edits.find((edit) => edit.id === "live"), values);
    this.stage.redraw(this.keptMoves(values));
  },
  // Where what is kept is changed, the photo below is shown as it was.
  keptMoves(values) {
    if (values.id === "live" || this.app.doc.now.kept === null) return false;
    const edit = this.app.doc.now.edits.find((each) => each.id === values.id);
    Object.assign(edit, values);
    this.app.showPictures();
    return true;
  },
  settle() {
    clearTimeout(this.settling);
    const values = this.live;
    this.live = null;
    if (!values) return;
    const { doc } = this.app, thing = doc.thing(values.thing);
    doc.now.edits = doc.now.edits.filter((edit) => edit.id !== "live");
    if (thing) this.app.place(thing, values.d, values.scale);
    this.app.render();
  },
  drop() {
    const { doc } = this.app;
    this.live = null;
    doc.now = JSON.parse(doc.history[doc.at]);
    this.app.render();
  },
  carry({ item, corner }, from) {
    this.settle();
    const begin = this.begun(item), foot = item.selection.foot, { stage } = this;
    const reach = corner && Math.hypot(corner[0] - this.footOn(foot, begin.d)[0], corner[1] - this.footOn(foot, begin.d)[1]);
    return {
      move: (here) => {
        if (corner) {
          const [fx, fy] = this.footOn(foot, begin.d);
          const factor = Math.hypot(here[0] - fx, here[1] - fy) / Math.max(4, reach);
          this.preview({ ...begin, scale: bounded(begin.scale * factor) });
        } else {
          const s = stage.scale;
          const d = [begin.d[0] + (here[0] - from[0]) / (stage.size[0] * s), begin.d[1] + (here[1] - from[1]) / (stage.size[1] * s)];
          this.preview({ ...begin, d: this.within(item.selection, d, begin.scale) });
        }
      },
      pinch: (factor) => {
        const now = this.live ?? begin;
        this.preview({ ...now, scale: bounded(now.scale * factor) });
      },
      end: () => this.settle(),
      cancel: () => this.drop(),
    };
  },
  footOn(foot, d) { return this.stage.toScreen([foot[0] + d[0], foot[1] + d[1]]); },
  // A place from which the thing's centre does not leave the photo.
  within({ centre, foot }, d, scale) {
    return d.map((value, k) => {
      const off = foot[k] + scale * (centre[k] - foot[k]);
      return Math.min(0.999 - off, Math.max(0.001 - off, value));
    });
  },
  carryInserted({ item, corner }, from) {
    const { doc } = this.app, edit = doc.now.edits.find((each) => each.id === item.edit.id), begin = { ...edit }, { stage } = this;
    this.app.inserting = edit.id;
    const middle = stage.toScreen(begin.to);
    return {
      move: (here) => {
        const s = stage.scale;
        if (corner) edit.scale = bounded((begin.scale * Math.hypot(here[0] - middle[0], here[1] - middle[1])) / Math.hypot(corner[0] - middle[0], corner[1] - middle[1]));
        else edit.to = [0, 1].map((k) => Math.min(1, Math.max(0, Math.round((begin.to[k] + (here[k] - from[k]) / (stage.size[k] * s)) * 1e5) / 1e5)));
        stage.redraw(false);
      },
      pinch: (factor) => {
        edit.scale = bounded(edit.scale * factor);
        stage.redraw(false);
      },
      end: () => this.app.finish(),
    };
  },
  box(from) {
    if (!this.editable || this.tool !== "select") return null;
    const inside = (place) => this.stage.toPhoto(place).map((value) => Math.round(Math.min(1, Math.max(0, value)) * 1e5) / 1e5);
    return {
      move: (here) => {
        this.setBox([from, here]);
      },
      end: (here) => {
        this.setBox(null);
        const [a, b] = [inside(from), inside(here)];
        this.app.select({ box: [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])] });
      },
      cancel: () => this.setBox(null),
    };
  },
  setBox(box) {
    this.rectangle = box;
    this.stage.redraw(false);
  },
  paint(place) {
    const mode = this.tool, { app } = this;
    this.stroke = new Stroke(mode, this.radius, this.stage.toPhoto(place));
    this.stage.redraw(false);
    return {
      always: true,
      move: (here) => {
        this.hovered = here;
        this.stroke.to(this.stage.toPhoto(here));
        this.stage.redraw(false);
      },
      end: () => {
        const { values } = this.stroke, thing = app.doc.thing(app.current);
        const sent = thing ? app.strokeDone(thing, values) : mode === "add" ? app.paintNew(values) : null;
        Promise.resolve(sent).finally(() => {
          this.stroke = null;
          this.stage.redraw(false);
        });
      },
      cancel: () => {
        this.stroke = null;
        this.stage.redraw(false);
      },
    };
  },
  nudge(item, change) {
    const now = change(this.live ?? this.begun(item));
    this.preview({ ...now, d: this.within(item.selection, now.d, now.scale) });
    this.later(() => this.settle());
  },
  later(work) {
    clearTimeout(this.settling);
    this.settling = setTimeout(work, SETTLE);
  },
};
