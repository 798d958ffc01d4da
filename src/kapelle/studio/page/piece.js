// The piece that is open: what is known of it, its tracks, and what was changed by hand.
import { ask } from "./api.js";
import { $, complain, count, icon, make, memory, showIcon } from "./parts.js";
import { Roll } from "./roll.js";
import { Time, clock } from "./score.js";
import { Sheet } from "./sheet.js";

// Seconds of a piece that is being made that must be there before it sounds.
const ENOUGH = 3;

export class Piece {
  constructor({ player, onShown, onOpened }) {
    Object.assign(this, { player, onShown, onOpened });
    this.sheet = new Sheet($("sheet-view"));
    this.roll = new Roll($("roll"), {
      onEdit: (notes) => this.edited(notes),
      onSeek: (tick) => { this.takePlayer(); player.seek(this.time.seconds(tick)); this.follow(); },
      onSelect: (selected) => this.selected(selected),
      onTouch: (note) => player.touch(note),
      onChoose: () => this.onShown(),
    });
  }

  // -- opening ------------------------------------------------------------------------------------

  // Opens a take; with `after` it is the open piece with something else in it, and stays where it is.
  async open(id, { play = false, from = 0, after = false } = {}) {
    if (this.roll.dirty && this.take && this.take.id !== id && !confirm("Leave the changes that are not saved?")) return;
    const opened = await ask(`/api/takes/${id}`);
    const grown = this.growing && this.player.growing;
    const goesOn = grown || (after && this.player.playing);
    if (!goesOn) this.player.pause();
    this.take = opened;
    this.time = new Time(opened.score);
    $("empty").hidden = true;
    $("piece").hidden = false;
    this.growing = undefined;
    if (after) this.roll.adopt(opened.score);
    else {
      this.roll.muted = this.player.muted = grown ? this.roll.muted : new Set();
      this.roll.load(opened.score);
      this.readLocks();
      this.readDraft();
    }
    this.keepLocks();
    if (grown) {
      this.player.grow(opened.score, this.roll.notes);
      this.player.growing = false;
    } else this.player.load(opened.score, this.roll.notes);
    this.player.onStop = () => this.showPlaying();
    if (!goesOn) this.player.position = this.time.seconds(from);
    memory.set("open", id);
    this.onOpened(id);
    this.show();
    this.showTracks();
    if (!$("sheet-view").hidden) this.sheet.show(id);
    this.follow();
    if (play && !goesOn) await this.player.play(this.time.seconds(from));
    this.showPlaying();
  }

  // A piece that is being made, as far as it is; it sounds as soon as there is enough of it, from a bar on.
  grow(score, { bars, bar } = {}) {
    if (this.roll.dirty) return;
    const { player, roll } = this;
    const begins = !this.growing || roll.notes.length > score.tracks.reduce((sum, track) => sum + track.notes.length, 0);
    if (begins) {
      player.pause();
      roll.setPlayhead(0, false, false);
    }
    $("empty").hidden = true;
    $("piece").hidden = false;
    this.growing = true;
    this.take = undefined;
    for (const set of [roll.lockedBars, roll.lockedTracks, roll.chosenTracks]) set.clear();
    this.time = new Time(score);
    roll.grow(score, bars);
    $("title").value = score.title || "Composing…";
    $("facts").textContent = `composing: ${count(score.bars.length - 1, "bar")} so far`;
    $("tracks").replaceChildren();
    if (player.playing) player.grow(score, roll.notes);
    else this.soundSoon(score, bar).catch(() => {});
    this.onShown();
  }

  async soundSoon(score, bar) {
    const { player, roll } = this;
    const from = bar === undefined ? 0 : this.time.seconds(roll.bars[bar - roll.firstBar] ?? 0);
    if (score.seconds - from < ENOUGH || !player.context || this.tuning) return;
    this.tuning = true;
    try {
      await player.ready();
      if (!this.growing) return;
      player.muted = roll.muted = new Set();
      player.load(roll.score, roll.notes);
      await player.play(from);
      player.growing = true;
      this.showPlaying();
    } finally {
      this.tuning = false;
    }
  }

  // What was being made is not to be: back to the piece that was there.
  async shrink() {
    if (!this.growing) return;
    this.growing = undefined;
    this.player.pause();
    const before = memory.get("open");
    if (before) await this.open(before);
    else {
      $("piece").hidden = true;
      $("empty").hidden = false;
    }
  }

  readDraft() {
    const draft = memory.get("draft");
    if (draft?.take !== this.take.id) {
      memory.set("draft", undefined);
      return;
    }
    this.roll.remember(this.roll.notes);
    this.roll.notes = draft.notes;
    this.roll.measure();
  }

  keepDraft() {
    memory.set("draft", this.take && this.roll.dirty ? { take: this.take.id, notes: this.roll.notes } : undefined);
  }

  // -- locks, which outlive a reload --------------------------------------------------------------

  readLocks() {
    const [, tracks, bars] = memory.get("locks", []).find(([take]) => take === this.take.id) ?? [];
    this.roll.lockedTracks = new Set(tracks);
    this.roll.lockedBars = new Set(bars);
  }

  keepLocks() {
    const { lockedTracks, lockedBars } = this.roll;
    const others = memory.get("locks", []).filter(([take]) => take !== this.take.id).slice(-50);
    const mine = lockedTracks.size + lockedBars.size ? [[this.take.id, [...lockedTracks], [...lockedBars]]] : [];
    memory.set("locks", [...others, ...mine]);
  }

