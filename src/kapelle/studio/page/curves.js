// The curves of a run: what learning costs, on the pieces learnt from and on those held out.

const NS = "http://www.w3.org/2000/svg";
const PAD = { left: 40, right: 14, top: 10, bottom: 24 };

function element(tag, attributes, text) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const told = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);

export class Curves {
  constructor(box) {
    this.box = box;
    this.rows = [];
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(rows) {
    this.rows = rows;
    this.draw();
  }

  add(row) {
    if (this.rows.at(-1)?.updates === row.updates) return;
    this.rows.push(row);
    this.draw();
  }

  get best() {
    return this.rows.filter((row) => row.valid !== null).reduce((best, row) => (!best || row.valid < best.valid ? row : best), undefined);
  }

  draw() {
    const { rows } = this;
    const width = this.box.clientWidth;
    const height = this.box.clientHeight;
    if (!width || !rows.length) {
      this.box.replaceChildren();
      return;
    }
    const values = rows.flatMap((row) => [row.train, row.valid]).filter((value) => value !== null);
    // The first looks are far above all others; the curve is to show where it goes.
    const sorted = [...values].sort((a, b) => a - b);
    const low = Math.max(0, sorted[0] - 0.15 * (sorted.at(-1) - sorted[0]) - 0.05);
    const high = sorted.at(-1) + 0.05;
    const end = Math.max(rows.at(-1).seconds, 1);
    const x = (seconds) => PAD.left + (seconds / end) * (width - PAD.left - PAD.right);
    const y = (value) => PAD.top + ((high - value) / (high - low)) * (height - PAD.top - PAD.bottom);
    const svg = element("svg", { width, height, role: "img", "aria-label": this.words() });
    this.drawGrid(svg, { x, y, low, high, end, width, height });
    for (const [name, kind] of [["train", "learnt"], ["valid", "held-out"]]) {
      const points = rows.filter((row) => row[name] !== null).map((row) => `${x(row.seconds).toFixed(1)},${y(row[name]).toFixed(1)}`);
      if (points.length > 1) svg.append(element("polyline", { points: points.join(" "), class: kind }));
    }
    const { best } = this;
    if (best) svg.append(element("circle", { cx: x(best.seconds), cy: y(best.valid), r: 4.5, class: "best" }));
    this.box.replaceChildren(svg);
  }

  drawGrid(svg, { x, y, low, high, end, width, height }) {
    const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((size) => (high - low) / size <= 5) ?? 20;
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      svg.append(element("line", { x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value), class: "grid" }));
      svg.append(element("text", { x: PAD.left - 7, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(step < 0.1 ? 2 : 1)));
    }
    svg.append(element("text", { x: PAD.left, y: height - 6 }, "0"));
    svg.append(element("text", { x: x(end), y: height - 6, "text-anchor": "end" }, told(end)));
  }

  words() {
    const { best } = this;
    return best ? `What a note costs, in nats; the best look at pieces that are held out: ${best.valid.toFixed(2)}` : "What a note costs, in nats";
  }
}
