// Plays clips of several players at the same time, a bar at a time: what is chosen is heard from the next bar on.
import { notesOf } from "./score.js";

const LEAD = 0.26;
const LOOK_MS = 30;
const FOREVER = 3600;

// Ticks in a bar as they are swung: the first of two eighths has `share` of the quarter.
export function swung(tick, unit, share) {
  const rest = tick % unit;
  const first = Math.min(rest, unit / 2);
  return tick - rest + 2 * (share * first + (1 - share) * (rest - first));
}

export class Looper {
  // `parts` give what sounds in a bar: part.sounding(bar) is { score, bar }, the bar being one of that score.
  constructor(player, parts) {
    Object.assign(this, { player, parts, on: false, tempo: 110, swing: 0.5, count: 0 });
    this.bars = [];
  }

  async begin() {
    const { player } = this;
    this.on = true;
    this.bars = [];
    this.count = 0;
    await player.ready();
    if (!this.on) return;
    const score = this.next();
    player.looping = false;
    player.onStop = () => {};
    player.load(score, notesOf(score));
    this.showMuted();
    player.length = FOREVER;
    player.fade(1);
    await player.play(0);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop() {
    this.on = false;
    clearInterval(this.timer);
    this.player.pause();
  }

  get end() {
    const last = this.bars.at(-1);
    return last ? last.start + last.seconds : 0;
  }

  // The bar that sounds now, and how much of it is over.
  get now() {
    if (!this.on || !this.player.playing) return undefined;
    const now = this.player.now();
    const bar = this.bars.findLast((each) => each.start <= now);
    return bar && { ...bar, share: Math.min(1, (now - bar.start) / bar.seconds) };
  }

  look() {
    if (!this.player.playing) return;
    while (this.end - this.player.now() < LEAD) {
      const start = this.end;
      this.player.extend(this.next(), start);
      this.showMuted();
    }
  }

  // The next bar as a score of its own; all times in it are ticks of the first part.
  next() {
    const start = this.end;
    const sounding = this.parts.map((part) => part.sounding(this.count)).map((each, at) => each && { ...each, at });
    const [{ score: first, bar }] = sounding.filter(Boolean);
    const unit = first.ticks_per_quarter;
    const length = first.bars[bar + 1] - first.bars[bar];
    const halved = first.meters[0][2] <= 4;
    const tracks = sounding.filter(Boolean).flatMap((each) => this.tracksOf(each, unit, halved));
    const seconds = (60 * length) / (unit * this.tempo);
    this.bars.push({ start, seconds, sounding });
    this.bars = this.bars.slice(-8);
    this.count += 1;
    return { ticks_per_quarter: unit, tempos: [[0, this.tempo]], meters: first.meters, bars: [0, length], seconds, tracks };
  }

  tracksOf({ score, bar, at }, unit, halved) {
    const scale = unit / score.ticks_per_quarter;
    const [start, stop] = [score.bars[bar], score.bars[bar + 1]];
    const place = (tick) => (halved ? swung((tick - start) * scale, unit, this.swing) : (tick - start) * scale);
    return score.tracks.map((track, index) => ({
      ...track,
      name: `${at}.${index}.${track.program}`,
      notes: track.notes.filter(([onset]) => onset >= start && onset < stop)
        .map(([onset, duration, ...rest]) => [place(onset), Math.max(1, place(onset + duration) - place(onset)), ...rest]),
    }));
  }

  // Who is silent is so at once.
  showMuted() {
    const silent = this.player.score.tracks.map((track, index) => [index, Number(track.name.split(".")[0])]);
    this.player.muted = new Set(silent.filter(([, part]) => this.parts[part].muted).map(([index]) => index));
  }
}
