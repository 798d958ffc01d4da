// Draws the piano roll: only what is scrolled to.
import { isBlack, meterAt, pitchName } from "./score.js";

export const KEYS = 46;
export const RULER = 24;

const NAMES = ["row", "row-black", "bar-line", "beat-line", "playhead", "ink", "soft", "panel", "line", "tint", "drums", "accent", "on-accent", "hatch"];

export class Painter {
  constructor(roll) {
    this.roll = roll;
    this.pen = roll.canvas.getContext("2d");
    this.readColours();
  }

  readColours() {
    const probe = document.createElement("i");
    document.body.append(probe);
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    this.colours = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
    this.colours.tracks = Array.from({ length: 8 }, (_, index) => read(`track-${index}`));
    probe.remove();
    this.hatch = undefined;
  }

  colourOf(track) {
    return this.roll.score.tracks[track].is_drum ? this.colours.drums : this.colours.tracks[track % 8];
  }

  paint() {
    const { pen, colours, roll } = this;
    const { width, height } = roll;
    const from = roll.tickAt(KEYS);
    const until = roll.tickAt(width);
    pen.fillStyle = colours.row;
    pen.fillRect(0, 0, width, height);
    this.paintRows();
    this.paintChosen();
    this.paintBars(from, until);
    this.paintNotes(from, until);
    this.paintLocked(from, until);
    if (roll.band) {
      pen.strokeStyle = colours.ink;
      pen.setLineDash([4, 3]);
      pen.strokeRect(...roll.bandBox());
      pen.setLineDash([]);
    }
    this.paintRuler(from, until);
    this.paintKeys();
    this.paintPlayhead();
  }

  paintNotes(from, until) {
    const { notes, longest } = this.roll;
    // Notes are in order of onset; none that is longer than the longest can still reach in.
    let first = 0;
    for (let low = 0, high = notes.length; low < high; first = low) {
      const middle = (low + high) >> 1;
      if (notes[middle].onset < from - longest) low = middle + 1;
      else high = middle;
    }
    for (let index = first; index < notes.length && notes[index].onset <= until; index++) this.paintNote(notes[index]);
  }

  paintPlayhead() {
    const { pen, roll } = this;
    const x = roll.x(roll.playhead);
    if (x < KEYS) return;
    pen.fillStyle = this.colours.playhead;
    pen.fillRect(x - 0.75, 0, 1.5, roll.height);
    pen.beginPath();
    pen.moveTo(x - 6, 0);
    pen.lineTo(x + 6, 0);
    pen.lineTo(x, 9);
    pen.fill();
  }

  paintRows() {
    const { pen, colours, roll } = this;
    for (let pitch = roll.low; pitch <= roll.high; pitch++) {
      const y = roll.y(pitch);
      if (y < -roll.row || y > roll.height) continue;
      if (isBlack(pitch)) {
        pen.fillStyle = colours["row-black"];
        pen.fillRect(KEYS, y, roll.width, roll.row);
      }
      if (pitch % 12 === 0) {
        pen.fillStyle = colours["beat-line"];
        pen.fillRect(KEYS, y + roll.row - 1, roll.width, 1);
      }
    }
  }

  // Bars that are chosen, and under the ruler a line that says so.
  paintChosen() {
    const { pen, colours, roll } = this;
    if (!roll.chosenBars) return;
    const [left, right] = roll.spanOf(...roll.chosenBars);
    pen.fillStyle = colours.accent;
    pen.globalAlpha = 0.1;
    pen.fillRect(left, RULER, right - left, roll.height);
    pen.globalAlpha = 1;
  }

  paintLocked(from, until) {
    const { pen, roll } = this;
    for (const bar of roll.lockedBars) {
      const [left, right] = roll.spanOf(bar, bar);
      if (right < KEYS || left > roll.width) continue;
      pen.fillStyle = this.hatch ??= this.makeHatch();
      pen.fillRect(Math.max(left, KEYS), RULER, right - Math.max(left, KEYS), roll.height);
    }
  }

  makeHatch() {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = this.colours.hatch;
    pen.lineWidth = 1.2;
    for (const at of [-8, 0, 8]) {
      pen.moveTo(at, 8);
      pen.lineTo(at + 8, 0);
    }
    pen.stroke();
    return this.pen.createPattern(tile, "repeat");
  }

