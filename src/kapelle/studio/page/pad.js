// One player of the band: four corners, the square of clips between them, the puck and its path, and what shapes a clip.
import { ask } from "./api.js";
import { PadPainter } from "./padpaint.js";
import { $, complain, count, make, showIcon } from "./parts.js";

const SIZE = 11;
const STEPS = 15;
const LETTERS = "ABCD";
const MOST_PATH = 64;
const MEASURES = { density: ["fewer", "Notes", "more"], syncopation: ["on beat", "Accents", "off beat"], repetition: ["changing", "Bars", "the same"],
  register: ["low", "Pitch", "high"], interval: ["steps", "Moves", "leaps"], length: ["short", "Length", "long"] };

export class Pad {
  constructor(room, { name, kind }) {
    Object.assign(this, { room, name, kind, mode: "four", tool: "move", muted: false, path: [], corners: [], places: { four: [5, 5], two: [7, 0] } });
    this.box = $("pad-template").content.firstElementChild.cloneNode(true);
    const find = (part) => this.box.querySelector(`.${part}`);
    this.parts = Object.fromEntries(["style", "mute", "field", "square", "morph", "told", "way", "clear", "shape", "measures", "like", "put"].map((part) => [part, find(part)]));
    this.box.setAttribute("aria-label", name);
    find("name").textContent = name;
    this.painter = new PadPainter(this, this.parts.square.querySelector("canvas"), find("strip"));
    this.parts.square.setAttribute("aria-label", `${name}: a square of clips`);
    this.parts.style.setAttribute("aria-label", `${name}: style`);
    this.parts.mute.setAttribute("aria-label", `Mute ${name}`);
    this.cornerBoxes = [...this.box.querySelectorAll(".corner")];
    this.listen();
  }

  listen() {
    const { style, mute, morph, clear, like, square } = this.parts;
    style.addEventListener("change", () => this.take(style.value).catch(complain));
    mute.addEventListener("click", () => {
      this.muted = !this.muted;
      this.room.mutedChanged();
      this.show();
    });
    for (const button of this.box.querySelectorAll("[data-mode]")) {
      button.addEventListener("click", () => this.setMode(button.dataset.mode).catch(complain));
    }
    for (const button of this.box.querySelectorAll("[data-tool]")) {
      button.addEventListener("click", () => this.setTool(button.dataset.tool));
    }
    morph.addEventListener("input", () => this.moveTo([Number(morph.value), 0]));
    clear.addEventListener("click", () => { this.path = []; this.changed(); });
    like.addEventListener("click", () => this.vary().catch(complain));
    square.addEventListener("keydown", (event) => this.key(event));
    const canvas = square.querySelector("canvas");
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.held && this.drag(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => { this.held = false; });
    this.cornerBoxes.forEach((box, at) => {
      box.querySelector(".from").addEventListener("change", (event) => this.choose(at, event.target.value).catch(complain));
      box.querySelector(".bar-from").addEventListener("change", (event) => this.chooseWindow(at, Number(event.target.value)));
      box.querySelector(".anew").addEventListener("click", () => this.draw([at]).catch(complain));
    });
  }

  // -- what it is ---------------------------------------------------------------------------------

  get columns() { return this.mode === "four" ? SIZE : STEPS; }
  get rows() { return this.mode === "four" ? SIZE : 1; }
  get at() { return this.places[this.mode]; }
  get follows() { return this.tool === "path" && this.path.length > 0; }
  // Where the puck is: where it was put, or, on a path, where that sounds.
  get puck() { return this.follows && this.live ? this.live : this.at; }
  get cell() { return this.cells?.[this.puck[1]]?.[this.puck[0]]; }
  get shown() { return this.shaped ?? this.cell; }
  get needed() { return this.mode === "four" ? [0, 1, 2, 3] : [0, 1]; }

  // What is kept of it between visits.
  get kept() {
    const { style, mode, tool, muted, path, corners, places } = this;
    return { style: style?.name, mode, tool, muted, path, corners, places };
  }

  set kept({ mode, tool, muted, path, corners, places }) {
    Object.assign(this, { mode, tool, muted, path, corners, places });
  }

  // Plays in a style from now on; what corners there are stay if `keep`.
  async take(name, keep = false) {
    this.style = this.room.wishes.named(name);
    this.parts.style.value = name;
    this.showMeasures();
    if (!keep) {
      this.corners = [];
      this.path = [];
    }
    await this.fill();
  }

  // Fresh clips where there are none, and what lies between.
  async fill() {
    const empty = [0, 1, 2, 3].filter((at) => !this.corners[at]);
    if (empty.length) await this.draw(empty);
    else await this.refresh();
  }

  async draw(places) {
    const others = this.corners.filter((corner, at) => corner && !places.includes(at));
    const key = others.find((corner) => corner.score.key)?.score.key ?? null;
    const { windows } = await this.ask("draw", { meter: this.room.meter, key, count: places.length });
    places.forEach((at, number) => { this.corners[at] = { from: "fresh", score: windows[number] }; });
    await this.refresh();
  }

