// How photos, cut-outs, outlines and handles are drawn on the stage. These are methods of the stage.
const HANDLE = 6; // CSS pixels: half the side of a handle as it is drawn

export const drawing = {
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
  },
  // Where a thing is on the screen that goes by `d` and is resized about its foot: [x, y, width, height].
  boxOn(cutout, foot, d, scale) {
    const at = (x, y) => this.toScreen([foot[0] + d[0] + scale * (x - foot[0]), foot[1] + d[1] + scale * (y - foot[1])]);
    const [left, top, right, bottom] = cutout.box;
    const a = at(left, top), b = at(right, bottom);
    return [a[0], a[1], b[0] - a[0], b[1] - a[1]];
  },
  drawCutout(pen, cutout, [x, y, w, h], alpha = 1) {
    pen.globalAlpha = alpha;
    pen.drawImage(cutout.picture, x, y, w, h);
    pen.globalAlpha = 1;
  },
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
  },
  drawOutline(pen, cutout, [x, y, w, h], light, dark) {
    const { picture, pad } = cutout.outline(w * this.density, h * this.density, light, dark);
    const edge = pad / this.density;
    pen.drawImage(picture, x - edge, y - edge, w + 2 * edge, h + 2 * edge);
  },
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
  },
};

export function corners([x, y, w, h]) {
  return [[x, y], [x + w, y], [x, y + h], [x + w, y + h]];
}
