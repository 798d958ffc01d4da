// The studio's page: what is pressed, and what comes of it.
import { ask, listen, openSession, session } from "./api.js";
import { History } from "./history.js";
import { $, complain, count, make, memory, showIcon, toast } from "./parts.js";
import { Player } from "./player.js";
import { Roll } from "./roll.js";
import { Time, clock } from "./score.js";
import { Sheet } from "./sheet.js";
import { Wishes } from "./wishes.js";

const MOST_FILES = 50;

const player = new Player();
const sheet = new Sheet($("sheet-view"));
let take;
let time;
let saveDraft;

const roll = new Roll($("roll"), {
  onEdit(notes) {
    player.setNotes(notes);
    showEdited();
    clearTimeout(saveDraft);
    saveDraft = setTimeout(() => memory.set("draft", roll.dirty ? { take: take.id, notes: roll.notes } : undefined), 300);
  },
  onSeek(tick) {
    player.seek(time.seconds(tick));
    follow();
  },
  onSelect(selected) {
    $("delete").disabled = $("velocity").disabled = !selected.size;
    const last = [...selected].at(-1);
    if (last) $("velocity").value = last.velocity;
    $("note-told").textContent = selected.size === 1 ? roll.tell(last) : selected.size ? `${count(selected.size, "note")} selected` : "";
  },
  onTouch: (note) => player.touch(note),
});

const history = new History({
  onOpen: (id) => open(id).catch(complain),
  onDone: (job) => open(job.take, { play: job.kind !== "import" }).catch(complain),
  onChanged(changed) {
    if (take?.id === changed.id) showTake(Object.assign(take, { title: changed.title, starred: changed.starred }));
  },
});
let wishes;

// -- the piece -------------------------------------------------------------------------------------

async function open(id, { play = false } = {}) {
  if (roll.dirty && take && take.id !== id && !confirm("Leave the changes that are not saved?")) return;
  const opened = await ask(`/api/takes/${id}`);
  player.pause();
  wishes.hush();
  take = opened;
  time = new Time(take.score);
  $("empty").hidden = true;
  $("piece").hidden = false;
  const draft = memory.get("draft");
  roll.muted = player.muted = new Set();
  roll.load(take.score);
  if (draft?.take === id) {
    roll.past.push(roll.notes);
    roll.notes = draft.notes;
    roll.dirty = true;
    roll.measure();
  } else memory.set("draft", undefined);
  player.load(take.score, roll.notes);
  player.position = 0;
  history.mark(id);
  memory.set("open", id);
  showTake(take);
  showTracks();
  showEdited();
  if (!$("sheet-view").hidden) sheet.show(id);
  follow();
  if (play) await player.play(0);
  showPlaying();
}

function showTake({ title, starred, summary, wishes: asked }) {
  if (document.activeElement !== $("title")) $("title").value = title;
  $("star").setAttribute("aria-pressed", String(starred));
  $("star").textContent = starred ? "★" : "☆";
  const seed = asked.seed === undefined ? "" : `seed ${asked.seed}`;
  const tempo = summary.tempo ? `${Math.round(summary.tempo)} beats a minute` : "";
  const facts = [count(summary.bars, "bar"), summary.key, summary.meter, tempo, count(summary.notes, "note"), seed];
  $("facts").textContent = facts.filter(Boolean).join(" · ");
  $("forms").replaceChildren(make("span", { class: "soft" }, "Take away"), ...session.forms
    .filter((form) => form.suffix !== "pdf" || session.sheet)
    .map((form) => make("a", { href: `/api/takes/${take.id}/files/${form.suffix}`, download: "", title: form.name,
      "data-suffix": form.suffix }, form.suffix === "musicxml" ? "MusicXML" : form.suffix.toUpperCase())));
  document.title = `${title} · Kapelle`;
}

function showTracks() {
  const shades = (index) => (take.score.tracks[index].is_drum ? "var(--drums)" : `var(--track-${index % 8})`);
  $("tracks").replaceChildren(...take.score.tracks.map((track, index) => {
    const swatch = make("i");
    swatch.style.setProperty("--c", shades(index));
    const label = track.name && track.name !== track.instrument ? `${track.name} · ${track.instrument}` : track.instrument;
    const button = make("button", { "aria-pressed": "true", title: "Heard, or silent" }, swatch, label);
    button.addEventListener("click", () => {
      const heard = player.muted.delete(index) || !player.muted.add(index);
      button.setAttribute("aria-pressed", String(heard));
      roll.draw();
    });
    return make("li", {}, button);
  }));
}

