// Training: music is dropped, a style is learnt, and what it composes on the way is heard.
import { ask, session } from "./api.js";
import { first } from "./bringing.js";
import { Curves } from "./curves.js";
import { chosen, filesOf, unfit } from "./folders.js";
import { $, complain, count, icon, make, showIcon } from "./parts.js";
import { clock, notesOf } from "./score.js";

const AT_ONCE = 4;
const SHOWN = 400;
const STATES = { collecting: "not begun", running: "learning", stopped: "stopped", done: "learnt", failed: "failed" };

export class View {
  constructor({ player, wishes, openStyle }) {
    Object.assign(this, { player, wishes, openStyle });
    this.curves = new Curves($("curves"));
    this.local = [];
    $("choose-folder").addEventListener("click", () => $("folder-input").click());
    $("choose-files").addEventListener("click", () => $("files-input").click());
    for (const name of ["folder-input", "files-input"]) {
      $(name).addEventListener("change", (event) => {
        const files = chosen(event.target.files);
        event.target.value = "";
        this.bring(files).catch(complain);
      });
    }
    $("train-form").addEventListener("submit", (event) => { event.preventDefault(); this.start().catch(complain); });
    $("train-form").elements.minutes.addEventListener("input", (event) => { $("minutes-out").value = count(Number(event.target.value), "minute"); });
    $("train-stop").addEventListener("click", () => this.stop().catch(complain));
    $("train-on").addEventListener("click", () => this.start().catch(complain));
    $("train-new").addEventListener("click", () => this.close());
    $("train-away").addEventListener("click", () => this.throwAway().catch(complain));
    $("left-out").addEventListener("change", () => this.showFiles());
    $("train-compose").addEventListener("click", () => this.openStyle(this.now.asked.name).catch(complain));
  }

  async enter() {
    $("no-training").hidden = session.train;
    // What is being sent is known here before the server tells of it.
    if (this.reading) this.show();
    else if (this.now) await this.open(this.now.id);
    else await this.list();
  }

  leave() {
    this.halt();
  }

  drop(data) {
    filesOf(data).then((files) => this.bring(files)).catch(complain);
    return true;
  }

  // -- what is there ------------------------------------------------------------------------------

  async list() {
    const { trainings } = await ask("/api/trainings");
    $("trainings").replaceChildren(...trainings.map((training) => make("li", {},
      make("button", { class: "open-take", onclick: () => this.open(training.id).catch(complain) },
        make("b", {}, training.asked.title ?? "Not named yet"),
        make("small", {}, `${STATES[training.state]} · ${count(training.num_pieces, "piece")}`)))));
    $("earlier").hidden = !trainings.length;
    const running = trainings.find((training) => training.state === "running");
    if (running && !this.now) await this.open(running.id);
  }

  async open(id) {
    this.now = await ask(`/api/trainings/${id}`);
    this.curves.show(this.now.rows);
    this.show();
  }

  close() {
    this.halt();
    this.now = this.reading = undefined;
    this.local = [];
    this.show();
    this.list().catch(complain);
  }

  async throwAway() {
    const what = this.now.state === "collecting" ? "the music that was brought" : "this training and its music; the style stays";
    if (!confirm(`Throw away ${what}?`)) return;
    await ask(`/api/trainings/${this.now.id}`, { method: "DELETE" });
    this.close();
  }

  // -- music --------------------------------------------------------------------------------------

  async bring(files) {
    if (!files.length) return;
    const now = await this.collecting();
    const form = $("train-form").elements;
    if (!form.title.value) form.title.value = files[0].name.includes("/") ? files[0].name.split("/")[0].slice(0, 60) : "";
    // More may be dropped while the first are still on their way.
    const reading = this.reading ??= { done: 0, all: 0, waiting: [], senders: 0 };
    const room = Math.max(0, session.most_files - now.files.length - reading.waiting.length - reading.senders);
    const fit = files.filter((each) => !unfit(each));
    const taken = new Set(first(fit, room, `The studio learns from ${session.most_files.toLocaleString("en")} files at most; from more learns kapelle train`));
    for (const each of files) {
      const why = unfit(each) || (taken.has(each) ? "" : "left out: too many files");
      if (why) this.local.push({ name: each.name, pieces: [], problems: [why] });
      else reading.waiting.push(each);
    }
    reading.all = reading.done + reading.waiting.length + reading.senders;
    this.show();
    const free = AT_ONCE - reading.senders;
    reading.senders = AT_ONCE;
    await Promise.all(Array.from({ length: free }, () => this.sendAll(now, reading)));
  }

  // The training that files go to: one, also where more are dropped before it is there.
  collecting() {
    if (this.now?.state === "collecting") return this.now;
    this.beginning ??= ask("/api/trainings", { method: "POST" }).then((begun) => {
      this.local = [];
      return this.now = { ...begun, files: [], rows: [], samples: [] };
    }).finally(() => { this.beginning = undefined; });
    return this.beginning;
  }

