// Draws a pad: a square of clips whose colours blend from its corners, the puck, the path, and the clip under the puck.
export const CORNERS = ["track-0", "track-1", "track-2", "track-3"];
const NAMES = ["panel", "ink", "soft", "line", "playhead", "sunk", "bar-line", "beat-line", "drums", ...CORNERS];
const DRUMS = { 35: "Kick", 36: "Kick", 37: "Rim", 38: "Snare", 40: "Snare", 42: "Closed hat", 44: "Pedal hat", 46: "Open hat",
  41: "Floor tom", 43: "Floor tom", 45: "Low tom", 47: "Middle tom", 48: "Middle tom", 50: "High tom", 49: "Crash", 51: "Ride" };

const LIVELY = 96;

const mix = (one, other, share) => one.map((value, at) => value + (other[at] - value) * share);
// Between four colours lies grey; what is left of colour in it is brought out.
function lively(colour) {
  const grey = colour.reduce((sum, value) => sum + value, 0) / 3;
  const spread = Math.max(...colour) - Math.min(...colour);
  const more = Math.max(1, Math.min(4, LIVELY / Math.max(1, spread)));
  return colour.map((value) => Math.max(0, Math.min(255, grey + (value - grey) * more)));
}

const css = (colour, alpha = 1) => `rgb(${colour.map(Math.round).join(" ")} / ${alpha})`;

export class PadPainter {
  constructor(pad, square, strip) {
    Object.assign(this, { pad, square, strip });
    this.readColours();
  }

  readColours() {
    const probe = document.createElement("i");
    document.body.append(probe);
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    this.colours = Object.fromEntries(NAMES.map((name) => {
      probe.style.color = `var(--${name})`;
      pen.fillStyle = getComputedStyle(probe).color;
      pen.fillRect(0, 0, 1, 1);
      return [name, [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3)];
    }));
    probe.remove();
    this.ground = undefined;
  }

  // The colour of a place, as much of each corner as it is near to it.
  blend(column, row) {
    const { columns, rows } = this.pad;
    const [a, b, c, d] = CORNERS.map((name) => this.colours[name]);
    const across = columns > 1 ? column / (columns - 1) : 0;
    const top = mix(a, b, across);
    return lively(rows > 1 ? mix(top, mix(c, d, across), row / (rows - 1)) : top);
  }

  // Fits a canvas to the place it has; its pen, or nothing while it is not to be seen.
  fit(canvas) {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return undefined;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      this.ground = undefined;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return { pen, width, height };
  }

  paint(live, share) {
    this.paintSquare(live);
    this.paintStrip(live, share);
  }

