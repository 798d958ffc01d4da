// What can be made of the open take: some of it anew, more of it, voices to it, another one.
import { $, complain, icon } from "./parts.js";

const OF_STYLE = ["composed", "continued", "changed", "varied"];
const listed = new Intl.ListFormat("en", { type: "conjunction" });

// Bars in a row told in one: 3, 5–8.
export function toldBars(bars) {
  const runs = [];
  for (const bar of bars) {
    if (runs.length && runs.at(-1)[1] === bar - 1) runs.at(-1)[1] = bar;
    else runs.push([bar, bar]);
  }
  const told = runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
  return `${bars.length === 1 ? "bar" : "bars"} ${told}`;
}

export class Again {
  constructor({ piece, wishes, start }) {
    Object.assign(this, { piece, wishes, start });
    $("regenerate").addEventListener("click", () => this.regenerate().catch(complain));
    $("lock-bars").addEventListener("click", () => this.lockBars());
    $("more").addEventListener("click", () => this.more().catch(complain));
    $("vary").addEventListener("click", () => this.vary().catch(complain));
    $("another").addEventListener("click", () => this.another());
    $("harmonise").addEventListener("click", () => this.harmonise().catch(complain));
    $("continue").addEventListener("click", () => this.goOn().catch(complain));
    for (const name of ["from-bar", "to-bar"]) {
      $(name).addEventListener("change", () => this.typed());
      // What is typed takes the place of what stands there.
      $(name).addEventListener("focus", () => $(name).select());
    }
  }

  // The style that made the open take, if it is there; else the one that is chosen.
  get style() {
    const { take } = this.piece;
    return this.wishes.named(take && OF_STYLE.includes(take.origin) ? take.style : "") ?? this.wishes.chosen;
  }

  // What would be written anew, and if nothing can be, why not.
  get scope() {
    const { roll, take } = this.piece;
    const { style } = this;
    if (!take || !style) return { why: "" };
    const tracks = take.score.tracks.map((_, index) => index);
    const bars = Array.from({ length: roll.lastBar - roll.firstBar + 1 }, (_, index) => index + roll.firstBar);
    const [first, last] = roll.chosenBars ?? [bars[0], bars.at(-1)];
    const any = style.can.includes("bars") && tracks.length <= 4 && !take.score.tracks.some((track) => track.is_drum);
    if (!roll.chosenBars && !(any && (roll.chosenTracks.size || roll.lockedTracks.size || roll.lockedBars.size))) {
      return { why: any ? "Pull over the ruler to choose bars, or choose a voice above." : `Pull over the ruler to choose bars: ${style.title} goes on anew from there.` };
    }
    if (!any) return this.scopeToEnd(first, bars.at(-1), tracks);
    const wanted = tracks.filter((index) => (!roll.chosenTracks.size || roll.chosenTracks.has(index)) && !roll.lockedTracks.has(index));
    const open = bars.filter((bar) => bar >= first && bar <= last && !roll.lockedBars.has(bar));
    if (!wanted.length || !open.length) return { why: "All of that is locked." };
    const names = wanted.length === tracks.length ? "all voices" : listed.format(wanted.map((index) => take.score.tracks[index].label));
    return { tracks: wanted, bars: open, told: `${names} in ${toldBars(open)}; all else stays.` };
  }

  scopeToEnd(first, last, tracks) {
    const { roll } = this.piece;
    const { style } = this;
    if (first <= Math.max(1, roll.firstBar)) return { why: `Leave a bar at the beginning: ${style.title} goes on from what stands before.` };
    if (roll.lockedTracks.size) return { why: `${style.title} writes all tracks anew; unlock them.` };
    if ([...roll.lockedBars].some((bar) => bar >= first)) return { why: `${style.title} writes anew up to the end; unlock the bars from ${first} on.` };
    const bars = Array.from({ length: last - first + 1 }, (_, index) => index + first);
    return { tracks, bars, told: `From bar ${first} to the end: ${style.title} goes on anew from what stands before.` };
  }