  ask(what, json) {
    return ask(`/api/band/${what}`, { method: "POST", json: { style: this.style.name, ...json } });
  }

  async refresh() {
    const turn = this.turn = (this.turn ?? 0) + 1;
    const scores = this.needed.map((at) => this.corners[at].score);
    const cells = this.mode === "four" ? (await this.ask("grid", { corners: scores, size: SIZE })).rows
      : [(await this.ask("morph", { ends: scores, steps: STEPS })).windows];
    if (turn !== this.turn) return;
    this.cells = cells;
    this.painter.ground = undefined;
    this.unshape();
    this.changed();
  }

  // -- corners ------------------------------------------------------------------------------------

  async choose(at, from) {
    try {
      if (from === "fresh") await this.draw([at]);
      else await this.chooseTake(at, from);
    } finally {
      this.showCorners();
    }
  }

  async chooseTake(at, take) {
    const { windows } = await this.ask("windows", { take, meter: this.room.meter });
    this.corners[at] = { from: take, score: windows[0].score, bar: windows[0].bar, windows };
    await this.refresh();
  }

  chooseWindow(at, bar) {
    const corner = this.corners[at];
    const found = corner.windows.find((each) => each.bar === bar);
    this.corners[at] = { ...corner, ...found };
    this.refresh().catch(complain);
  }

  showCorners() {
    const takes = this.room.takes();
    this.cornerBoxes.forEach((box, at) => {
      box.hidden = !this.needed.includes(at);
      const corner = this.corners[at];
      const from = box.querySelector(".from");
      const known = new Set(takes.map((take) => take.id));
      const other = corner && corner.from !== "fresh" && !known.has(corner.from);
      from.replaceChildren(make("option", { value: "fresh" }, "A fresh draw"),
        ...(other ? [make("option", { value: corner.from }, corner.from === "pad" ? "From the square" : "A take")] : []),
        ...(takes.length ? [make("optgroup", { label: "From a take" }, ...takes.map((take) => make("option", { value: take.id }, take.title)))] : []));
      from.value = corner?.from ?? "fresh";
      from.setAttribute("aria-label", `${this.name}, corner ${LETTERS[at]}: where it comes from`);
      const bars = box.querySelector(".bar-from");
      bars.hidden = !(corner?.windows?.length > 1);
      if (!bars.hidden) {
        bars.replaceChildren(...corner.windows.map((each) => make("option", { value: each.bar }, `bar ${each.bar}`)));
        bars.value = corner.bar;
      }
      bars.setAttribute("aria-label", `Corner ${LETTERS[at]}: from which bar`);
      box.querySelector(".anew").setAttribute("aria-label", `${this.name}: draw corner ${LETTERS[at]} anew`);
    });
    this.parts.put.replaceChildren("Make it", ...this.needed.map((at) => {
      const button = make("button", { "aria-label": `Make it corner ${LETTERS[at]}` }, LETTERS[at]);
      button.style.setProperty("--c", `var(--track-${at})`);
      button.addEventListener("click", () => {
        const before = this.corners[at];
        this.corners[at] = { from: "pad", score: this.shown };
        this.refresh().catch((error) => {
          this.corners[at] = before;
          complain(error);
        });
      });
      return button;
    }));
  }

  // -- the puck and its path ----------------------------------------------------------------------