  paintSquare(live) {
    const fitted = this.fit(this.square);
    if (!fitted) return;
    const { pen, width, height } = fitted;
    const { pad, colours } = this;
    if (!pad.cells) return;
    const [wide, high] = [width / pad.columns, height / pad.rows];
    const ratio = window.devicePixelRatio || 1;
    this.ground ??= this.paintGround(width, height, ratio);
    pen.drawImage(this.ground, 0, 0, width, height);
    const centre = ([column, row]) => [(column + 0.5) * wide, (row + 0.5) * high];
    if (live) {
      pen.strokeStyle = css(colours.playhead);
      pen.lineWidth = 2.5;
      pen.beginPath();
      pen.roundRect(live[0] * wide + 1.5, live[1] * high + 1.5, wide - 3, high - 3, 6);
      pen.stroke();
    }
    this.paintPath(pen, centre, Math.min(wide, high));
    if (pad.follows && pad.parts.square.matches(":focus-visible")) {
      // Where the keyboard is, while the puck goes its way.
      pen.strokeStyle = css(colours.ink, 0.6);
      pen.setLineDash([4, 3]);
      pen.lineWidth = 1.5;
      pen.strokeRect(pad.at[0] * wide + 3, pad.at[1] * high + 3, wide - 6, high - 6);
      pen.setLineDash([]);
    }
    const [x, y] = centre(pad.puck);
    const size = Math.min(wide, high) * 0.42;
    pen.fillStyle = css(this.blend(...pad.puck));
    pen.strokeStyle = css(colours.panel);
    pen.lineWidth = 3;
    pen.shadowColor = "rgb(0 0 0 / .45)";
    pen.shadowBlur = 8;
    pen.beginPath();
    pen.arc(x, y, Math.max(9, size), 0, 2 * Math.PI);
    pen.fill();
    pen.shadowColor = "transparent";
    pen.stroke();
    pen.strokeStyle = css(colours.ink);
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, Math.max(9, size) + 2, 0, 2 * Math.PI);
    pen.stroke();
  }

  paintGround(width, height, ratio) {
    const ground = document.createElement("canvas");
    ground.width = Math.round(width * ratio);
    ground.height = Math.round(height * ratio);
    const pen = ground.getContext("2d");
    pen.scale(ratio, ratio);
    const { pad, colours } = this;
    const [wide, high] = [width / pad.columns, height / pad.rows];
    const range = pitchesOf(pad.cells.flat());
    pad.cells.forEach((line, row) => line.forEach((score, column) => {
      const colour = this.blend(column, row);
      pen.fillStyle = css(mix(colours.panel, colour, 0.2));
      pen.beginPath();
      pen.roundRect(column * wide + 1, row * high + 1, wide - 2, high - 2, Math.min(6, wide / 5));
      pen.fill();
      pen.fillStyle = css(mix(colour, colours.ink, 0.12));
      paintNotes(pen, score, range, [column * wide + 4, row * high + 4, wide - 8, high - 8]);
    }));
    return ground;
  }

  paintPath(pen, centre, size) {
    const { path } = this.pad;
    if (!path.length) return;
    const { ink, panel } = this.colours;
    for (const [colour, width] of [[css(panel, 0.9), 6], [css(ink, 0.85), 2.5]]) {
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = width;
      pen.lineJoin = pen.lineCap = "round";
      pen.beginPath();
      path.forEach((place, at) => pen[at ? "lineTo" : "moveTo"](...centre(place)));
      pen.stroke();
      for (const place of path) {
        pen.beginPath();
        pen.arc(...centre(place), Math.min(size / 6, 3) + width / 2 - 1, 0, 2 * Math.PI);
        pen.fill();
      }
    }
  }

  // The clip under the puck, large, and where it sounds.
  paintStrip(live, share) {
    const fitted = this.fit(this.strip);
    const score = this.pad.shown;
    if (!fitted || !score) return;
    const { pen, width, height } = fitted;
    const { colours } = this;
    const range = pitchesOf([score]);
    const drums = score.tracks.every((track) => track.is_drum);
    const left = drums ? 74 : 8;
    const end = score.bars.at(-1);
    const each = (width - left - 8) / end;
    const row = height / range.length;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    range.forEach((pitch, at) => {
      const y = height - (at + 0.5) * row;
      if (drums) {
        pen.fillStyle = css(colours.soft);
        pen.fillText(DRUMS[pitch] ?? `Key ${pitch}`, 8, y);
        pen.fillStyle = css(colours["beat-line"]);
        pen.fillRect(left, Math.round(y), width - left - 8, 1);
      }
    });
    const unit = score.ticks_per_quarter * (4 / score.meters[0][2]);
    for (let tick = 0; tick <= end; tick += unit) {
      pen.fillStyle = css(colours[score.bars.includes(tick) ? "bar-line" : "beat-line"]);
      pen.fillRect(Math.round(left + tick * each), 2, 1, height - 4);
    }
    pen.fillStyle = css(mix(this.blend(...this.pad.puck), colours.ink, 0.1));
    paintNotes(pen, score, range, [left, 0, width - left - 8, height], Math.min(9, row * 0.7));
    if (live && share !== undefined) {
      pen.fillStyle = css(colours.playhead);
      pen.fillRect(left + share * end * each - 1, 0, 2, height);
    }
  }
}

// Drums have a row each that is struck; lines have one for each pitch from the lowest to the highest.
function pitchesOf(scores) {
  const drums = scores.every((score) => score.tracks.every((track) => track.is_drum));
  const all = [...new Set(scores.flatMap((score) => score.tracks.flatMap((track) => track.notes.map((note) => note[2]))))].sort((a, b) => a - b);
  if (drums || !all.length) return all.length ? all : [60];
  return Array.from({ length: all.at(-1) - all[0] + 5 }, (_, at) => all[0] - 2 + at);
}

function paintNotes(pen, score, range, [left, top, width, height], most = Infinity) {
  const row = height / range.length;
  const thick = Math.max(2.2, Math.min(row - (most < Infinity ? 2 : 0.5), most));
  const each = width / score.bars.at(-1);
  for (const track of score.tracks) {
    for (const [onset, duration, pitch, velocity] of track.notes) {
      pen.globalAlpha = 0.45 + (0.55 * velocity) / 127;
      const y = top + height - (range.indexOf(pitch) + 0.5) * row - thick / 2;
      const long = track.is_drum ? Math.max(1.8, Math.min(thick, 96 * each)) : Math.max(2.2, duration * each - 0.6);
      pen.beginPath();
      pen.roundRect(left + onset * each, y, long, thick, Math.min(3, thick / 2));
      pen.fill();
    }
  }
  pen.globalAlpha = 1;
}
