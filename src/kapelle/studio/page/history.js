// The takes there are, and the jobs under way.
import { ask } from "./api.js";
import { clock } from "./score.js";
import { $, complain, count, make, toast } from "./parts.js";

export class History {
  constructor({ onOpen, onDone, onFailed, onChanged }) {
    Object.assign(this, { onOpen, onDone, onFailed, onChanged });
    this.takes = new Map();
    this.jobs = new Map();
    // Of jobs that this tab began: what is done with what they make.
    this.how = new Map();
    this.mine = new Set(JSON.parse(sessionStorage.getItem("kapelle-jobs") ?? "[]"));
    $("only-starred").addEventListener("change", () => this.draw());
  }

  async load() {
    // What is begun while the answer is on its way is not in it, and not lost either.
    const mine = [...this.mine];
    const [{ takes }, { jobs }] = await Promise.all([ask("/api/takes"), ask("/api/jobs")]);
    this.takes = new Map(takes.map((take) => [take.id, take]));
    const known = new Set(jobs.map((job) => job.id));
    const lost = mine.filter((job) => this.mine.has(job) && !known.has(job));
    lost.forEach((job) => this.mine.delete(job));
    for (const job of this.jobs.keys()) if (!this.mine.has(job)) this.jobs.delete(job);
    jobs.forEach((job) => this.hearJob(job));
    if (lost.length) toast(`The studio was started anew; ${count(lost.length, "job")} under way ended with it. All takes are here.`);
    this.remember();
    this.drawJobs();
    this.draw();
  }

  async start(request, how = {}) {
    const job = await ask("/api/jobs", { method: "POST", json: request });
    this.how.set(job.id, { ...how, of: request.take });
    this.newest = job.id;
    this.own(job);
  }

  // Whether a job is the one that this tab began last: its piece is shown while it grows.
  isNewest(job) {
    return this.newest === job && this.mine.has(job);
  }

  // Jobs of this tab: what they make is opened here.
  own(job) {
    this.mine.add(job.id);
    this.remember();
    this.hearJob(this.jobs.get(job.id) ?? this.finished?.get(job.id) ?? job);
  }

  remember() {
    sessionStorage.setItem("kapelle-jobs", JSON.stringify([...this.mine]));
  }

  hearJob(job) {
    const over = ["done", "failed", "cancelled"].includes(job.state);
    if (!over) this.jobs.set(job.id, job);
    else {
      this.jobs.delete(job.id);
      // It may be over before the answer to the request that began it is here.
      this.finished = new Map([...(this.finished ?? []), [job.id, job]].slice(-50));
      if (this.mine.delete(job.id)) {
        this.remember();
        job.notes.filter((note) => !note.includes("drew again")).forEach((note) => toast(note));
        if (job.state === "done") this.onDone(job, this.how.get(job.id));
        else if (this.newest === job.id) this.onFailed(job);
        if (job.state === "failed") complain(new Error(`${job.title}: ${job.error}`));
      }
    }
    this.drawJobs();
  }

  hearTake(take) {
    if (take.hidden) this.takes.delete(take.id);
    else this.takes.set(take.id, take);
    this.onChanged(take);
    this.draw();
  }

  async change(take, changes) {
    try {
      this.hearTake(await ask(`/api/takes/${take}`, { method: "PATCH", json: changes }));
    } catch (error) {
      complain(error);
    }
  }

  async throwAway(take) {
    await this.change(take.id, { hidden: true });
    toast(`Thrown away: ${take.title}`, { action: "Take back", onAction: () => this.change(take.id, { hidden: false }), seconds: 12 });
  }

  drawJobs() {
    const verbs = { compose: "Composing", continue: "Going on", regenerate: "Writing anew", harmonize: "Harmonising", vary: "Varying", import: "Reading", train: "Learning" };
    $("jobs").replaceChildren(...[...this.jobs.values()].map((job) => make("li", {},
      make("span", {}, job.state === "waiting" ? `Waiting: ${job.title}` : `${verbs[job.kind]}: ${job.title}`),
      make("button", { onclick: () => ask(`/api/jobs/${job.id}`, { method: "DELETE" }).catch(complain) }, "Cancel"),
      ...job.notes.slice(-1).map((note) => make("small", {}, note)))));
    document.body.dataset.jobs = this.jobs.size;
  }

  draw() {
    const only = $("only-starred").checked;
    const shown = [...this.takes.values()].filter((take) => take.starred || !only).sort((a, b) => b.created - a.created);
    const none = make("li", {}, make("span", { class: "none" }, only ? "No take has a star yet." : "What you make is kept here."));
    $("takes").replaceChildren(...(shown.length ? shown.map((take) => this.line(take)) : [none]));
  }

  line(take) {
    const { bars, key, seconds } = take.summary;
    const facts = [take.origin === "composed" ? "" : take.origin, count(bars, "bar"), key, clock(seconds)].filter(Boolean).join(" · ");
    const star = make("button", { class: "star", "aria-pressed": String(take.starred), "aria-label": `Star ${take.title}`,
      onclick: () => this.change(take.id, { starred: !take.starred }) }, take.starred ? "★" : "☆");
    const open = make("button", { class: "open-take", "aria-current": take.id === this.open ? "true" : undefined,
      onclick: () => this.onOpen(take.id) }, make("b", {}, take.title), make("small", {}, facts));
    const away = make("button", { class: "throw", "aria-label": `Throw ${take.title} away`, title: "Throw away",
      onclick: () => this.throwAway(take) }, "×");
    return make("li", { class: take.id === this.open ? "open" : "" }, star, open, away);
  }

  mark(take) {
    this.open = take;
    this.draw();
  }
}
