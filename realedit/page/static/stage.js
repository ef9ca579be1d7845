// Where the photo is drawn: one canvas for the photo, one above it for what is selected and where it goes. Positions in
// the photo are fractions of it; positions on the screen are CSS pixels from the stage's corner.
const MOST_ZOOM = 16;
const MARGIN = 12; // CSS pixels around a photo that is shown whole
const TOOLS = 68; // CSS pixels below it, where the tools lie
const HANDLE = 6; // CSS pixels: half the side of a handle as it is drawn
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

  drawBase() {
    const pen = this.pen(this.base), [x, y, w, h] = this.frame;
    if (!this.image) return;
    pen.drawImage(this.image, x, y, w, h);
    if (!this.after) return;
    pen.save();
    pen.beginPath();
    pen.rect(x + this.split * w, y, w, h);
    pen.clip();
    pen.drawImage(this.after, x, y, w, h);
    pen.restore();
    const line = x + this.split * w;
    pen.fillStyle = "rgba(0,0,0,.45)";
    pen.fillRect(line - 2, y, 4, h);
    pen.fillStyle = "#fff";
    pen.fillRect(line - 1, y, 2, h);
    const middle = y + h / 2;
    pen.beginPath();
    pen.arc(line, middle, 15, 0, 7);
    pen.fill();
    pen.strokeStyle = "rgba(0,0,0,.5)";
    pen.stroke();
    pen.strokeStyle = "#222";
    pen.lineWidth = 2;
    for (const side of [-1, 1]) {
      pen.beginPath();
      pen.moveTo(line + side * 5, middle - 4);
      pen.lineTo(line + side * 9, middle);
      pen.lineTo(line + side * 5, middle + 4);
      pen.stroke();
    }
  }

  // Where a thing is on the screen that goes by `d` and is resized about its foot: [x, y, width, height].
  boxOn(cutout, foot, d, scale) {
    const at = (x, y) => this.toScreen([foot[0] + d[0] + scale * (x - foot[0]), foot[1] + d[1] + scale * (y - foot[1])]);
    const [left, top, right, bottom] = cutout.box;
    const a = at(left, top), b = at(right, bottom);
    return [a[0], a[1], b[0] - a[0], b[1] - a[1]];
  }

  drawCutout(pen, cutout, [x, y, w, h], alpha = 1) {
    pen.globalAlpha = alpha;
    pen.drawImage(cutout.picture, x, y, w, h);
    pen.globalAlpha = 1;
  }

  // A thing's old place, or one that goes: dimmed where it is.
  drawVeil(pen, cutout, [x, y, w, h], colour) {
    const layer = (this.layer ??= document.createElement("canvas"));
    layer.width = Math.ceil(w);
    layer.height = Math.ceil(h);
    const ink = layer.getContext("2d");
    ink.fillStyle = colour;
    ink.fillRect(0, 0, w, h);
    ink.globalCompositeOperation = "destination-in";
    ink.drawImage(cutout.mask, 0, 0, w, h);
    pen.drawImage(layer, x, y, w, h);
  }

  drawOutline(pen, cutout, [x, y, w, h], light, dark) {
    const { picture, pad } = cutout.outline(w * this.density, h * this.density, light, dark);
    const edge = pad / this.density;
    pen.drawImage(picture, x - edge, y - edge, w + 2 * edge, h + 2 * edge);
  }

  drawHandles(pen, box) {
    for (const [x, y] of corners(box)) {
      pen.fillStyle = "#fff";
      pen.strokeStyle = "rgba(0,0,0,.65)";
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.rect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
      pen.fill();
      pen.stroke();
    }
  }
}

export function corners([x, y, w, h]) {
  return [[x, y], [x + w, y], [x, y + h], [x + w, y + h]];
}
