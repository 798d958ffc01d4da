// What a mouse, a pen or a finger does on the piano roll.
import { KEYS, RULER } from "./paint.js";

const NEAR = 4;

export class Pointer {
  constructor(roll) {
    this.roll = roll;
    const { canvas } = roll;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", () => this.release());
    canvas.addEventListener("pointercancel", () => this.cancel());
  }

  press(event) {
    const { roll } = this;
    if (event.button || !roll.score) return;
    const { offsetX: x, offsetY: y } = event;
    roll.box.focus({ preventScroll: true });
    if (y < RULER) {
      this.pressRuler(event, x);
      return;
    }
    if (x < KEYS) return;
    const touch = event.pointerType === "touch";
    let note = this.at(x, y);
    if (!note && roll.tool === "draw") note = this.drawNote(x, y);
    // A finger on empty space scrolls.
    if (!note && touch) {
      roll.select([]);
      return;
    }
    roll.canvas.setPointerCapture(event.pointerId);
    if (!note) {
      roll.band = { x, y, toX: x, toY: y };
      this.grip = "band";
      this.kept = event.shiftKey ? [...roll.selected] : [];
      return;
    }
    if (event.shiftKey) roll.select(roll.selected.has(note) ? [...roll.selected].filter((each) => each !== note) : [...roll.selected, note]);
    else if (!roll.selected.has(note)) roll.select([note]);
    const right = roll.x(note.onset + note.duration);
    this.grip = x > right - Math.min(8, (note.duration * roll.scale) / 3) ? "stretch" : "move";
    if (this.drawn) this.grip = "stretch";
    this.from = { x, y, pitch: note.pitch, moved: false, note };
    this.before = new Map([...roll.selected].map((each) => [each, { ...each }]));
    roll.onTouch(note);
  }

  // A click goes there; a pull chooses bars, and so does a click with Shift.
  pressRuler(event, x) {
    const { roll } = this;
    if (x < KEYS) return;
    roll.canvas.setPointerCapture(event.pointerId);
    this.grip = "bars";
    const bar = roll.barAt(x);
    this.from = { x, bar: event.shiftKey && roll.chosenBars ? roll.chosenBars[0] : bar, moved: event.shiftKey };
    if (event.shiftKey) roll.chooseBars(this.from.bar, bar);
  }

  at(x, y) {
    const { roll } = this;
    for (let index = roll.notes.length - 1; index >= 0; index--) {
      const note = roll.notes[index];
      const left = roll.x(note.onset);
      const top = roll.y(note.pitch);
      const width = Math.max(6, note.duration * roll.scale);
      if (x >= left - 2 && x <= left + width + 2 && y >= top && y < top + roll.row && !roll.isLocked(note)) return note;
    }
    return undefined;
  }

  drawNote(x, y) {
    const { roll } = this;
    const onset = Math.floor(roll.tickAt(x) / roll.step) * roll.step;
    const track = [...roll.selected].at(-1)?.track ?? [...roll.chosenTracks][0] ?? 0;
    const note = { track, onset, duration: roll.step, pitch: roll.pitchAt(y), velocity: 80 };
    if (note.pitch < 0 || note.pitch > 127 || onset < 0 || roll.isLocked(note)) return undefined;
    roll.change(() => roll.notes.push(note));
    roll.select([note]);
    this.drawn = true;
    return note;
  }

  drag(event) {
    const { roll } = this;
    const { offsetX: x, offsetY: y } = event;
    if (!this.grip) {
      this.hover(x, y);
      return;
    }
    if (this.grip === "bars") {
      if (!this.from.moved && Math.abs(x - this.from.x) < 6) return;
      this.from.moved = true;
      roll.chooseBars(this.from.bar, roll.barAt(x));
      return;
    }
    if (this.grip === "band") {
      Object.assign(roll.band, { toX: x, toY: y });
      const [left, top, width, height] = roll.bandBox();
      const inside = roll.notes.filter((note) => roll.x(note.onset) < left + width && roll.x(note.onset + note.duration) > left
        && roll.y(note.pitch) < top + height && roll.y(note.pitch) + roll.row > top && !roll.isLocked(note));
      roll.select([...this.kept, ...inside]);
      return;
    }
    if (!this.from.moved && Math.hypot(x - this.from.x, y - this.from.y) < NEAR) return;
    if (!this.from.moved && !this.drawn) roll.remember(roll.notes.map((note) => ({ ...(this.before.get(note) ?? note) })));
    this.from.moved = true;
    this.dragNotes(x, y);
    roll.draw();
  }

  hover(x, y) {
    const { roll } = this;
    const over = roll.score && y > RULER && x > KEYS ? this.at(x, y) : undefined;
    const empty = y < RULER ? "col-resize" : roll.tool === "draw" ? "crosshair" : "default";
    roll.canvas.style.cursor = over ? (x > roll.x(over.onset + over.duration) - 7 ? "ew-resize" : "move") : empty;
  }

  dragNotes(x, y) {
    const { roll } = this;
    const { step } = roll;
    const ticks = Math.round((x - this.from.x) / roll.scale / step) * step;
    if (this.grip === "stretch") {
      this.before.forEach((was, note) => { note.duration = Math.max(step, was.duration + ticks); });
      return;
    }
    const semitones = roll.pitchAt(y) - roll.pitchAt(this.from.y);
    const was = [...this.before.values()];
    const back = Math.max(ticks, -Math.min(...was.map((note) => note.onset)));
    const up = Math.max(Math.min(semitones, 127 - Math.max(...was.map((note) => note.pitch))), -Math.min(...was.map((note) => note.pitch)));
    const heard = this.from.note.pitch;
    this.before.forEach((old, note) => {
      note.onset = old.onset + back;
      note.pitch = old.pitch + up;
    });
    if (this.from.note.pitch !== heard) roll.onTouch(this.from.note);
  }

  release() {
    const { grip, from, roll } = this;
    if (grip === "bars" && !from.moved) roll.onSeek(Math.max(0, roll.tickAt(from.x)));
    if (grip === "band" && Math.hypot(roll.band.toX - roll.band.x, roll.band.toY - roll.band.y) < NEAR) {
      roll.select(this.kept);
      if (!this.kept.length) roll.chooseBars();
    }
    const changed = ["move", "stretch"].includes(grip) && from.moved;
    this.let();
    if (changed) roll.settle();
    roll.draw();
  }

  cancel() {
    if (["move", "stretch"].includes(this.grip) && this.from.moved) {
      this.before.forEach((was, note) => Object.assign(note, was));
      this.roll.past.pop();
    }
    this.let();
    this.roll.draw();
  }

  let() {
    this.grip = this.roll.band = undefined;
    this.drawn = false;
  }
}