function showEdited() {
  $("undo").disabled = !roll.past.length;
  $("redo").disabled = !roll.future.length;
  $("save").hidden = $("revert").hidden = !roll.dirty;
  // What would be gone on with or taken away is what was saved.
  $("another").hidden = !["composed", "continued"].includes(take.origin);
  $("continue").disabled = roll.dirty;
  $("forms").hidden = roll.dirty;
}

async function save() {
  const edited = roll.edited(roll.notes);
  const title = take.origin === "edited" ? take.title : `${take.title}, edited`;
  const saved = await ask("/api/takes", { method: "POST", json: { parent: take.id, title, score: edited } });
  roll.dirty = false;
  memory.set("draft", undefined);
  await open(saved.id);
  toast("Saved as a new take.");
}

function revert() {
  roll.dirty = false;
  memory.set("draft", undefined);
  open(take.id).catch(complain);
}

// -- playing ---------------------------------------------------------------------------------------

async function playOrPause() {
  if (!take) return;
  wishes.hush();
  if (player.playing) player.pause();
  else await player.play();
  showPlaying();
}

function showPlaying() {
  showIcon($("play"), player.playing ? "pause" : "play");
  $("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
  if (player.playing) requestAnimationFrame(frame);
  else follow();
}

function frame() {
  follow();
  $("level").value = player.playing ? player.level() : 0;
  if (player.playing) requestAnimationFrame(frame);
}

function follow() {
  if (!take) return;
  const tick = player.tick;
  roll.setPlayhead(tick, player.playing, player.playing);
  sheet.mark(tick / take.score.ticks_per_quarter, player.playing);
  $("clock").textContent = `${clock(player.now())} / ${clock(player.length)}`;
}

player.onStop = () => showPlaying();

// -- making ----------------------------------------------------------------------------------------

const start = (request) => {
  // The click that asks for music is the one that lets it sound.
  player.ready().then(() => player.context.resume()).catch(complain);
  return history.start(request).catch(complain);
};

function another() {
  const { seed, title, ...asked } = take.wishes;
  if (take.origin === "continued") start({ kind: "continue", style: take.style, take: take.parent, ...asked });
  else start({ kind: "compose", style: take.style, ...asked });
}

async function bringIn(files) {
  const list = [...files].slice(0, MOST_FILES);
  if (files.length > MOST_FILES) {
    complain(new Error(`${MOST_FILES} files at once are what the studio takes; the other ${files.length - MOST_FILES} were left out`));
  }
  for (const file of list) {
    try {
      if (file.size > session.max_bytes) throw new Error(`${file.name}: expected at most ${session.max_bytes >> 20} MB, got ${Math.ceil(file.size / 2 ** 20)}`);
      history.own(await ask(`/api/imports?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }));
    } catch (error) {
      complain(error);
    }
  }
}

// -- what is pressed -------------------------------------------------------------------------------

function pressable() {
  $("compose-button").addEventListener("click", () => start(wishes.request()));
  $("another").addEventListener("click", another);
  $("continue").addEventListener("click", () => start({ kind: "continue", style: wishes.style, take: take.id, bars: Number($("continue-bars").value) }));
  $("save").addEventListener("click", () => save().catch(complain));
  $("revert").addEventListener("click", revert);
  $("play").addEventListener("click", () => playOrPause().catch(complain));
  $("rewind").addEventListener("click", () => { player.seek(0); follow(); });
  $("loop").addEventListener("click", () => press("loop", player.looping = !player.looping));
  $("volume").addEventListener("input", (event) => player.setVolume(Number(event.target.value)));
  $("star").addEventListener("click", () => history.change(take.id, { starred: !take.starred }));
  $("title").addEventListener("change", (event) => event.target.value.trim() && history.change(take.id, { title: event.target.value.trim() }));
  $("title").addEventListener("keydown", (event) => event.key === "Enter" && event.target.blur());
  $("undo").addEventListener("click", () => roll.undo());
  $("redo").addEventListener("click", () => roll.redo());
  $("delete").addEventListener("click", () => roll.remove());
  $("velocity").addEventListener("change", (event) => roll.setVelocity(Number(event.target.value)));
  $("grid").addEventListener("change", (event) => { roll.grid = Number(event.target.value); });
  $("zoom-in").addEventListener("click", () => roll.zoom(1.4));
  $("zoom-out").addEventListener("click", () => roll.zoom(1 / 1.4));
  $("zoom-fit").addEventListener("click", () => roll.fit());
  for (const tool of ["select", "draw"]) $(`tool-${tool}`).addEventListener("click", () => choose(tool));
  for (const view of ["roll", "sheet"]) $(`tab-${view}`).addEventListener("click", () => showView(view));
  $("theme").addEventListener("click", changeTheme);
  $("import").addEventListener("click", () => $("import-file").click());
  $("import-file").addEventListener("change", (event) => { bringIn(event.target.files); event.target.value = ""; });
  addEventListener("keydown", keys);
  addEventListener("beforeunload", () => roll.dirty && memory.set("draft", { take: take.id, notes: roll.notes }));
  dropping();
}

const press = (name, on) => $(name).setAttribute("aria-pressed", String(on));

function choose(tool) {
  roll.tool = tool;
  press("tool-select", tool === "select");
  press("tool-draw", tool === "draw");
}

function showView(view) {
  for (const name of ["roll", "sheet"]) {
    $(`${name}-view`).hidden = name !== view;
    $(`tab-${name}`).setAttribute("aria-selected", String(name === view));
  }
  if (view === "sheet") sheet.show(take.id);
  follow();
}

function changeTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  memory.set("theme", document.documentElement.dataset.theme = now === "dark" ? "light" : "dark");
  roll.readColours();
}

function keys(event) {
  const inField = event.target.matches("input:not([type=range], [type=checkbox], [type=radio]), select, textarea");
  const control = event.ctrlKey || event.metaKey;
  if (inField || !take) return;
  const onRoll = event.target === roll.box;
  const onButton = event.target.matches("button, a, summary, input");
  const moves = { ArrowLeft: [-roll.step, 0], ArrowRight: [roll.step, 0], ArrowUp: [0, event.shiftKey ? 12 : 1], ArrowDown: [0, event.shiftKey ? -12 : -1] };
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  const done = (() => {
    if (control && event.key.toLowerCase() === "z") return event.shiftKey ? roll.redo() : roll.undo();
    if (control && event.key.toLowerCase() === "y") return roll.redo();
    if (control && event.key.toLowerCase() === "a" && onRoll) return roll.select(roll.notes);
    if (control) return false;
    if (event.key === " " && !onButton) return playOrPause().catch(complain);
    if (onRoll && event.altKey && moves[event.key]) return roll.move(...moves[event.key]);
    if (onRoll && steps[event.key]) return roll.stepTo(steps[event.key]);
    if (onRoll && ["ArrowUp", "ArrowDown"].includes(event.key) && roll.selected.size) return roll.move(...moves[event.key]);
    if (event.altKey) return false;
    if (["Delete", "Backspace"].includes(event.key) && onRoll) return roll.remove();
    if (event.key === "Escape") return roll.select([]);
    const letters = { v: () => choose("select"), b: () => choose("draw"), l: () => $("loop").click(), "+": () => roll.zoom(1.4), "-": () => roll.zoom(1 / 1.4), 0: () => roll.fit(), Home: () => { player.seek(0); follow(); } };
    return letters[event.key] ? letters[event.key]() : false;
  })();
  if (done !== false) event.preventDefault();
}

function dropping() {
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; $("drop").hidden = false; } });
  addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) { depth = 0; $("drop").hidden = true; } });
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    $("drop").hidden = true;
    bringIn(event.dataTransfer.files);
  });
}

// -- the beginning ---------------------------------------------------------------------------------

async function begin() {
  const theme = memory.get("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => roll.readColours());
  roll.readColours();
  if (matchMedia("(max-width: 720px)").matches) $("wishes").open = false;
  await openSession();
  $("import-file").accept = session.imports.join(",");
  if (!session.sheet) $("tab-sheet").hidden = true;
  wishes = new Wishes(player);
  wishes.onStyle = () => { $("continue-style").textContent = `in ${wishes.title}`; };
  pressable();
  await Promise.all([wishes.loadStyles(), history.load()]);
  const last = memory.get("open");
  if (history.takes.has(last)) await open(last);
  document.body.dataset.ready = "true";
  listen({
    onEvent: (event) => (event.type === "job" ? history.hearJob(event.job) : history.hearTake(event.take)),
    async onOpen() {
      $("offline").hidden = true;
      // Also after a break: the server may be another one, and what was told meanwhile was missed.
      await openSession();
      await history.load();
    },
    onLost() { $("offline").hidden = false; },
  });
  requestIdleCallback(() => player.fetchBank().catch(() => {}));
}

begin().catch(complain);
