// Where the photo is drawn: one canvas for the photo, one above it for what is selected and where it goes. Positions in
// the photo are fractions of it; positions on the screen are CSS pixels from the stage's corner.
import { drawing } from "./stage_drawing.js";

const MOST_ZOOM = 16;
const MARGIN = 12; // CSS pixels around a photo that is shown whole
const TOOLS = 68; // CSS pixels below it, where the tools lie
export const HANDLE_REACH = 16; // CSS pixels around its middle in which a handle is taken

export class Stage {
  constructor(element, below = TOOLS) {
    this.element = element;
    this.below = below;
    this.base = element.querySelector(".base");
    this.over = element.querySelector(".over");
    this.size = [1, 1];
    this.image = null;
    this.after = null;
    this.split = 1;
    this.zoom = 1;
    this.centre = [0.5, 0.5];
    this.scene = () => {};
    this.stale = { base: true, over: true };
    this.drawn = 0;
    new ResizeObserver(() => this.resize()).observe(element);
    this.resize();
  }

  resize() {
    const box = this.element.getBoundingClientRect();
    this.width = box.width;
    this.height = box.height;
    this.density = devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) {
      canvas.width = Math.round(box.width * this.density);
      canvas.height = Math.round(box.height * this.density);
    }
    this.redraw();
  }

  // Shows a photo of this size (in its own pixels), or another picture of it.
  show(image, size = this.size) {
    const other = size[0] !== this.size[0] || size[1] !== this.size[1];
    this.image = image;
    this.size = size;
    if (other) this.fit();
    this.redraw();
  }

  clear() {
    this.image = this.after = null;
    this.redraw();
  }

  fit() {
    this.zoom = 1;
    this.centre = [0.5, 0.5];
    this.redraw();
  }

  // CSS pixels in which the photo is shown whole, and their middle.
  get room() { return [this.width - 2 * MARGIN, this.height - MARGIN - (this.below || MARGIN)]; }

  get middle() { return [this.width / 2, MARGIN + this.room[1] / 2]; }

  // CSS pixels on the screen for each pixel of the photo.
  get scale() {
    const room = this.room;
    return Math.max(1e-6, Math.min(room[0] / this.size[0], room[1] / this.size[1])) * this.zoom;
  }

  toScreen([x, y]) {
    const s = this.scale;
    return [this.middle[0] + (x - this.centre[0]) * this.size[0] * s, this.middle[1] + (y - this.centre[1]) * this.size[1] * s];
  }

  toPhoto([x, y]) {
    const s = this.scale;
    return [this.centre[0] + (x - this.middle[0]) / (this.size[0] * s), this.centre[1] + (y - this.middle[1]) / (this.size[1] * s)];
  }

  pointOf(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // Zooms so that what is at a place on the screen stays there.
  zoomAt(place, factor) {
    const before = this.toPhoto(place);
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const now = this.toPhoto(place);
    this.pan([before[0] - now[0], before[1] - now[1]]);
  }

  pan([dx, dy]) {
    const bounded = (value, side, room) => {
      const free = Math.max(0, 0.5 - room / (2 * side * this.scale));
      return Math.min(0.5 + free, Math.max(0.5 - free, value));
    };
    this.centre = [bounded(this.centre[0] + dx, this.size[0], this.room[0]), bounded(this.centre[1] + dy, this.size[1], this.room[1])];
    this.redraw();
  }

  redraw(base = true) {
    this.stale.base ||= base;
    this.stale.over = true;
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = null;
    if (this.stale.base) this.drawBase();
    if (this.stale.over) {
      const pen = this.pen(this.over);
      this.scene(pen, this);
    }
    this.stale = { base: false, over: false };
    this.drawn++;
  }

  pen(canvas) {
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    pen.imageSmoothingQuality = "high";
    return pen;
  }

  // The photo's place on the screen: [x, y, width, height].
  get frame() {
    const [x, y] = this.toScreen([0, 0]), s = this.scale;
    return [x, y, this.size[0] * s, this.size[1] * s];
  }
}

Object.assign(Stage.prototype, drawing);
