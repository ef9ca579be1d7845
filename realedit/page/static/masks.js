// What is selected, as the page draws it: masks as they come from the server, cut-outs and outlines made of them here.
import { api, loadImage } from "./api.js";

const TEST_SIDE = 512; // pixels of the longer side at which it is told whether a point lies on a thing
const OUTLINE_PAD = 6; // pixels around an outline

export class Masks {
  constructor() {
    this.kept = new Map(); // "number-version" -> what is drawn of it
  }

  clear() {
    this.kept.clear();
  }

  get(selection) {
    return selection ? this.kept.get(`${selection.number}-${selection.version}`) : undefined;
  }

  // Loads the mask of a selection, and cuts the thing out of the view of its photo.
  async load(selection, view) {
    const key = `${selection.number}-${selection.version}`;
    if (this.kept.has(key) || !selection.box) return this.kept.get(key);
    const mask = await loadImage(api.maskOf(selection));
    const found = new Cutout(selection, mask, view);
    this.kept.set(key, found);
    return found;
  }
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  return canvas;
}

class Cutout {
  constructor(selection, mask, view) {
    const [width, height] = [mask.naturalWidth, mask.naturalHeight];
    const [left, top, right, bottom] = selection.box;
    const x = Math.max(0, Math.floor(left * width) - 1), y = Math.max(0, Math.floor(top * height) - 1);
    const w = Math.min(width, Math.ceil(right * width) + 1) - x, h = Math.min(height, Math.ceil(bottom * height) + 1) - y;
    this.size = [width, height];
    this.box = [x / width, y / height, (x + w) / width, (y + h) / height];
    this.mask = canvasOf(w, h);
    this.mask.getContext("2d").drawImage(mask, -x, -y);
    this.picture = canvasOf(w, h);
    const pen = this.picture.getContext("2d");
    pen.drawImage(view, -x, -y, width, height);
    pen.globalCompositeOperation = "destination-in";
    pen.drawImage(this.mask, 0, 0);
    this.outlines = new Map();
    const share = Math.min(1, TEST_SIDE / Math.max(w, h));
    const small = canvasOf(w * share, h * share);
    const test = small.getContext("2d", { willReadFrequently: true });
    test.drawImage(this.mask, 0, 0, small.width, small.height);
    this.test = test.getImageData(0, 0, small.width, small.height);
  }

  // Whether a point (fractions of the photo) lies on the thing, where it is in the photo.
  has([px, py]) {
    const [left, top, right, bottom] = this.box;
    const column = Math.floor(((px - left) / (right - left)) * this.test.width);
    const row = Math.floor(((py - top) / (bottom - top)) * this.test.height);
    if (column < 0 || row < 0 || column >= this.test.width || row >= this.test.height) return false;
    return this.test.data[4 * (row * this.test.width + column) + 3] > 127;
  }

  // Pixels of a canvas for so many that look as wide on a plain screen.
  reach(pixels) {
    return Math.min(OUTLINE_PAD, pixels * Math.min(1.5, devicePixelRatio || 1));
  }

  // Its outline, drawn so large that the thing is `width` pixels wide: light inside, dark around it.
  outline(width, height, light, dark) {
    const key = `${Math.round(width)}-${light}`;
    if (this.outlines.has(key)) return this.outlines.get(key);
    if (this.outlines.size > 8) this.outlines.clear();
    const outer = ring(this.mask, width, height, this.reach(4), dark), inner = ring(this.mask, width, height, this.reach(2.4), light);
    const pen = outer.getContext("2d");
    pen.globalCompositeOperation = "source-over";
    pen.drawImage(inner, 0, 0);
    const found = { picture: outer, pad: OUTLINE_PAD };
    this.outlines.set(key, found);
    return found;
  }
}

function ring(mask, width, height, reach, colour) {
  const canvas = canvasOf(width + 2 * OUTLINE_PAD, height + 2 * OUTLINE_PAD), pen = canvas.getContext("2d");
  const at = (dx, dy) => pen.drawImage(mask, OUTLINE_PAD + dx, OUTLINE_PAD + dy, width, height);
  for (let k = 0; k < 16; k++) at(reach * Math.cos((k * Math.PI) / 8), reach * Math.sin((k * Math.PI) / 8));
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = colour;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.globalCompositeOperation = "destination-out";
  at(0, 0);
  return canvas;
}