  async setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.path = [];
    this.tool = "move";
    this.cells = undefined;
    this.show();
    await this.refresh();
  }

  setTool(tool) {
    this.tool = tool;
    this.changed();
  }

  moveTo([column, row]) {
    const place = [Math.max(0, Math.min(this.columns - 1, column)), Math.max(0, Math.min(this.rows - 1, row))];
    if (place[0] === this.at[0] && place[1] === this.at[1] && !this.shaped) return;
    this.places[this.mode] = place;
    this.unshape();
    this.changed();
  }

  // A place more on the path, and those on the way to it.
  lead([column, row]) {
    const [x, y] = this.path.at(-1) ?? [column, row];
    const steps = Math.max(Math.abs(column - x), Math.abs(row - y), this.path.length ? 0 : 1);
    for (let step = this.path.length ? 1 : steps; step <= steps && this.path.length < MOST_PATH; step++) {
      this.path.push([Math.round(x + ((column - x) * step) / steps), Math.round(y + ((row - y) * step) / steps)]);
    }
    this.changed();
  }

  cellAt({ offsetX: x, offsetY: y, target }) {
    const within = (value, most) => Math.max(0, Math.min(most - 1, Math.floor(value)));
    return [within((x / target.clientWidth) * this.columns, this.columns), within((y / target.clientHeight) * this.rows, this.rows)];
  }

  press(event) {
    if (event.button || !this.cells) return;
    this.parts.square.focus({ preventScroll: true });
    event.target.setPointerCapture(event.pointerId);
    this.held = true;
    if (this.tool === "path") this.path = [];
    this.drag(event);
    this.room.sound();
  }

  drag(event) {
    const place = this.cellAt(event);
    if (this.tool === "path") {
      const last = this.path.at(-1);
      if (!last || last[0] !== place[0] || last[1] !== place[1]) this.lead(place);
    } else this.moveTo(place);
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey || !this.cells) return;
    const act = moves[event.key] ? () => this.step(moves[event.key]) : {
      Enter: () => { this.tool = "path"; this.lead([...this.at]); },
      Backspace: () => { this.path.pop(); this.changed(); },
      Escape: () => { this.path = []; this.tool = "move"; this.changed(); },
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  step([across, down]) {
    const [column, row] = this.at;
    this.moveTo([column + across, row + down]);
  }

  // -- what sounds --------------------------------------------------------------------------------

  // The clips that are played one after the other.
  get line() {
    return this.follows ? this.path.map(([column, row]) => this.cells[row][column]) : [this.shown];
  }

  // What sounds in a bar, counted from the beginning of playing.
  sounding(count) {
    if (!this.cells) return undefined;
    const { bars } = this.style.window;
    const { line } = this;
    const at = Math.floor(count / bars) % line.length;
    const place = this.follows ? this.path[at] : [...this.at];
    return { score: line[at], bar: count % bars, place };
  }

  // -- shaping ------------------------------------------------------------------------------------

  showMeasures() {
    this.parts.measures.replaceChildren(...this.style.window.measures.map((name) => {
      const [less, word, more] = MEASURES[name] ?? ["less", name, "more"];
      const slider = make("input", { type: "range", min: -2, max: 2, step: 0.5, value: 0, "data-measure": name, "aria-label": `${word}: ${less} to ${more}` });
      slider.addEventListener("input", () => {
        clearTimeout(this.steering);
        this.steering = setTimeout(() => this.steer().catch(complain), 120);
      });
      return make("label", {}, make("small", {}, less), make("b", {}, word), make("small", {}, more), slider);
    }));
  }

  unshape() {
    clearTimeout(this.steering);
    this.shaping = (this.shaping ?? 0) + 1;
    this.shaped = this.base = undefined;
    for (const slider of this.parts.measures.querySelectorAll("input")) slider.value = 0;
  }

  async steer() {
    const turn = this.shaping = (this.shaping ?? 0) + 1;
    this.base ??= this.shown;
    const wanted = Object.fromEntries([...this.parts.measures.querySelectorAll("input")].map((each) => [each.dataset.measure, Number(each.value)]).filter(([, value]) => value));
    const steered = Object.keys(wanted).length ? (await this.ask("steer", { window: this.base, wanted })).steered : { score: this.base };
    if (turn !== this.shaping) return;
    this.shaped = steered.score;
    this.room.sound();
    this.changed();
  }

  async vary() {
    const { windows: [score] } = await this.ask("vary", { window: this.shown });
    this.unshape();
    this.shaped = score;
    this.room.sound();
    this.changed();
  }

  // -- what is shown ------------------------------------------------------------------------------

  changed() {
    this.room.keepSoon();
    this.show();
  }

  show() {
    const { parts } = this;
    for (const name of ["mode", "tool"]) {
      for (const button of this.box.querySelectorAll(`[data-${name}]`)) button.setAttribute("aria-pressed", String(button.dataset[name] === this[name]));
    }
    parts.field.dataset.shape = this.mode;
    parts.morph.hidden = this.mode === "four";
    Object.assign(parts.morph, { max: this.columns - 1, value: this.at[0] });
    parts.morph.setAttribute("aria-label", `${this.name}: from A to B`);
    parts.morph.setAttribute("aria-valuetext", `${Math.round((100 * this.at[0]) / (this.columns - 1))} % of the way from A to B`);
    parts.mute.setAttribute("aria-pressed", String(this.muted));
    showIcon(parts.mute, this.muted ? "mute" : "sound");
    parts.clear.hidden = !this.path.length;
    const bars = this.path.length * (this.style?.window.bars ?? 1);
    parts.way.textContent = this.path.length ? `${count(this.path.length, "clip")}, ${count(bars, "bar")}` : this.tool === "path" ? "Pull over the square." : "";
    // On a path every clip is as the square has it.
    parts.shape.inert = this.follows;
    parts.told.textContent = this.tell();
    this.showCorners();
    this.painter.paint();
  }

  tell() {
    if (!this.cells) return "";
    const [column, row] = this.at;
    const cell = this.shaped ?? this.cells[row][column];
    const place = this.rows > 1 ? `column ${column + 1}, row ${row + 1}` : `step ${column + 1} of ${this.columns}`;
    return `${place}: ${count(cell.tracks.reduce((sum, track) => sum + track.notes.length, 0), "note")}${this.shaped ? ", shaped" : ""}`;
  }

  // While it plays: where it is in the bar that sounds.
  follow(sounding, share) {
    this.live = sounding?.place;
    if (!sounding) {
      this.painter.paint();
      return;
    }
    const shown = sounding.score === this.shown;
    const bars = this.style.window.bars;
    this.painter.paint(sounding.place, shown ? (sounding.bar + share) / bars : undefined);
  }
}
