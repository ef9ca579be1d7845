// What mouse, finger, wheel and keys mean on the stage.
import { HANDLE_REACH } from "./stage.js";
import { corners } from "./stage_drawing.js";
import { bounded, drags } from "./drags.js";
import { follow } from "./gestures.js";
import { arrowOf, Cross } from "./keys.js";
import { overlay } from "./overlay.js";

const $ = (id) => document.getElementById(id);
const KEY_SCALE = 1.02;

export class StageInput {
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

Object.assign(StageInput.prototype, drags, overlay);
