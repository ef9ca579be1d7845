// Strokes of the brush, as they are drawn and as they are sent: what is added is green, what is taken away red.
export const ADD = "#00ff00", ERASE = "#ff0000";
const LEAST_STEP = 0.0015; // of the photo: points of a stroke that lie closer are one

export class Stroke {
  constructor(mode, radius, point) {
    this.values = { mode, radius, points: [round(point)] };
  }

  to(point) {
    const points = this.values.points, last = points[points.length - 1];
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= LEAST_STEP) points.push(round(point));
  }
}

const round = ([x, y]) => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4];

// Draws strokes (their points are fractions, their radius one of the width) through `at`, fractions to pixels.
export function drawStrokes(pen, strokes, at, width, colours = { add: ADD, erase: ERASE }) {
  pen.lineCap = pen.lineJoin = "round";
  for (const { mode, radius, points } of strokes) {
    pen.strokeStyle = pen.fillStyle = colours[mode];
    pen.lineWidth = 2 * radius * width;
    pen.beginPath();
    points.map(at).forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (points.length === 1) {
      const [x, y] = at(points[0]);
      pen.arc(x, y, radius * width, 0, 7);
      pen.fill();
    } else pen.stroke();
  }
}

// Strokes as a picture of this size, as the server takes them.
export function asPicture(strokes, [width, height]) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  drawStrokes(canvas.getContext("2d"), strokes, ([x, y]) => [x * width, y * height], width);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