  async sendAll(now, reading) {
    for (let each; this.now === now && (each = reading.waiting.shift());) {
      now.files.push(await this.send(now, each));
      reading.done += 1;
      this.showSoon();
    }
    reading.senders -= 1;
    if (reading.senders || this.now !== now) return;
    this.reading = undefined;
    this.show();
  }

  async send(now, { file, name }) {
    try {
      return await ask(`/api/trainings/${now.id}/files?name=${encodeURIComponent(name.slice(-400))}`, { method: "POST", body: file });
    } catch (error) {
      return { name, pieces: [], problems: [error.message] };
    }
  }

  showSoon() {
    this.drawing ??= requestAnimationFrame(() => { this.drawing = undefined; this.show(); });
  }

  // -- learning -----------------------------------------------------------------------------------

  async start() {
    const { title, base, minutes } = $("train-form").elements;
    const { state } = this.now;
    const asked = state === "stopped" ? this.now.asked : state === "done" ? { ...this.now.asked, minutes: Number($("train-minutes").value) } : { title: title.value.trim(), base: base.value, minutes: Number(minutes.value) };
    const name = asked.name ?? asked.title.replace(/[^\p{L}\p{N} _.-]+/gu, " ").replace(/\s+/g, " ").trim().replace(/[. ]+$/, "");
    const { minutes: time, title: told, base: from } = asked;
    await ask(`/api/trainings/${this.now.id}/start`, { method: "POST", json: { name, title: told, base: from, minutes: time } });
    this.now.state = "running";
    this.share = 0;
    await this.open(this.now.id);
  }

  async stop() {
    await ask(`/api/trainings/${this.now.id}/stop`, { method: "POST" });
    $("train-stop").disabled = true;
    $("train-told").textContent = "Stopping after what it is at, and looking at what came of it…";
  }

  hear(event) {
    if (event.type === "styles" || (event.type === "job" && event.job.kind === "train")) this.hearEnd(event);
    if (!this.now || event.training !== this.now.id) return;
    if (event.sample) {
      this.now.samples = [event.sample, ...this.now.samples.filter((sample) => sample.number !== event.sample.number)];
      this.showSamples();
    }
    if (event.row) this.curves.add(event.row);
    if (event.share !== undefined) this.share = event.share;
    if (event.cost !== undefined) this.cost = event.cost;
    this.showProgress();
  }

  hearEnd(event) {
    const over = event.type === "job" && ["done", "failed", "cancelled"].includes(event.job.state);
    if (event.type === "job" && this.now?.state === "running" && event.job.notes.length) $("train-told").textContent = event.job.notes.at(-1);
    if (over && this.now && !this.reading) this.open(this.now.id).catch(complain);
  }

  // -- what is shown ------------------------------------------------------------------------------

  show() {
    const { now } = this;
    const state = now?.state;
    $("train-start").hidden = Boolean(now);
    $("train-music").hidden = $("train-run").hidden = !now;
    if (!now) return;
    $("train-title").textContent = now.asked?.title ?? "What there is to learn from";
    this.showFiles();
    $("train-form").hidden = !["collecting", "failed"].includes(state);
    $("train-live").hidden = state === "collecting";
    $("train-stop").hidden = state !== "running";
    $("train-stop").disabled = false;
    $("train-on").hidden = !["stopped", "done"].includes(state);
    $("train-on").disabled = !session.train;
    $("train-more").hidden = state !== "done";
    $("train-compose").hidden = !now.found?.figures;
    $("train-away").hidden = state === "running";
    $("train-report").hidden = !now.report;
    $("train-report").href = `/api/trainings/${now.id}/report`;
    $("train-button").disabled = !session.train || Boolean(this.reading) || !now.files.some((line) => line.pieces?.length);
    this.fillBases();
    this.showProgress();
    this.showSamples();
    this.showFound();
  }

  fillBases() {
    const select = $("train-form").elements.base;
    const before = select.value;
    const styles = this.wishes.styles ?? [];
    select.replaceChildren(make("option", { value: "" }, "nothing: from the beginning"), ...styles.map((style) => make("option", { value: style.name }, style.title)));
    select.value = styles.some((style) => style.name === before) ? before : "";
  }