  // -- what is shown ------------------------------------------------------------------------------

  show() {
    if (!this.take) return;
    const { title, starred, summary, wishes } = this.take;
    if (document.activeElement !== $("title")) $("title").value = title;
    $("star").setAttribute("aria-pressed", String(starred));
    $("star").textContent = starred ? "★" : "☆";
    const seed = wishes.seed === undefined ? "" : `seed ${wishes.seed}`;
    const tempo = summary.tempo ? `${Math.round(summary.tempo)} beats a minute` : "";
    const facts = [count(summary.bars, "bar"), summary.key, summary.meter, tempo, count(summary.notes, "note"), seed];
    $("facts").textContent = facts.filter(Boolean).join(" · ");
    document.title = `${title} · Kapelle`;
    this.showEdited();
  }

  showTracks() {
    $("tracks").replaceChildren(...this.take.score.tracks.map((track, index) => this.line(track, index)));
  }

  line(track, index) {
    const { roll, player } = this;
    const swatch = make("i");
    swatch.style.setProperty("--c", track.is_drum ? "var(--drums)" : `var(--track-${index % 8})`);
    const { label } = track;
    const toggle = (set, button, after) => button.addEventListener("click", () => {
      if (!set().delete(index)) set().add(index);
      button.setAttribute("aria-pressed", String(set().has(index)));
      after?.();
      roll.draw();
      this.onShown();
    });
    const name = make("button", { class: "name", "aria-pressed": String(roll.chosenTracks.has(index)), title: `${track.instrument}. Choose it, to write it anew` }, swatch, label);
    const mute = make("button", { class: "bare", "aria-pressed": String(player.muted.has(index)), "aria-label": `Mute ${label}`, title: "Mute" }, icon("sound"));
    const lock = make("button", { class: "bare", "aria-pressed": String(roll.lockedTracks.has(index)), "aria-label": `Lock ${label}`, title: "Lock: nothing changes it" }, icon("open-lock"));
    toggle(() => roll.chosenTracks, name);
    toggle(() => player.muted, mute, () => showIcon(mute, player.muted.has(index) ? "mute" : "sound"));
    toggle(() => roll.lockedTracks, lock, () => { showIcon(lock, roll.lockedTracks.has(index) ? "lock" : "open-lock"); this.keepLocks(); });
    showIcon(mute, player.muted.has(index) ? "mute" : "sound");
    showIcon(lock, roll.lockedTracks.has(index) ? "lock" : "open-lock");
    return make("li", {}, name, mute, lock);
  }

  selected(selected) {
    $("delete").disabled = $("velocity").disabled = !selected.size;
    const last = [...selected].at(-1);
    if (last) $("velocity").value = last.velocity;
    $("note-told").textContent = selected.size === 1 ? this.roll.tell(last) : selected.size ? `${count(selected.size, "note")} selected` : "";
  }

  showEdited() {
    $("undo").disabled = !this.roll.past.length;
    $("redo").disabled = !this.roll.future.length;
    $("save").hidden = $("revert").hidden = !this.roll.dirty;
    this.onShown();
  }

  // -- changes by hand ----------------------------------------------------------------------------

  edited(notes) {
    this.player.setNotes(notes);
    this.showEdited();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.keepDraft(), 300);
  }

  async save() {
    const { take, roll } = this;
    const title = ["edited", "changed"].includes(take.origin) ? take.title : `${take.title}, edited`;
    const saved = await ask("/api/takes", { method: "POST", json: { parent: take.id, title, score: roll.edited(roll.notes) } });
    roll.saved = roll.past.length;
    memory.set("draft", undefined);
    this.take = saved;
    this.keepLocks();
    memory.set("open", saved.id);
    this.onOpened(saved.id);
    this.show();
    return saved;
  }

  revert() {
    this.roll.saved = this.roll.past.length;
    memory.set("draft", undefined);
    this.open(this.take.id).catch(complain);
  }

  // -- playing ------------------------------------------------------------------------------------

  async playOrPause() {
    if (!this.take) return;
    if (this.player.playing) this.player.pause();
    else {
      this.takePlayer();
      await this.player.play();
    }
    this.showPlaying();
  }

  // The player may have played something else in another view.
  takePlayer() {
    const { player } = this;
    player.onStop = () => this.showPlaying();
    if (player.score === this.take.score) return;
    player.muted = this.roll.muted;
    player.load(this.take.score, this.roll.notes);
    player.position = 0;
  }

  rewind() {
    this.takePlayer();
    this.player.seek(0);
    this.follow();
  }

  showPlaying() {
    const { playing } = this.player;
    showIcon($("play"), playing ? "pause" : "play");
    $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (playing) this.frame();
    else this.follow();
  }

  frame() {
    cancelAnimationFrame(this.nextFrame);
    this.nextFrame = requestAnimationFrame(() => {
      this.follow();
      $("level").value = this.player.playing ? this.player.level() : 0;
      if (this.player.playing) this.frame();
    });
  }

  follow() {
    const { player, roll } = this;
    if (!player.score || player.score !== (this.take?.score ?? (this.growing && roll.score))) return;
    const { tick } = player;
    roll.setPlayhead(tick, player.playing, player.playing);
    this.sheet.mark(tick / player.score.ticks_per_quarter, player.playing);
    $("clock").textContent = `${clock(player.now())} / ${clock(player.length)}`;
  }
}

