// The studio's page: what is pressed, and what comes of it.
import { Again } from "./again.js";
import { listen, openSession, session } from "./api.js";
import { showForms } from "./away.js";
import { bringIn, dropping } from "./bringing.js";
import { History } from "./history.js";
import { listenToKeys } from "./keys.js";
import { midiOut } from "./midi.js";
import { $, complain, memory, toast } from "./parts.js";
import { Piece } from "./piece.js";
import { Player } from "./player.js";
import { Views } from "./views.js";
import { Wishes } from "./wishes.js";

const player = new Player();
let again;
let wishes;

const piece = new Piece({
  player,
  onOpened: (id) => history.mark(id),
  onShown() {
    again?.show();
    if (piece.take) showForms(piece.take, piece.roll.dirty);
    $("forms").hidden = !piece.take || piece.roll.dirty;
  },
});
const { roll } = piece;

const history = new History({
  onOpen: (id) => openTake(id).catch(complain),
  onDone: (job, how) => done(job, how).catch(complain),
  onFailed: () => piece.shrink().catch(complain),
  onChanged(changed) {
    if (piece.take?.id !== changed.id) return;
    Object.assign(piece.take, { title: changed.title, starred: changed.starred });
    piece.show();
  },
});
const views = new Views({ hush });

function hush() {
  wishes?.hush();
  player.pause();
  piece.showPlaying();
}

// -- the piece -------------------------------------------------------------------------------------

async function openTake(id, how) {
  wishes.hush();
  views.show("compose");
  await piece.open(id, how);
}

// Composing in a style that has just been learnt.
async function openStyle(name) {
  await wishes.loadStyles(name);
  views.show("compose");
  again.show();
}

async function done(job, { after, bar, of } = {}) {
  if (!job.take) return;
  if (views.now !== "compose") {
    toast(`${job.title} is done.`, { action: "Open", onAction: () => openTake(job.take).catch(complain) });
    return;
  }
  const from = bar === undefined ? 0 : roll.bars?.[bar - roll.firstBar] ?? 0;
  await openTake(job.take, { play: job.kind !== "import", from, after: after && piece.take?.id === of });
}

// Begins a job; `how` says what is done with what it makes.
function start(request, how) {
  // The click that asks for music is the one that lets it sound.
  player.ready().then(() => player.context.resume()).catch(complain);
  return history.start(request, how).catch(complain);
}

function hear(event) {
  if (event.type === "job") {
    history.hearJob(event.job);
    views.hear(event);
  } else if (event.type === "take") {
    history.hearTake(event.take);
    views.hear(event);
  } else if (event.score && views.now === "compose" && history.isNewest(event.job)) {
    wishes.hush();
    piece.grow(event.score, history.how.get(event.job));
  } else {
    if (event.type === "styles") wishes.loadStyles().catch(complain);
    views.hear(event);
  }
}

// -- what is pressed -------------------------------------------------------------------------------

function pressable() {
  const on = (name, act, kind = "click") => $(name).addEventListener(kind, act);
  on("compose-button", () => start(wishes.request(), { bars: wishes.request().bars }));
  on("save", () => piece.save().then(() => toast("Saved as a new take.")).catch(complain));
  on("revert", () => piece.revert());
  on("play", () => { wishes.hush(); piece.playOrPause().catch(complain); });
  on("rewind", () => piece.rewind());
  on("loop", () => press("loop", player.looping = !player.looping));
  on("volume", (event) => player.setVolume(Number(event.target.value)), "input");
  on("star", () => piece.take && history.change(piece.take.id, { starred: !piece.take.starred }));
  on("title", (event) => piece.take && event.target.value.trim() && history.change(piece.take.id, { title: event.target.value.trim() }), "change");
  on("title", (event) => event.key === "Enter" && event.target.blur(), "keydown");
  on("undo", () => roll.undo());
  on("redo", () => roll.redo());
  on("delete", () => roll.remove());
  on("velocity", (event) => roll.setVelocity(Number(event.target.value)), "change");
  on("grid", (event) => { roll.grid = Number(event.target.value); }, "change");
  on("zoom-in", () => roll.zoom(1.4));
  on("zoom-out", () => roll.zoom(1 / 1.4));
  on("zoom-fit", () => roll.fit());
  for (const tool of ["select", "draw"]) on(`tool-${tool}`, () => choose(tool));
  for (const view of ["roll", "sheet"]) on(`tab-${view}`, () => showView(view));
  on("theme", changeTheme);
  on("import", () => $("import-file").click());
  on("import-file", (event) => { bringIn(event.target.files, (job) => history.own(job)); event.target.value = ""; }, "change");
  addEventListener("beforeunload", () => piece.keepDraft());
  listenToKeys({ piece, choose, isHere: () => views.now === "compose" });
  midiOut(player);
  dropping((data, event) => {
    if (views.dropped(data, event)) return;
    views.show("compose");
    bringIn(data.files, (job) => history.own(job));
  });
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
  if (view === "sheet" && piece.take) piece.sheet.show(piece.take.id);
  piece.follow();
}

function changeTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  memory.set("theme", document.documentElement.dataset.theme = now === "dark" ? "light" : "dark");
  roll.readColours();
}

// -- the beginning ---------------------------------------------------------------------------------

async function openFirst() {
  const asked = location.hash.match(/^#take=([0-9a-f]{16})$/)?.[1];
  if (asked) {
    window.history.replaceState(undefined, "", "/");
    await openTake(asked).catch(complain);
    return;
  }
  const last = memory.get("open");
  if (history.takes.has(last)) await piece.open(last);
}

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
  again = new Again({ piece, wishes, start });
  wishes.onStyle = () => again.show();
  pressable();
  await Promise.all([wishes.loadStyles(), history.load()]);
  views.begin({ player, wishes, history, openTake, openStyle });
  await openFirst();
  addEventListener("hashchange", () => location.hash.startsWith("#take=") && openFirst());
  // For who looks into the page with the browser's tools.
  window.kapelle = { piece, roll, player, views };
  document.body.dataset.ready = "true";
  listen({
    onEvent: hear,
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