  showFiles() {
    const all = [...this.now.files, ...this.local];
    const left = all.filter((line) => line.problems?.length);
    const pieces = all.flatMap((line) => line.pieces ?? []);
    const notes = pieces.reduce((sum, piece) => sum + piece.notes, 0);
    const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0);
    $("music-sum").textContent = [count(pieces.length, "piece"), count(notes, "note"), clock(seconds)].join(" · ");
    const { reading } = this;
    $("reading").hidden = !reading;
    if (reading) Object.assign($("reading"), { max: reading.all, value: reading.done });
    $("left-out-told").textContent = left.length ? `${left.length.toLocaleString("en")} left out: show only those` : "nothing is left out";
    $("left-out").disabled = !left.length;
    const shown = $("left-out").checked && left.length ? left : [...left, ...all.filter((line) => !line.problems?.length)];
    const lines = shown.slice(0, SHOWN).map((line) => make("li", { class: line.pieces?.length ? "" : "left" },
      make("b", {}, line.name), make("small", {}, this.gives(line))));
    if (shown.length > SHOWN) lines.push(make("li", {}, make("small", {}, `and ${count(shown.length - SHOWN, "file")} more`)));
    $("music-files").replaceChildren(...lines);
    const few = pieces.length > 0 && pieces.length < 100 && this.now.state === "collecting";
    $("few").hidden = !few;
    $("few").textContent = `${count(pieces.length, "piece")} are few: go on from a style that is near, and it will know music already.`;
  }

  gives(line) {
    const [first, ...more] = line.pieces ?? [];
    const told = first ? [count(first.bars, "bar"), first.key, first.meter, count(first.notes, "note"), more.length ? `and ${count(more.length, "piece")} more` : ""] : [];
    return [...told.filter(Boolean), ...(line.problems ?? [])].join(" · ");
  }

  showProgress() {
    const { now } = this;
    const running = now.state === "running";
    $("train-share").hidden = !running;
    $("train-share").value = this.share ?? 0;
    const { best } = this.curves;
    const last = this.curves.rows.at(-1);
    $("train-held").textContent = best ? best.valid.toFixed(2) : "–";
    $("train-cost").textContent = running && this.cost ? this.cost.toFixed(2) : last?.train?.toFixed(2) ?? "–";
    $("train-epochs").textContent = last ? last.epoch.toFixed(last.epoch < 10 ? 1 : 0) : "–";
    $("train-time").textContent = last ? clock(last.seconds) : "–";
    if (!running) $("train-told").textContent = now.error || { stopped: "Stopped. Go on whenever you like; what it has learnt so far composes already.", done: now.found?.verdict, failed: "" }[now.state] || "";
    else if (last) $("train-told").textContent = "Learning. Held-out pieces are never learnt from: what they cost says whether it understands or only remembers.";
    else if (!$("train-told").textContent) $("train-told").textContent = "Getting ready…";
  }

  showSamples() {
    const { samples } = this.now;
    $("train-samples").replaceChildren(...samples.map((sample) => {
      const button = make("button", { class: "bare", "aria-label": `Hear sample ${sample.number}` }, icon("play"));
      button.addEventListener("click", () => this.play(sample, button).catch(complain));
      const told = sample.valid === null ? "" : `, held out ${sample.valid.toFixed(2)}`;
      return make("li", {}, button, make("span", {}, sample.last ? "At the end" : `After epoch ${sample.epoch}`, make("small", {}, told)));
    }));
    $("samples-none").hidden = samples.length > 0;
    $("samples-none").textContent = this.now.state === "running" ? "The first piece comes after a minute." : "None yet.";
  }

  async play(sample, button) {
    const again = this.sounding === button;
    this.halt();
    if (again) return;
    this.sounding = button;
    button.setAttribute("aria-busy", "true");
    const { score } = await ask(`/api/trainings/${this.now.id}/samples/${sample.number}`);
    if (this.sounding !== button) return;
    this.player.muted = new Set();
    this.player.load(score, notesOf(score));
    this.player.onStop = () => this.halt();
    await this.player.play(0);
    button.removeAttribute("aria-busy");
    showIcon(button, "stop");
  }

  halt() {
    if (!this.sounding) return;
    this.player.pause();
    this.sounding.removeAttribute("aria-busy");
    showIcon(this.sounding, "play");
    this.sounding = undefined;
  }

  showFound() {
    const { found } = this.now;
    $("train-found").hidden = !found?.originality;
    if (!found?.originality) return;
    const { composed, human, verdict } = found.originality;
    const share = (figure) => (figure ? `${(100 * figure.value).toFixed(1)} %` : "–");
    const rows = Object.keys(composed.windows).map((beats) => [`${beats} beats in a row`, share(composed.windows[beats]), share(human?.windows[beats])]);
    rows.push(["longest passage", `${composed.longest.value.toFixed(1)} notes`, human ? `${human.longest.value.toFixed(1)} notes` : "–"]);
    $("train-copied").textContent = `Does it copy? ${verdict[0].toUpperCase()}${verdict.slice(1)}.`;
    $("train-table").replaceChildren(
      make("thead", {}, make("tr", {}, ...["Found in what was learnt", "composed", "human, held out"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows.map(([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell))))));
  }
}
