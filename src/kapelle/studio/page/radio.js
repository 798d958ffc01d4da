// Radio: music without an end, a few bars at a time, each going on from the last.
import { ask } from "./api.js";
import { called } from "./mix.js";
import { $, complain, count, make, memory, showIcon, toast } from "./parts.js";
import { Time, clock, notesOf } from "./score.js";

const BARS = 8;
const AHEAD = 14;
const KEPT = 20 * 60;
const SHOWN = 14;
const FADE = 0.9;
// So many stretches go on from one another; then something else begins by itself.
const CHAIN = 12;

export class View {
  constructor({ player, wishes }) {
    Object.assign(this, { player, wishes });
    this.parts = [];
    this.canvas = $("radio-canvas");
    this.pen = this.canvas.getContext("2d");
    $("radio-play").addEventListener("click", () => this.toggle().catch(complain));
    $("radio-skip").addEventListener("click", () => this.skip().catch(complain));
    $("radio-like").addEventListener("click", () => this.like().catch(complain));
    $("radio-keep").addEventListener("click", () => this.keep().catch(complain));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    addEventListener("keydown", (event) => {
      if (!this.here || event.key !== " " || event.target.matches("button, input, select, a")) return;
      event.preventDefault();
      this.toggle().catch(complain);
    });
  }

  enter() {
    this.here = true;
    const before = memory.get("radio") ?? this.wishes.style;
    $("radio-styles").replaceChildren(...this.wishes.styles.map((style) => make("label", { class: "choice" },
      make("input", { type: "radio", name: "radio-style", value: style.name, checked: style.name === before,
        onchange: () => { memory.set("radio", style.name); if (this.on) this.skip().catch(complain); } }),
      make("span", {}, make("b", {}, style.title)))));
    this.show();
  }

  leave() {
    this.here = false;
    this.stop();
  }

  get style() { return document.querySelector("#radio-styles input:checked")?.value; }
  get last() { return this.parts.at(-1); }
  get end() { return this.last ? this.last.start + this.last.score.seconds : 0; }

  async next(before) {
    // A piece keeps to one manner; the next one may have another.
    const { manners = [] } = this.wishes.named(this.style) ?? {};
    if (!before) this.manner = manners[Math.floor(Math.random() * manners.length)];
    const mix = this.manner ? { [this.manner]: 1 } : null;
    return ask("/api/radio/next", { method: "POST", json: { style: this.style, before, bars: BARS, mix } });
  }

  // -- on and off ---------------------------------------------------------------------------------

  async toggle() {
    if (this.on) this.stop();
    else await this.begin();
  }

