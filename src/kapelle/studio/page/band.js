// The band room: players that sound together, each from a square of clips.
import { ask } from "./api.js";
import { first, send } from "./bringing.js";
import { Looper } from "./looper.js";
import { Pad } from "./pad.js";
import { $, complain, make, memory, showIcon, toast } from "./parts.js";

const PADS = [{ name: "Beat", kind: "drums" }, { name: "Melody", kind: "melody" }];
const MOST_TAKES = 100;

export class View {
  constructor({ player, wishes, history, openTake }) {
    Object.assign(this, { player, wishes, history, openTake, meter: "4/4" });
    this.pads = PADS.map((each) => new Pad(this, each));
    this.looper = new Looper(player, this.pads);
    $("pads").append(...this.pads.map((pad) => pad.box));
    $("band-play").addEventListener("click", () => this.toggle().catch(complain));
    $("band-keep").addEventListener("click", () => this.keep().catch(complain));
    $("band-meter").addEventListener("change", (event) => this.setMeter(event.target.value).catch(complain));
    for (const name of ["tempo", "swing"]) $(`band-${name}`).addEventListener("input", () => this.showWishes());
    const look = () => this.pads.forEach((pad) => { pad.painter.readColours(); pad.painter.paint(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look);
    new MutationObserver(look).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    for (const pad of this.pads) new ResizeObserver(() => pad.painter.paint()).observe(pad.box);
    addEventListener("keydown", (event) => {
      if (!this.here || event.key !== " " || event.target.matches("button, input, select, summary, a")) return;
      event.preventDefault();
      this.toggle().catch(complain);
    });
  }

  async enter() {
    this.here = true;
    const styles = this.wishes.styles.filter((style) => style.can.includes("morph"));
    $("band-none").hidden = styles.length > 0;
    $("pads").hidden = $("band-bar").hidden = !styles.length;
    // There may be other styles and takes than before.
    for (const pad of this.pads) this.showStyles(pad, styles);
    if (!styles.length || this.begun) {
      this.hear({ type: "take" });
      return;
    }
    const kept = memory.get("band", {});
    this.meter = kept.meter ?? this.meter;
    $("band-tempo").value = kept.tempo ?? 110;
    $("band-swing").value = kept.swing ?? 50;
    this.showWishes();
    this.showMeters(styles);
    this.begun = true;
    await Promise.all(this.pads.map((pad, at) => this.fill(pad, styles, kept.pads?.[at])));
  }

  showStyles(pad, styles) {
    pad.parts.style.replaceChildren(...styles.map((style) => make("option", { value: style.name }, style.title)));
    pad.parts.style.value = pad.style?.name ?? styles[0]?.name;
  }

  async fill(pad, styles, kept) {
    const own = styles.find((style) => style.window.parts.includes(pad.kind) && style.window.parts.length === 1) ?? styles[0];
    const known = styles.some((style) => style.name === kept?.style);
    if (known) pad.kept = kept;
    await pad.take(known ? kept.style : own.name, known);
  }

  leave() {
    this.here = false;
    this.stop();
  }

  takes() {
    return [...this.history.takes.values()].filter((take) => take.summary.meter === this.meter)
      .sort((a, b) => b.created - a.created).slice(0, MOST_TAKES);
  }

  hear(event) {
    if (event.type === "take" && this.begun) this.pads.forEach((pad) => pad.showCorners());
  }

  // -- wishes -------------------------------------------------------------------------------------

  showMeters(styles) {
    const meters = [...new Set(styles.flatMap((style) => style.window.meters))];
    $("band-meter").replaceChildren(...meters.map((meter) => make("option", { value: meter }, meter)));
    $("band-meter").value = this.meter;
  }

  // In another metre nothing that is there can be played: all is drawn anew.
  async setMeter(meter) {
    const lacking = this.pads.filter((pad) => !pad.style.window.meters.includes(meter));
    if (lacking.length) {
      $("band-meter").value = this.meter;
      throw new Error(`${lacking.map((pad) => pad.style.title).join(" and ")} cannot play in ${meter}; choose another style first`);
    }
    this.meter = meter;
    this.stop();
    await Promise.all(this.pads.map((pad) => pad.take(pad.style.name)));
  }

  showWishes() {
    const [tempo, swing] = ["tempo", "swing"].map((name) => Number($(`band-${name}`).value));
    Object.assign(this.looper, { tempo, swing: swing / 100 });
    $("band-tempo-out").value = tempo;
    $("band-swing-out").value = swing === 50 ? "none" : `${swing} %`;
    this.keepSoon();
  }

  keepSoon() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => memory.set("band", {
      meter: this.meter, tempo: this.looper.tempo, swing: Math.round(100 * this.looper.swing), pads: this.pads.map((pad) => pad.kept),
    }), 300);
  }

  // -- playing ------------------------------------------------------------------------------------

  async toggle() {
    if (this.looper.on) this.stop();
    else await this.begin();
  }

  async begin() {
    if (!this.pads.some((pad) => pad.cells)) return;
    showIcon($("band-play"), "stop");
    $("band-play").setAttribute("aria-label", "Stop");
    await this.looper.begin();
    this.frame();
  }

  // Whatever is touched is heard.
  sound() {
    if (!this.looper.on) this.begin().catch(complain);
  }

  stop() {
    this.looper.stop();
    showIcon($("band-play"), "play");
    $("band-play").setAttribute("aria-label", "Play");
    this.pads.forEach((pad) => pad.follow());
  }

  mutedChanged() {
    if (this.looper.on) this.looper.showMuted();
    this.keepSoon();
  }

  frame() {
    if (!this.looper.on || !this.here) return;
    const { now } = this.looper;
    if (now) this.pads.forEach((pad, at) => pad.follow(now.sounding[at], now.share));
    requestAnimationFrame(() => this.frame());
  }

  // -- keeping, and what is dropped ---------------------------------------------------------------

  async keep() {
    const heard = this.pads.filter((pad) => pad.cells && !pad.muted);
    if (!heard.length) throw new Error("All are silent: there is nothing to keep.");
    const title = heard.map((pad) => pad.style.title).join(" and ");
    const layers = heard.map((pad) => ({ style: pad.style.name, windows: pad.line }));
    const json = { layers, tempo: this.looper.tempo, swing: this.looper.swing, title };
    const { id } = await ask("/api/band/takes", { method: "POST", json });
    toast(`Kept among your takes: ${title}.`, { action: "Open", onAction: () => this.openTake(id).catch(complain) });
  }

  drop(data, event) {
    const pad = this.pads.find((each) => each.box.contains(event.target)) ?? this.pads[0];
    const corner = Math.max(0, pad.cornerBoxes.indexOf(event.target.closest?.(".corner")));
    first(data.files, pad.needed.length, `${pad.name} has ${pad.needed.length} corners`).forEach((file, number) => this.bring(pad, pad.needed[(corner + number) % pad.needed.length], file).catch(complain));
    return true;
  }

  // A file becomes a take, and the take a corner.
  async bring(pad, corner, file) {
    let job = await send(file);
    while (["waiting", "running"].includes(job.state)) {
      await new Promise((done) => { setTimeout(done, 200); });
      job = await ask(`/api/jobs/${job.id}`);
    }
    if (job.state !== "done") throw new Error(`${job.title}: ${job.error || "cancelled"}`);
    await pad.chooseTake(corner, job.take);
  }
}
