// The piano roll: its notes, what is shown of them, and how they are changed.
import { KEYS, Painter, RULER } from "./paint.js";
import { Pointer } from "./pointer.js";
import { barsUntil, endOf, notesOf, pitchName, placeOf, withNotes } from "./score.js";

const MOST_UNDO = 200;

export class Roll {
  constructor(box, { onEdit, onSeek, onSelect, onTouch, onChoose }) {
    this.box = box;
    this.space = box.querySelector("#roll-space");
    this.canvas = box.querySelector("canvas");
    Object.assign(this, { onEdit, onSeek, onSelect, onTouch, onChoose });
    this.notes = [];
    this.selected = new Set();
    this.past = [];
    this.future = [];
    this.saved = 0;
    this.tool = "select";
    this.grid = 0.25;
    this.playhead = 0;
    this.muted = new Set();
    this.chosenTracks = new Set();
    this.lockedTracks = new Set();
    this.lockedBars = new Set();
    this.painter = new Painter(this);
    this.pointer = new Pointer(this);
    box.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.resize()).observe(box);
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.offsetX);
    }, { passive: false });
  }

  // -- what is shown ------------------------------------------------------------------------------

  load(score) {
    this.score = score;
    this.notes = notesOf(score);
    this.selected.clear();
    this.past = [];
    this.future = [];
    this.saved = 0;
    this.chosenTracks.clear();
    this.chosenBars = undefined;
    this.low = this.high = undefined;
    this.measure();
    this.fit();
    this.box.scrollLeft = 0;
    this.onSelect(this.selected);
  }

  // The same piece with something else in it: what was there can be gone back to.
  adopt(score) {
    if (!this.score || score.ticks_per_quarter !== this.score.ticks_per_quarter || score.tracks.length !== this.score.tracks.length) {
      const { chosenBars } = this;
      this.load(score);
      this.chosenBars = chosenBars;
      return;
    }
    this.remember(this.copy());
    this.score = score;
    this.notes = notesOf(score);
    this.saved = this.past.length;
    this.selected.clear();
    this.measure();
    this.resize();
    this.onSelect(this.selected);
  }

  // A piece that is being made, of which more comes; `bars` is how long it will be.
  grow(score, bars) {
    this.score = score;
    this.notes = notesOf(score);
    this.selected.clear();
    this.past = [];
    this.future = [];
    this.saved = 0;
    this.chosenBars = undefined;
    this.low = this.high = undefined;
    this.measure();
    const bar = this.bars.at(-1) / Math.max(1, this.bars.length - 1);
    this.fit(bars ? Math.max(bar * bars, this.bars.at(-1)) : this.bars.at(-1));
    const right = this.x(this.end);
    if (!this.sounding && right > this.width - 30) this.box.scrollLeft += right - this.width + 60;
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

  fit(end = this.bars.at(-1)) {
    this.low = this.high = undefined;
    this.measure();
    const rows = this.high - this.low + 1;
    const unit = this.score.ticks_per_quarter;
    this.row = Math.max(5, Math.min(20, (this.box.clientHeight - RULER) / rows));
    const whole = (this.box.clientWidth - KEYS - 12) / end;
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
    this.painter.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }

  readColours() {
    this.painter.readColours();
    if (this.score) this.draw();
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
      this.painter.paint();
    });
  }

  // Where the music is; the roll turns the page when it leaves.
  setPlayhead(tick, sounding, follow) {
    this.playhead = tick;
    this.sounding = sounding;
    const x = this.x(tick);
    if (follow && !this.pointer.grip && (x > this.width - 40 || x < KEYS)) this.box.scrollLeft = tick * this.scale - 40;
    this.draw();
  }

  // -- bars, counted from 1, a pickup being bar 0 -------------------------------------------------

  get firstBar() { return this.score.pickup ? 0 : 1; }
  get lastBar() { return this.score.bars.length - 2 + this.firstBar; }

  barOf(tick) {
    const index = this.bars.findLastIndex((start) => start <= tick);
    return Math.max(this.firstBar, Math.min(this.lastBar, index + this.firstBar));
  }

  barAt(x) { return this.barOf(this.tickAt(x)); }

  // Left and right edges of bars on the screen.
  spanOf(first, last) {
    return [this.x(this.bars[first - this.firstBar] ?? 0), this.x(this.bars[last - this.firstBar + 1] ?? this.bars.at(-1))];
  }

  chooseBars(one, other = one) {
    this.chosenBars = one === undefined ? undefined : [Math.min(one, other), Math.max(one, other)];
    this.onChoose();
    this.draw();
  }

  isLocked(note) {
    return this.lockedTracks.has(note.track) || (this.lockedBars.size > 0 && this.lockedBars.has(this.barOf(note.onset)));
  }

  // -- editing ------------------------------------------------------------------------------------

  get dirty() { return this.past.length !== this.saved; }

  edited(notes) { return withNotes(this.score, notes); }
  copy() { return this.notes.map((note) => ({ ...note })); }

  // Keeps how it was, so that it can be gone back to.
  remember(notes) {
    if (this.saved > this.past.length) this.saved = -1;
    this.past.push(notes);
    if (this.past.length > MOST_UNDO) {
      this.past.shift();
      this.saved -= 1;
    }
    this.future = [];
  }

  change(make) {
    this.remember(this.copy());
    make();
    this.settle();
  }

  settle() {
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
    to.push(this.copy());
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

  selectAll() { this.select(this.notes.filter((note) => !this.isLocked(note))); }

  move(ticks, semitones) {
    const notes = [...this.selected].filter((note) => !this.isLocked(note));
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
    const notes = [...this.selected].filter((note) => !this.isLocked(note));
    if (notes.length) this.change(() => notes.forEach((note) => { note.velocity = velocity; }));
  }

  remove() {
    const gone = new Set([...this.selected].filter((note) => !this.isLocked(note)));
    if (!gone.size) return;
    this.change(() => {
      this.notes = this.notes.filter((note) => !gone.has(note));
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
    const locked = this.isLocked(note) ? ", locked" : "";
    return `${pitchName(note.pitch)}, ${placeOf({ ...this.score, bars: this.bars }, note.onset)}, ${quarters}, ${this.score.tracks[note.track].label}${locked}`;
  }

  bandBox() {
    const { x, y, toX, toY } = this.band;
    return [Math.min(x, toX), Math.min(y, toY), Math.abs(x - toX), Math.abs(y - toY)];
  }
}