  async begin() {
    const turn = this.turn = (this.turn ?? 0) + 1;
    this.on = true;
    this.show("Tuning in…");
    await this.player.ready();
    const score = await this.next();
    if (turn !== this.turn || !this.on) return;
    this.parts = [{ score, start: 0, manner: this.manner }];
    this.count = 1;
    this.name = this.style;
    this.player.muted = new Set();
    this.player.looping = false;
    this.player.load(score, notesOf(score));
    this.player.length = score.seconds + 3600;
    this.player.onStop = () => {};
    this.player.fade(1);
    await this.player.play(0);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.look(), 500);
    this.show();
    this.frame();
  }

  stop() {
    if (!this.on) return;
    this.on = false;
    this.turn += 1;
    clearInterval(this.timer);
    this.player.pause();
    this.show();
  }

  async skip() {
    if (!this.on) return;
    this.turn += 1;
    clearInterval(this.timer);
    this.player.fade(0, FADE);
    this.show("Something else…");
    await new Promise((done) => { setTimeout(done, FADE * 1000); });
    this.player.pause();
    if (this.on) await this.begin();
  }

  // Sees to it that there is always more to come.
  async look() {
    const { player, turn } = this;
    this.show();
    if (this.fetching || this.end - player.now() > AHEAD) return;
    this.fetching = true;
    try {
      this.count += 1;
      const score = await this.next(this.count % CHAIN ? this.last.score : undefined);
      if (turn !== this.turn) return;
      const start = this.end;
      this.parts.push({ score, start, manner: this.manner });
      this.parts = this.parts.filter((part) => part.start + part.score.seconds > player.now() - KEPT);
      player.extend(score, start);
    } catch (error) {
      complain(error);
      this.stop();
    } finally {
      this.fetching = false;
    }
  }

  // -- keeping ------------------------------------------------------------------------------------

  heard(seconds) {
    const now = this.player.now();
    return this.parts.filter((part) => part.start <= now && part.start + part.score.seconds > now - seconds);
  }

  async take(parts, title, starred) {
    if (!parts.length) return;
    await ask("/api/radio/takes", { method: "POST", json: { style: this.name, parts: parts.map((part) => part.score), title, starred } });
    toast(`Kept among your takes: ${title}.`);
  }

  get title() { return this.wishes.named(this.name)?.title ?? "Radio"; }

  async like() {
    await this.take(this.heard(1).slice(-1), `${this.title}, liked`, true);
  }

  async keep() {
    const minutes = Number($("radio-minutes").value);
    await this.take(this.heard(60 * minutes), `${this.title}, the last ${count(minutes, "minute")}`, false);
  }

  // -- what is shown ------------------------------------------------------------------------------

  show(told) {
    const { on } = this;
    showIcon($("radio-play"), on ? "stop" : "play");
    $("radio-play").setAttribute("aria-label", on ? "Stop" : "Play");
    const playing = on && this.parts.length > 0 && !told;
    for (const name of ["radio-skip", "radio-like", "radio-keep"]) $(name).disabled = !playing;
    const part = this.heard(0.01).at(-1) ?? this.last;
    const now = playing && part ? [this.title, part.manner && called(part.manner), part.score.key, `on air for ${clock(this.player.now())}`].filter(Boolean).join(" · ") : "";
    $("radio-now").textContent = told ?? (now || "Endless music, made as you listen. It moves slowly: each eight bars go on from the last.");
  }

  frame() {
    if (!this.on || !this.here) return;
    this.draw();
    requestAnimationFrame(() => this.frame());
  }

  draw() {
    const { canvas, pen, player } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
      canvas.width = width * ratio;
      canvas.height = height * ratio;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!this.on || !this.parts.length) return;
    const style = getComputedStyle(canvas);
    const now = player.now();
    const each = width / SHOWN;
    const shown = this.parts.filter((part) => part.start < now + SHOWN && part.start + part.score.seconds > now - SHOWN);
    const pitches = shown.flatMap((part) => part.score.tracks.flatMap((track) => track.notes.map((note) => note[2])));
    const low = Math.min(...pitches) - 2;
    const row = height / (Math.max(...pitches) + 3 - low);
    for (const part of shown) {
      part.time ??= new Time(part.score);
      part.notes ??= notesOf(part.score).map((note) => ({ ...note, from: part.time.seconds(note.onset), to: part.time.seconds(note.onset + note.duration) }));
      for (const note of part.notes) {
        const x = (part.start + note.from - now) * each + width * 0.3;
        const long = (note.to - note.from) * each - 1.5;
        if (x + long < 0 || x > width) continue;
        const sounding = part.start + note.from <= now && now < part.start + note.to;
        pen.globalAlpha = sounding ? 1 : x < width * 0.3 ? 0.28 : 0.55;
        pen.fillStyle = this.shade(style, part.score.tracks[note.track].is_drum ? "drums" : `track-${note.track % 8}`);
        pen.beginPath();
        pen.roundRect(x, height - (note.pitch - low + 1) * row, Math.max(3, long), Math.max(3, row - 1), 3);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
  }

  shade(style, name) {
    this.shades ??= new Map();
    const scheme = style.colorScheme + document.documentElement.dataset.theme;
    const key = `${scheme}-${name}`;
    if (!this.shades.has(key)) {
      const probe = make("i", { style: `color: var(--${name})` });
      document.body.append(probe);
      this.shades.set(key, getComputedStyle(probe).color);
      probe.remove();
    }
    return this.shades.get(key);
  }
}