  show() {
    const { roll, take } = this.piece;
    if (!take) {
      for (const name of ["regenerate", "more", "vary", "another", "harmonise", "continue", "lock-bars"]) $(name).disabled = true;
      return;
    }
    const { told, why } = this.scope;
    $("regenerate").disabled = !told;
    $("again-told").textContent = told ?? why;
    const [first, last] = roll.chosenBars ?? ["", ""];
    Object.assign($("from-bar"), { value: first, min: roll.firstBar, max: roll.lastBar });
    Object.assign($("to-bar"), { value: last, min: roll.firstBar, max: roll.lastBar });
    const locked = this.lockedInside();
    $("lock-bars").disabled = !roll.chosenBars;
    $("lock-bars").replaceChildren(icon(locked ? "open-lock" : "lock"), locked ? "Unlock bars" : "Lock bars");
    $("another").hidden = !["composed", "continued"].includes(take.origin);
    $("another").disabled = false;
    $("more").disabled = take.summary.bars < 2;
    $("more").title = `The same opening, and then something else, in ${this.style?.title}`;
    $("vary").hidden = !this.style?.can.includes("vary") || this.style.window.parts.length !== take.score.tracks.length;
    $("vary").disabled = false;
    $("vary").title = `Another that is like it: all of it, or the bars that are chosen, by ${this.style?.title}`;
    const voices = take.score.tracks.filter((track) => !track.is_drum && track.notes.length).length;
    $("harmonise").hidden = !this.choir || voices < 1 || voices > 3;
    $("harmonise").disabled = false;
    $("harmonise").title = `The voices that are missing, by ${this.choir?.title}`;
    $("continue").disabled = !this.wishes.chosen;
    $("continue-style").textContent = `in ${this.wishes.chosen?.title}`;
  }

  // Which style writes voices to a melody: the chosen one, if it can, or else the first that can.
  get choir() {
    const can = (style) => style?.can.includes("harmonize");
    return can(this.wishes.chosen) ? this.wishes.chosen : this.wishes.styles?.find(can);
  }

  typed() {
    const { roll } = this.piece;
    const within = (value) => Math.max(roll.firstBar, Math.min(roll.lastBar, Math.round(Number(value))));
    const [from, to] = [$("from-bar").value, $("to-bar").value];
    if (from === "" && to === "") roll.chooseBars();
    else roll.chooseBars(within(from === "" ? to : from), within(to === "" ? from : to));
  }

  lockedInside() {
    const { chosenBars, lockedBars } = this.piece.roll;
    if (!chosenBars) return false;
    for (let bar = chosenBars[0]; bar <= chosenBars[1]; bar++) if (!lockedBars.has(bar)) return false;
    return true;
  }

  lockBars() {
    const { piece } = this;
    const [first, last] = piece.roll.chosenBars;
    const locked = this.lockedInside();
    for (let bar = first; bar <= last; bar++) piece.roll.lockedBars[locked ? "delete" : "add"](bar);
    piece.keepLocks();
    piece.roll.chooseBars();
  }

  // What was changed by hand is saved first: it is what something is made of.
  async saved() {
    return this.piece.roll.dirty ? (await this.piece.save()).id : this.piece.take.id;
  }

  async regenerate() {
    const { scope, style } = this;
    if (!scope.told) return;
    const { tracks, bars } = scope;
    const take = await this.saved();
    const whole = tracks.length === this.piece.take.score.tracks.length;
    await this.start({ kind: "regenerate", style: style.name, take, tracks: whole ? null : tracks, bars, temperature: this.wishes.temperatureOf(style) }, { after: true, bar: bars[0] });
  }

  async more() {
    const { roll, take } = this.piece;
    // So much of the opening stays that it is known again: a quarter, but no more than four bars.
    const first = Math.max(roll.firstBar, 1) + Math.max(1, Math.min(4, Math.round(take.summary.bars / 4)));
    const bars = Array.from({ length: roll.lastBar - first + 1 }, (_, index) => index + first);
    await this.start({ kind: "regenerate", style: this.style.name, take: await this.saved(), bars, temperature: this.wishes.temperatureOf(this.style) }, {});
  }

  async vary() {
    const { roll } = this.piece;
    const [first, last] = roll.chosenBars ?? [roll.firstBar, roll.lastBar];
    const bars = Array.from({ length: last - first + 1 }, (_, index) => index + first).filter((bar) => !roll.lockedBars.has(bar));
    await this.start({ kind: "vary", style: this.style.name, take: await this.saved(), bars }, { after: true, bar: roll.chosenBars?.[0] });
  }

  another() {
    const { take } = this.piece;
    const { seed, title, ...asked } = take.wishes;
    if (take.origin === "continued") this.start({ kind: "continue", style: take.style, take: take.parent, ...asked });
    else this.start({ kind: "compose", style: take.style, ...asked }, { bars: asked.bars });
  }

  async harmonise() {
    await this.start({ kind: "harmonize", style: this.choir.name, take: await this.saved(), temperature: this.wishes.temperatureOf(this.choir) });
  }

  async goOn() {
    const bars = Number($("continue-bars").value);
    const { lastBar } = this.piece.roll;
    await this.start({ kind: "continue", style: this.wishes.style, take: await this.saved(), bars, mix: this.wishes.mix.shares }, { bar: lastBar, bars: lastBar + bars });
  }
}

