// The piano roll: a canvas that shows what is scrolled to, and an editor.
import { barsUntil, endOf, isBlack, meterAt, notesOf, pitchName, placeOf, withNotes } from "./score.js";

const KEYS = 46;
const RULER = 24;
const MOST_UNDO = 200;

export class Roll {
  constructor(box, { onEdit, onSeek, onSelect, onTouch }) {
    this.box = box;
    this.space = box.querySelector("#roll-space");
    this.canvas = box.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    Object.assign(this, { onEdit, onSeek, onSelect, onTouch });
    this.notes = [];
    this.selected = new Set();
    this.past = [];
    this.future = [];
    this.tool = "select";
    this.grid = 0.25;
    this.playhead = 0;
    this.muted = new Set();
    this.readColours();
    box.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.resize()).observe(box);
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    this.canvas.addEventListener("pointerup", (event) => this.release(event));
    this.canvas.addEventListener("pointercancel", () => this.cancelDrag());
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.offsetX);
    }, { passive: false });
  }

  // -- what is shown ------------------------------------------------------------------------------

  load(score, notes = notesOf(score)) {
    this.score = score;
    this.notes = notes;
    this.selected.clear();
    this.past = [];
    this.future = [];
    this.dirty = false;
    this.measure();
    this.fit();
    this.box.scrollLeft = 0;
    this.onSelect(this.selected);
  }

  measure() {
    this.end = endOf(this.score, this.notes);
    this.bars = barsUntil(this.score, this.end);
    const pitches = this.notes.map((note) => note.pitch);
    const low = pitches.length ? pitches.reduce((a, b) => Math.min(a, b)) : 55;
    const high = pitches.length ? pitches.reduce((a, b) => Math.max(a, b)) : 79;
    this.low = Math.min(this.low ?? 127, Math.max(0, low - 5));
    this.high = Math.max(this.high ?? 0, Math.min(127, high + 5));
    this.longest = this.notes.reduce((most, note) => Math.max(most, note.duration), 1);
    this.notes.sort((a, b) => a.onset - b.onset || b.pitch - a.pitch);
  }

  fit() {
    this.low = this.high = undefined;
    this.measure();
    const rows = this.high - this.low + 1;
    const unit = this.score.ticks_per_quarter;
    this.row = Math.max(7, Math.min(20, (this.box.clientHeight - RULER) / rows));
    const whole = (this.box.clientWidth - KEYS - 12) / this.bars.at(-1);
    this.scale = Math.min(120 / unit, Math.max(22 / unit, whole));
    this.resize();
  }

  zoom(by, at = this.box.clientWidth / 2) {
    const unit = this.score.ticks_per_quarter;
    const tick = this.tickAt(at);
    this.scale = Math.min(400 / unit, Math.max(4 / unit, this.scale * by));
    this.resize();
    this.box.scrollLeft = tick * this.scale - (at - KEYS);
  }

  resize() {
    if (!this.score || !this.box.clientWidth) return;
    const { clientWidth: width, clientHeight: height } = this.box;
    this.space.style.width = `${Math.max(width, KEYS + this.bars.at(-1) * this.scale + 12)}px`;
    this.space.style.height = `${Math.max(height, RULER + (this.high - this.low + 1) * this.row)}px`;
    const ratio = window.devicePixelRatio || 1;
    // Width and height without the bar that the change of the space may bring.
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    this.canvas.width = this.width * ratio;
    this.canvas.height = this.height * ratio;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }

  readColours() {
    const probe = document.createElement("i");
    document.body.append(probe);
    const read = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const names = ["row", "row-black", "bar-line", "beat-line", "playhead", "ink", "soft", "panel", "line", "tint", "drums"];
    this.colours = Object.fromEntries(names.map((name) => [name, read(name)]));
    this.colours.tracks = Array.from({ length: 8 }, (_, index) => read(`track-${index}`));
    probe.remove();
    if (this.score) this.draw();
  }

  colourOf(track) {
    return this.score.tracks[track].is_drum ? this.colours.drums : this.colours.tracks[track % 8];
  }

  x(tick) { return KEYS + tick * this.scale - this.box.scrollLeft; }
  y(pitch) { return RULER + (this.high - pitch) * this.row - this.box.scrollTop; }
  tickAt(x) { return (x - KEYS + this.box.scrollLeft) / this.scale; }
  pitchAt(y) { return this.high - Math.floor((y - RULER + this.box.scrollTop) / this.row); }
  get step() { return Math.max(1, Math.round(this.grid * this.score.ticks_per_quarter)); }

  draw() {
    if (this.waiting || !this.score) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.paint();
    });
  }

  paint() {
    const { pen, colours, width, height } = this;
    const from = this.tickAt(KEYS);
    const until = this.tickAt(width);
    pen.fillStyle = colours.row;
    pen.fillRect(0, 0, width, height);
    this.paintRows();
    this.paintBars(from, until);
    // Notes are in order of onset; none that is longer than the longest can still reach in.
    let first = 0;
    for (let low = 0, high = this.notes.length; low < high; first = low) {
      const middle = (low + high) >> 1;
      if (this.notes[middle].onset < from - this.longest) low = middle + 1;
      else high = middle;
    }
    for (let index = first; index < this.notes.length && this.notes[index].onset <= until; index++) {
      this.paintNote(this.notes[index]);
    }
    if (this.band) {
      pen.strokeStyle = colours.ink;
      pen.setLineDash([4, 3]);
      pen.strokeRect(...this.bandBox());
      pen.setLineDash([]);
    }
    this.paintRuler(from, until);
    this.paintKeys();
    const x = this.x(this.playhead);
    if (x >= KEYS) {
      pen.fillStyle = colours.playhead;
      pen.fillRect(x - 0.75, 0, 1.5, height);
      pen.beginPath();
      pen.moveTo(x - 6, 0);
      pen.lineTo(x + 6, 0);
      pen.lineTo(x, 9);
      pen.fill();
    }
  }

  paintRows() {
    const { pen, colours } = this;
    for (let pitch = this.low; pitch <= this.high; pitch++) {
      const y = this.y(pitch);
      if (y < -this.row || y > this.height) continue;
      if (isBlack(pitch)) {
        pen.fillStyle = colours["row-black"];
        pen.fillRect(KEYS, y, this.width, this.row);
      }
      if (pitch % 12 === 0) {
        pen.fillStyle = colours["beat-line"];
        pen.fillRect(KEYS, y + this.row - 1, this.width, 1);
      }
    }
  }

  paintBars(from, until) {
    const { pen, colours, score } = this;
    this.bars.forEach((start, index) => {
      const stop = this.bars[index + 1] ?? start;
      if (stop < from || start > until) return;
      const beat = (4 / meterAt(score, start)[2]) * score.ticks_per_quarter;
      pen.fillStyle = colours["beat-line"];
      if (beat * this.scale > 9) {
        for (let tick = start + beat; tick < stop - 1; tick += beat) pen.fillRect(Math.round(this.x(tick)), RULER, 1, this.height);
      }
      pen.fillStyle = colours["bar-line"];
      pen.fillRect(Math.round(this.x(start)), RULER, 1, this.height);
    });
  }

  paintNote(note) {
    const { pen, colours } = this;
    const x = this.x(note.onset);
    const y = this.y(note.pitch);
    const drum = this.score.tracks[note.track].is_drum;
    const width = Math.max(2.5, (drum ? Math.min(note.duration * this.scale, this.row) : note.duration * this.scale) - 1);
    const height = this.row - 1;
    if (y < -height || y > this.height || x + width < KEYS) return;
    const sounding = note.onset <= this.playhead && this.playhead < note.onset + note.duration && this.sounding;
    pen.globalAlpha = this.muted.has(note.track) ? 0.18 : 0.45 + (0.55 * note.velocity) / 127;
    pen.fillStyle = this.colourOf(note.track);
    pen.beginPath();
    pen.roundRect(x, y + 0.5, width, height, Math.min(3.5, height / 3, width / 2));
    pen.fill();
    pen.globalAlpha = 1;
    if (this.selected.has(note) || sounding) {
      pen.strokeStyle = sounding && !this.selected.has(note) ? colours.playhead : colours.ink;
      pen.lineWidth = 2;
      pen.stroke();
      pen.lineWidth = 1;
    }
  }

  paintRuler(from, until) {
    const { pen, colours } = this;
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, this.width, RULER);
    pen.fillStyle = colours.line;
    pen.fillRect(0, RULER - 1, this.width, 1);
    pen.fillStyle = colours.soft;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    const width = (this.bars[2] ?? this.bars[1]) - this.bars[1] || this.bars[1];
    const every = [1, 2, 4, 8, 16, 32].find((count) => width * this.scale * count > 34) ?? 64;
    this.bars.slice(0, -1).forEach((start, index) => {
      const number = index + (this.score.pickup ? 0 : 1);
      if (start < from - width || start > until || number < 1 || (number - 1) % every) return;
      pen.fillText(String(number), this.x(start) + 4, RULER / 2);
    });
  }

  paintKeys() {
    const { pen, colours } = this;
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, KEYS, this.height);
    pen.textAlign = "right";
    pen.font = "10.5px system-ui, sans-serif";
    const each = this.row >= 13;
    for (let pitch = this.low; pitch <= this.high; pitch++) {
      const y = this.y(pitch);
      if (y < RULER - this.row || y > this.height) continue;
      if (isBlack(pitch)) {
        pen.fillStyle = colours["row-black"];
        pen.fillRect(0, y, KEYS - 16, this.row);
      }
      if (pitch % 12 === 0 || (each && !isBlack(pitch))) {
        pen.fillStyle = pitch % 12 === 0 ? colours.ink : colours.soft;
        pen.fillText(pitchName(pitch), KEYS - 5, y + this.row / 2);
      }
    }
    pen.fillStyle = colours.panel;
    pen.fillRect(0, 0, KEYS, RULER - 1);
    pen.fillStyle = colours.line;
    pen.fillRect(KEYS - 1, 0, 1, this.height);
  }

  // Where the music is; the roll turns the page when it leaves.
  setPlayhead(tick, sounding, follow) {
    this.playhead = tick;
    this.sounding = sounding;
    const x = this.x(tick);
    if (follow && !this.grip && (x > this.width - 40 || x < KEYS)) this.box.scrollLeft = tick * this.scale - 40;
    this.draw();
  }

  // -- editing ------------------------------------------------------------------------------------

  edited(notes) {
    return withNotes(this.score, notes);
  }

  change(make) {
    this.past.push(this.notes.map((note) => ({ ...note })));
    if (this.past.length > MOST_UNDO) this.past.shift();
    this.future = [];
    make();
    this.settle();
  }

  settle() {
    this.dirty = this.past.length > 0;
    const high = this.high;
    this.measure();
    this.resize();
    // Rows that are added above must not push what is under the pointer down.
    this.box.scrollTop += (this.high - high) * this.row;
    this.onSelect(this.selected);
    this.onEdit(this.notes);
  }

  undo(from = this.past, to = this.future) {
    if (!from.length) return;
    to.push(this.notes.map((note) => ({ ...note })));
    this.notes = from.pop();
    this.selected.clear();
    this.settle();
  }

  redo() { this.undo(this.future, this.past); }

  select(notes) {
    this.selected = new Set(notes);
    this.onSelect(this.selected);
    this.draw();
  }

  move(ticks, semitones) {
    const notes = [...this.selected];
    if (!notes.length) return;
    const fits = notes.every((note) => note.onset + ticks >= 0 && note.pitch + semitones >= 0 && note.pitch + semitones <= 127);
    if (!fits) return;
    this.change(() => notes.forEach((note) => {
      note.onset += ticks;
      note.pitch += semitones;
    }));
    this.reveal(notes[0]);
    this.onTouch(notes[0]);
  }

  setVelocity(velocity) {
    if (this.selected.size) this.change(() => this.selected.forEach((note) => { note.velocity = velocity; }));
  }

  remove() {
    if (!this.selected.size) return;
    this.change(() => {
      this.notes = this.notes.filter((note) => !this.selected.has(note));
      this.selected.clear();
    });
  }

  // The next note in time (or the one before, above, below), for who has no pointer.
  stepTo(direction) {
    const now = [...this.selected].at(-1);
    if (!this.notes.length) return;
    const at = now ? this.notes.indexOf(now) + direction : direction > 0 ? 0 : this.notes.length - 1;
    const next = this.notes[Math.max(0, Math.min(this.notes.length - 1, at))];
    this.select([next]);
    this.reveal(next);
    this.onTouch(next);
  }

  reveal(note) {
    const x = this.x(note.onset);
    const y = this.y(note.pitch);
    if (x < KEYS || x > this.width - 30) this.box.scrollLeft += x - this.width / 3;
    if (y < RULER || y > this.height - this.row) this.box.scrollTop += y - this.height / 2;
  }

  tell(note) {
    const length = note.duration / this.score.ticks_per_quarter;
    const quarters = `${Math.round(length * 100) / 100} ${length === 1 ? "quarter" : "quarters"}`;
    return `${pitchName(note.pitch)}, ${placeOf({ ...this.score, bars: this.bars }, note.onset)}, ${quarters}, ${this.score.tracks[note.track].label}`;
  }

  // -- the pointer --------------------------------------------------------------------------------

  at(x, y) {
    for (let index = this.notes.length - 1; index >= 0; index--) {
      const note = this.notes[index];
      const left = this.x(note.onset);
      const top = this.y(note.pitch);
      const width = Math.max(6, note.duration * this.scale);
      if (x >= left - 2 && x <= left + width + 2 && y >= top && y < top + this.row) return note;
    }
    return undefined;
  }

  press(event) {
    if (event.button || !this.score) return;
    const { offsetX: x, offsetY: y } = event;
    this.box.focus({ preventScroll: true });
    if (y < RULER) {
      this.onSeek(Math.max(0, this.tickAt(x)));
      return;
    }
    if (x < KEYS) return;
    const touch = event.pointerType === "touch";
    let note = this.at(x, y);
    if (!note && this.tool === "draw") note = this.drawNote(x, y);
    // A finger on empty space scrolls.
    if (!note && touch) {
      this.select([]);
      return;
    }
    this.canvas.setPointerCapture(event.pointerId);
    if (!note) {
      this.band = { x, y, toX: x, toY: y };
      this.grip = "band";
      this.kept = event.shiftKey ? [...this.selected] : [];
      return;
    }
    if (event.shiftKey) this.select(this.selected.has(note) ? [...this.selected].filter((each) => each !== note) : [...this.selected, note]);
    else if (!this.selected.has(note)) this.select([note]);
    const right = this.x(note.onset + note.duration);
    this.grip = x > right - Math.min(8, (note.duration * this.scale) / 3) ? "stretch" : "move";
    if (this.drawn) this.grip = "stretch";
    this.from = { x, y, pitch: note.pitch, moved: false, note };
    this.before = new Map([...this.selected].map((each) => [each, { ...each }]));
    this.onTouch(note);
  }

  drawNote(x, y) {
    const onset = Math.floor(this.tickAt(x) / this.step) * this.step;
    const track = [...this.selected].at(-1)?.track ?? this.drawTrack ?? 0;
    const note = { track, onset, duration: this.step, pitch: this.pitchAt(y), velocity: 80 };
    if (note.pitch < 0 || note.pitch > 127 || onset < 0) return undefined;
    this.change(() => this.notes.push(note));
    this.select([note]);
    this.drawn = true;
    return note;
  }

  drag(event) {
    const { offsetX: x, offsetY: y } = event;
    if (!this.grip) {
      const over = this.score && y > RULER && x > KEYS ? this.at(x, y) : undefined;
      this.canvas.style.cursor = over
        ? x > this.x(over.onset + over.duration) - 7 ? "ew-resize" : "move"
        : this.tool === "draw" ? "crosshair" : "default";
      return;
    }
    if (this.grip === "band") {
      Object.assign(this.band, { toX: x, toY: y });
      const [left, top, width, height] = this.bandBox();
      const inside = this.notes.filter((note) => this.x(note.onset) < left + width && this.x(note.onset + note.duration) > left
        && this.y(note.pitch) < top + height && this.y(note.pitch) + this.row > top);
      this.select([...this.kept, ...inside]);
      return;
    }
    if (!this.from.moved && Math.hypot(x - this.from.x, y - this.from.y) < 4) return;
    if (!this.from.moved && !this.drawn) this.past.push(this.notes.map((note) => ({ ...(this.before.get(note) ?? note) })));
    this.from.moved = true;
    this.dragNotes(x, y);
    this.draw();
  }

  dragNotes(x, y) {
    const step = this.step;
    const ticks = Math.round((x - this.from.x) / this.scale / step) * step;
    if (this.grip === "stretch") {
      this.before.forEach((was, note) => { note.duration = Math.max(step, was.duration + ticks); });
      return;
    }
    const semitones = this.pitchAt(y) - this.pitchAt(this.from.y);
    const was = [...this.before.values()];
    const back = Math.max(ticks, -Math.min(...was.map((note) => note.onset)));
    const up = Math.max(Math.min(semitones, 127 - Math.max(...was.map((note) => note.pitch))), -Math.min(...was.map((note) => note.pitch)));
    const heard = this.from.note.pitch;
    this.before.forEach((old, note) => {
      note.onset = old.onset + back;
      note.pitch = old.pitch + up;
    });
    if (this.from.note.pitch !== heard) this.onTouch(this.from.note);
  }

  bandBox() {
    const { x, y, toX, toY } = this.band;
    return [Math.min(x, toX), Math.min(y, toY), Math.abs(x - toX), Math.abs(y - toY)];
  }

  release() {
    const { grip, from } = this;
    if (grip === "band" && Math.hypot(this.band.toX - this.band.x, this.band.toY - this.band.y) < 4) {
      this.select(this.kept);
    }
    this.grip = this.band = undefined;
    this.drawn = false;
    if (grip && grip !== "band" && from.moved) {
      this.future = [];
      this.settle();
    }
    this.draw();
  }

  cancelDrag() {
    if (this.grip && this.grip !== "band" && this.from.moved) {
      this.before.forEach((was, note) => Object.assign(note, was));
      this.past.pop();
    }
    this.grip = this.band = undefined;
    this.drawn = false;
    this.draw();
  }
}