  paintBars(from, until) {
    const { pen, colours, roll } = this;
    roll.bars.forEach((start, index) => {
      const stop = roll.bars[index + 1] ?? start;
      if (stop < from || start > until) return;
      const beat = (4 / meterAt(roll.score, start)[2]) * roll.score.ticks_per_quarter;
      pen.fillStyle = colours["beat-line"];
      if (beat * roll.scale > 9) {
        for (let tick = start + beat; tick < stop - 1; tick += beat) pen.fillRect(Math.round(roll.x(tick)), RULER, 1, roll.height);
      }
      pen.fillStyle = colours["bar-line"];
      pen.fillRect(Math.round(roll.x(start)), RULER, 1, roll.height);
    });
  }

  paintNote(note) {
    const { pen, colours, roll } = this;
    const x = roll.x(note.onset);
    const y = roll.y(note.pitch);
    const drum = roll.score.tracks[note.track].is_drum;
    const width = Math.max(2.5, (drum ? Math.min(note.duration * roll.scale, roll.row) : note.duration * roll.scale) - 1);
    const height = roll.row - 1;
    if (y < -height || y > roll.height || x + width < KEYS) return;
    const sounding = note.onset <= roll.playhead && roll.playhead < note.onset + note.duration && roll.sounding;
    const other = roll.chosenTracks.size && !roll.chosenTracks.has(note.track);
    pen.globalAlpha = (roll.muted.has(note.track) ? 0.18 : 0.45 + (0.55 * note.velocity) / 127) * (other ? 0.42 : 1);
    pen.fillStyle = this.colourOf(note.track);
    pen.beginPath();
    pen.roundRect(x, y + 0.5, width, height, Math.min(3.5, height / 3, width / 2));
    pen.fill();
    pen.globalAlpha = 1;
    if (roll.selected.has(note) || sounding) {
      pen.strokeStyle = sounding && !roll.selected.has(note) ? colours.playhead : colours.ink;
      pen.lineWidth = 2;
      pen.stroke();
      pen.lineWidth = 1;
    }
  }

  paintRuler(from, until) {
    const { pen, colours, roll } = this;
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, roll.width, RULER);
    if (roll.chosenBars) {
      const [left, right] = roll.spanOf(...roll.chosenBars);
      pen.fillStyle = colours.accent;
      pen.beginPath();
      pen.roundRect(left + 1, 2, right - left - 2, RULER - 5, 5);
      pen.fill();
    }
    pen.fillStyle = colours.line;
    pen.fillRect(0, RULER - 1, roll.width, 1);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    const width = (roll.bars[2] ?? roll.bars[1]) - roll.bars[1] || roll.bars[1];
    const every = [1, 2, 4, 8, 16, 32].find((count) => width * roll.scale * count > 34) ?? 64;
    roll.bars.slice(0, -1).forEach((start, index) => {
      const number = index + roll.firstBar;
      if (start < from - width || start > until || number < 1) return;
      const chosen = roll.chosenBars && number >= roll.chosenBars[0] && number <= roll.chosenBars[1];
      pen.fillStyle = chosen ? colours["on-accent"] : colours.soft;
      const told = (number - 1) % every === 0 ? String(number) : "";
      if (told) pen.fillText(told, roll.x(start) + 5, RULER / 2);
      if (roll.lockedBars.has(number)) this.paintPadlock(roll.x(start) + 8 + 7 * told.length, RULER / 2);
    });
  }

  paintPadlock(x, y) {
    const { pen } = this;
    pen.fillRect(x, y - 1, 8, 6);
    pen.strokeStyle = pen.fillStyle;
    pen.lineWidth = 1.4;
    pen.beginPath();
    pen.arc(x + 4, y - 1, 2.6, Math.PI, 0);
    pen.stroke();
    pen.lineWidth = 1;
  }

  paintKeys() {
    const { pen, colours, roll } = this;
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, KEYS, roll.height);
    pen.textAlign = "right";
    pen.font = "10.5px system-ui, sans-serif";
    const each = roll.row >= 13;
    const seen = (pitch) => roll.y(pitch) >= RULER - roll.row && roll.y(pitch) <= roll.height;
    const pitches = Array.from({ length: roll.high - roll.low + 1 }, (_, at) => roll.low + at).filter(seen);
    pen.fillStyle = colours["row-black"];
    for (const pitch of pitches.filter(isBlack)) pen.fillRect(0, roll.y(pitch), KEYS - 16, roll.row);
    // Where rows are narrower than letters, a name lies over its neighbours.
    for (const pitch of pitches) {
      if (pitch % 12 !== 0 && (!each || isBlack(pitch))) continue;
      pen.fillStyle = pitch % 12 === 0 ? colours.ink : colours.soft;
      pen.fillText(pitchName(pitch), KEYS - 5, roll.y(pitch) + roll.row / 2);
    }
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, KEYS, RULER - 1);
    pen.fillStyle = colours.line;
    pen.fillRect(KEYS - 1, 0, 1, roll.height);
  }
}
