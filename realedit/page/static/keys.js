// The keyboard on a stage: a cross that arrow keys move and Enter selects with, for who has no mouse.
const STEP = 0.02, SMALL_STEP = 0.004; // of the photo

export class Cross {
  constructor(stage) {
    this.stage = stage;
    this.at = null;
  }

  hide() {
    if (this.at) this.stage.redraw(false);
    this.at = null;
  }

  // Whether a key was one of the cross; `pick` is called with the point when it is Enter or the space bar.
  key(event, pick) {
    const arrow = arrowOf(event);
    if (arrow) {
      const step = event.shiftKey ? SMALL_STEP : STEP, [x, y] = this.at ?? [0.5, 0.5];
      this.at = [x + arrow[0] * step, y + arrow[1] * step].map((value) => Math.min(0.999, Math.max(0, value)));
      this.stage.redraw(false);
      return true;
    }
    if ((event.key === "Enter" || event.key === " ") && this.at) {
      pick(this.at, event);
      return true;
    }
    return false;
  }

  draw(pen) {
    if (!this.at) return;
    const [x, y] = this.stage.toScreen(this.at);
    for (const [colour, width] of [["rgba(0,0,0,.7)", 4], ["#fff", 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        pen.moveTo(x + 4 * dx, y + 4 * dy);
        pen.lineTo(x + 14 * dx, y + 14 * dy);
      }
      pen.stroke();
    }
  }
}

export function arrowOf(event) {
  return { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
}
