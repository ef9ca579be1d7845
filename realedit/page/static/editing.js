// Editing on the stage: what is drawn over the photo, and what mouse, finger, wheel and keys do there.
import { corners, HANDLE_REACH } from "./stage.js";
import { follow } from "./gestures.js";
import { arrowOf, Cross } from "./keys.js";
import { overlay } from "./overlay.js";
import { Stroke } from "./strokes.js";

const $ = (id) => document.getElementById(id);
const SETTLE = 350; // ms after the last turn of the wheel or key until that is one change
const LEAST_SCALE = 0.05, MOST_SCALE = 20;
const KEY_SCALE = 1.02;

export class Editing {
  constructor(app, stage) {
    [this.app, this.stage] = [app, stage];
    this.tool = "select";
    this.rectangle = this.stroke = this.hovered = this.live = null;
    this.cross = new Cross(stage);
    stage.scene = (pen) => this.draw(pen);
    follow(stage, this);
    stage.element.addEventListener("keydown", (event) => this.key(event));
    stage.element.addEventListener("blur", () => this.cross.hide());
    for (const button of document.querySelectorAll("button[data-tool]")) button.addEventListener("click", () => this.choose(button.dataset.tool));
    $("zoom-in").addEventListener("click", () => stage.zoomAt(stage.middle, 1.5));
    $("zoom-out").addEventListener("click", () => stage.zoomAt(stage.middle, 1 / 1.5));
    $("zoom-fit").addEventListener("click", () => stage.fit());
    $("brush").addEventListener("input", () => stage.redraw(false));
  }

  choose(tool) {
    this.tool = tool;
    this.tools();
    this.stage.redraw(false);
  }

  tools() {
    for (const button of document.querySelectorAll("button[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === this.tool));
    $("brush").hidden = this.tool === "select";
    $("tools").hidden = document.body.dataset.mode === "compare" || !this.app.photo();
    this.stage.element.dataset.tool = this.tool;
  }

  get radius() { return Number($("brush").value) / this.stage.frame[2]; } // of the photo's width

  get editable() { return this.app.photo()?.ready && !this.app.busy() && this.app.staged === null; }

  // What lies at a place: a handle of what is selected, or a thing.
  hit(place) {
    const items = this.items(), current = items.find((item) => item.thing.id === this.app.current);
    if (current && current.edit?.kind !== "remove") {
      const at = corners(this.target(current)).find(([x, y]) => Math.hypot(x - place[0], y - place[1]) < HANDLE_REACH);
      if (at) return { item: current, corner: at };
    }
    const order = [...items].reverse().sort((a, b) => (b === current) - (a === current));
    const item = order.find((each) => (each.edit || each.kept || each === current) && this.covers(each, place));
    return item ? { item } : null;
  }

  covers(item, place) {
    const on = ([x, y, w, h]) => {
      const [left, top, right, bottom] = item.cutout.box;
      return item.cutout.has([left + ((place[0] - x) / w) * (right - left), top + ((place[1] - y) / h) * (bottom - top)]);
    };
    return on(this.target(item));
  }

  // From gestures

  hover(place) {
    this.hovered = place;
    if (this.tool !== "select") return this.stage.redraw(false);
    const hit = place && this.editable && this.hit(place);
    this.stage.element.style.cursor = hit ? (hit.corner ? "nwse-resize" : "move") : "";
  }

  grab(place) {
    this.cross.hide();
    if (this.app.staged !== null) return this.slide();
    if (!this.editable) return null;
    if (this.tool !== "select") return this.paint(place);
    const hit = this.hit(place);
    if (!hit || (this.app.clicks !== "new" && !hit.corner)) return null;
    if (hit.item.edit?.kind === "insert") return this.carryInserted(hit, place);
    if (hit.item.thing.id !== this.app.current) {
      if (this.app.asking === "swap") return null;
      this.app.pick(hit.item.thing.id);
    }
    if (hit.item.edit?.kind === "remove") return null;
    return this.carry(hit, place);
  }

  // Dragging over a result moves the line between before and after.
  slide() {
    const to = (here) => {
      const [x, , w] = this.stage.frame;
      this.app.split(Math.min(1, Math.max(0, (here[0] - x) / w)));
    };
    return { move: to };
  }

  begun(item) {
    const old = this.app.doc.placeOf(item.thing.id);
    return { kind: old?.kind ?? "move", thing: item.thing.id, id: old?.id ?? "live", d: old?.d ?? [0, 0], scale: old?.scale ?? 1 };
  }

  // Shows a change before it is one: where the thing is while it is dragged.
  preview(values) {
    this.live = values;
    const { doc } = this.app;
    if (values.id === "live" && !doc.now.edits.some((edit) => edit.id === "live")) doc.now.edits.push({ ...values });
    if (values.id === "live") Object.assign(doc.now.edits.find((edit) => edit.id === "live"), values);
    this.stage.redraw(this.keptMoves(values));
  }

  // Where what is kept is changed, the photo below is shown as it was.
  keptMoves(values) {
    if (values.id === "live" || this.app.doc.now.kept === null) return false;
    const edit = this.app.doc.now.edits.find((each) => each.id === values.id);
    Object.assign(edit, values);
    this.app.showPictures();
    return true;
  }

  settle() {
    clearTimeout(this.settling);
    const values = this.live;
    this.live = null;
    if (!values) return;
    const { doc } = this.app, thing = doc.thing(values.thing);
    doc.now.edits = doc.now.edits.filter((edit) => edit.id !== "live");
    if (thing) this.app.place(thing, values.d, values.scale);
    this.app.render();
  }

  drop() {
    const { doc } = this.app;
    this.live = null;
    doc.now = JSON.parse(doc.history[doc.at]);
    this.app.render();
  }

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
  }

  footOn(foot, d) { return this.stage.toScreen([foot[0] + d[0], foot[1] + d[1]]); }

  // A place from which the thing's centre does not leave the photo.
  within({ centre, foot }, d, scale) {
    return d.map((value, k) => {
      const off = foot[k] + scale * (centre[k] - foot[k]);
      return Math.min(0.999 - off, Math.max(0.001 - off, value));
    });
  }

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
  }

