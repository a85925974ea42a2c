/** Small plots of the last minute. */

const LENGTH = 120;

/** Plots a few series of one unit, newest value at the right. */
export class Plot {
  #canvas;
  #series;
  #values = [];
  #least;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} how
   * @param {string[]} how.colors names of custom properties, one a series
   * @param {number} how.least the vertical axis reaches at least so far
   */
  constructor(canvas, { colors, least }) {
    this.#canvas = canvas;
    this.#series = colors;
    this.#least = least;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** @param {(number | null)[]} values one a series; null leaves a gap */
  add(values) {
    this.#values.push(values);
    if (this.#values.length > LENGTH) this.#values.shift();
    this.#draw();
  }

  #draw() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (!clientWidth || !clientHeight) return;
    const scale = devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#canvas.getContext("2d");
    const style = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, width, height);
    const most = Math.max(this.#least, ...this.#values.flat().map((value) => value ?? 0)) * 1.08;
    const place = (index, value) => [
      width - ((this.#values.length - 1 - index) / (LENGTH - 1)) * width,
      height - scale - (value / most) * (height - 2 * scale),
    ];
    context.strokeStyle = style.getPropertyValue("--line");
    context.lineWidth = scale;
    line(context, [[0, height - scale / 2], [width, height - scale / 2]]);
    this.#series.forEach((color, which) => {
      context.strokeStyle = context.fillStyle = style.getPropertyValue(color);
      for (const run of runs(this.#values, which)) {
        const points = run.map(([index, value]) => place(index, value));
        if (which === 0) area(context, points, height);
        context.lineWidth = 1.5 * scale;
        line(context, points);
      }
    });
  }
}

/** Stretches of one series without gaps, as `[index, value]`. */
function runs(values, which) {
  const found = [[]];
  values.forEach((row, index) => {
    if (row[which] === null) found.push([]);
    else found.at(-1).push([index, row[which]]);
  });
  return found.filter((run) => run.length > 1);
}

function line(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.lineJoin = "round";
  context.stroke();
}

function area(context, points, bottom) {
  context.globalAlpha = 0.14;
  context.beginPath();
  context.moveTo(points[0][0], bottom);
  for (const [x, y] of points) context.lineTo(x, y);
  context.lineTo(points.at(-1)[0], bottom);
  context.fill();
  context.globalAlpha = 1;
}