  tap(place, event) {
    this.stage.element.focus({ preventScroll: true });
    if (!this.editable || this.tool !== "select") return;
    const point = this.stage.toPhoto(place), thing = this.app.doc.thing(this.app.current);
    if (point.some((value) => value < 0 || value >= 1)) return this.app.deselect();
    const way = thing?.marks ? (event.altKey ? "less" : event.shiftKey ? "more" : this.app.clicks) : "new";
    const marks = point.map((value) => Math.round(value * 1e5) / 1e5);
    if (way !== "new") return this.app.addPoint(marks, way === "more");
    const hit = this.hit(place);
    if (hit) return hit.item.edit?.kind === "insert" ? undefined : this.app.pick(hit.item.thing.id);
    this.app.select({ points: [marks] });
  }

  wantsShift() { return Boolean(this.app.doc.thing(this.app.current)?.marks); }

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
  }

  setBox(box) {
    this.rectangle = box;
    this.stage.redraw(false);
  }

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
  }

  // Turns of the wheel over what is selected resize it.
  wheel(place, factor) {
    if (!this.editable || this.tool !== "select") return false;
    const hit = this.hit(place);
    if (!hit || hit.item.edit?.kind === "remove") return false;
    if (hit.item.edit?.kind === "insert") {
      const edit = this.app.doc.now.edits.find((each) => each.id === hit.item.edit.id);
      edit.scale = Math.round(bounded(edit.scale * factor) * 1e3) / 1e3;
      this.later(() => this.app.finish());
      this.stage.redraw(false);
      return true;
    }
    if (hit.item.thing.id !== this.app.current) return false;
    this.nudge(hit.item, (now) => ({ ...now, scale: bounded(now.scale * factor) }));
    return true;
  }

  nudge(item, change) {
    const now = change(this.live ?? this.begun(item));
    this.preview({ ...now, d: this.within(item.selection, now.d, now.scale) });
    this.later(() => this.settle());
  }

  later(work) {
    clearTimeout(this.settling);
    this.settling = setTimeout(work, SETTLE);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.target !== this.stage.element) return;
    const { app } = this;
    if (app.staged !== null) {
      const arrow = arrowOf(event);
      if (arrow) app.split(Math.min(1, Math.max(0, this.stage.split + arrow[0] * 0.02)));
      if (arrow) event.preventDefault();
      return;
    }
    if (!this.editable) return;
    const item = this.items().find((each) => each.thing.id === app.current), arrow = arrowOf(event);
    const done = () => event.preventDefault();
    if (event.key === "Escape") return app.current ? app.deselect() : this.cross.hide();
    if (event.key === "c") {
      this.cross.at = this.cross.at ? null : [0.5, 0.5];
      this.stage.redraw(false);
      return done();
    }
    if (event.key === "0") return this.stage.fit();
    if (item && !this.cross.at && item.edit?.kind !== "insert") {
      if (arrow && item.edit?.kind !== "remove") {
        const step = event.shiftKey ? 10 : 1, [w, h] = this.stage.size;
        this.nudge(item, (now) => ({ ...now, d: [now.d[0] + (arrow[0] * step) / w, now.d[1] + (arrow[1] * step) / h] }));
        return done();
      }
      if (event.key === "+" || event.key === "=" || event.key === "-") {
        const factor = event.key === "-" ? 1 / KEY_SCALE : KEY_SCALE;
        this.nudge(item, (now) => ({ ...now, scale: bounded(now.scale * factor) }));
        return done();
      }
      if (event.key === "Delete" || event.key === "Backspace") {
        app.toggle({ kind: "remove", thing: item.thing.id });
        return done();
      }
    }
    const pick = (point) => {
      const thing = app.doc.thing(app.current);
      const way = thing?.marks ? (event.altKey ? "less" : event.shiftKey ? "more" : app.clicks) : "new";
      if (way !== "new") app.addPoint(point, way === "more");
      else app.select({ points: [point] });
    };
    if (this.cross.key(event, pick)) {
      if (event.key === "Enter" || event.key === " ") this.cross.hide();
      done();
    }
  }
}

const bounded = (scale) => Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));

Object.assign(Editing.prototype, overlay);
