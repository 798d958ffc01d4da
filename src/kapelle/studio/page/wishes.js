// The cards of the styles, and what may be wished.
import { ask, session } from "./api.js";
import { Mix } from "./mix.js";
import { $, complain, count, icon, make, memory, showIcon } from "./parts.js";

const TONICS = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const METERS = ["2/4", "3/4", "4/4", "2/2", "6/8", "9/8", "12/8", "5/4", "7/8"];

// Styles of whole pieces come first, then those of windows; 2 bars come before 16.
const byTitle = (one, other) =>
  Boolean(one.window) - Boolean(other.window) || one.title.localeCompare(other.title, "en", { numeric: true });

export class Wishes {
  constructor(player) {
    this.player = player;
    this.form = $("wish-form");
    this.mix = new Mix();
    this.sound = new Audio();
    this.sound.addEventListener("ended", () => this.hush());
    const anything = ["", "as the style"];
    const keys = ["major", "minor"].flatMap((mode) => TONICS.map((tonic) => `${tonic} ${mode}`));
    this.fill("key", [anything, ...keys.map((key) => [key, key.replace("b ", "♭ ").replace("#", "♯")])]);
    this.fill("meter", [anything, ...METERS.map((meter) => [meter, meter])]);
    this.fill("instrument", [anything, ...session.instruments.map((name) => [name, name])]);
    for (const [name, value] of Object.entries(memory.get("wishes", {}))) {
      const field = this.form.elements[name];
      if (field) field[field.type === "checkbox" ? "checked" : "value"] = value;
    }
    this.form.addEventListener("input", () => this.told());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.told();
  }

  fill(name, options) {
    this.form.elements[name].append(...options.map(([value, text]) => make("option", { value }, text)));
  }

  told() {
    const { bars, temperature } = this.form.elements;
    const free = Number(temperature.value);
    $("bars-out").value = count(Number(bars.value), "bar");
    $("temperature-out").value = `${free.toFixed(2)} ${free < 0.75 ? "safe" : free > 1.1 ? "wild" : ""}`.trim();
    memory.set("wishes", Object.fromEntries(
      [...this.form.elements].filter((field) => field.name).map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]),
    ));
  }

  async loadStyles(wanted) {
    const { styles, problems } = await ask("/api/styles");
    this.styles = styles.sort(byTitle);
    if (wanted) memory.set("style", wanted);
    const wished = memory.get("style", styles.some((style) => style.name === "folk") ? "folk" : styles[0]?.name);
    $("styles").replaceChildren(...styles.map((style) => this.card(style, style.name === wished)));
    problems.forEach((line) => complain(new Error(line)));
    document.querySelector("#styles input:checked")?.closest(".card").scrollIntoView({ block: "nearest", inline: "start" });
    this.mix.show(this.chosen);
    this.onStyle?.();
  }

  card(style, checked) {
    const radio = make("input", { type: "radio", name: "style", value: style.name, checked });
    radio.addEventListener("change", () => {
      memory.set("style", style.name);
      this.form.elements.temperature.value = style.temperature;
      this.told();
      this.mix.show(style);
      this.onStyle?.();
    });
    const listen = make("button", { "aria-label": `Hear ${style.title}`, title: "A short piece in this style" }, icon("play"));
    listen.addEventListener("click", () => this.hear(style, listen));
    const lines = [style.licence, ...style.attribution].filter(Boolean).map((line) => make("p", {}, line));
    const more = make("div", { class: "more", hidden: true }, ...lines);
    const about = make("button", { class: "bare", "aria-expanded": "false", "aria-label": `About ${style.title}`, title: "Licence and sources" }, "i");
    about.addEventListener("click", () => {
      more.hidden = !more.hidden;
      about.setAttribute("aria-expanded", String(!more.hidden));
    });
    const facts = `${style.own ? "yours, " : ""}learnt from ${count(style.pieces, "piece")}`;
    return make("div", { class: "card" },
      make("label", {}, radio, make("b", {}, style.title), make("small", {}, facts)), about, listen, more);
  }

  async hear(style, button) {
    const again = this.sounding === button;
    this.hush();
    if (again) return;
    this.player.pause();
    this.sounding = button;
    button.setAttribute("aria-busy", "true");
    try {
      const url = `/api/styles/${encodeURIComponent(style.name)}/sample.wav`;
      const sound = URL.createObjectURL(new Blob([await ask(url)], { type: "audio/wav" }));
      if (this.sounding !== button) return;
      this.sound.src = sound;
      await this.sound.play();
      button.removeAttribute("aria-busy");
      showIcon(button, "stop");
    } catch (error) {
      this.hush();
      complain(error);
    }
  }

  hush() {
    this.sound.pause();
    if (this.sounding) {
      this.sounding.removeAttribute("aria-busy");
      showIcon(this.sounding, "play");
    }
    this.sounding = undefined;
  }

  get style() {
    return document.querySelector("#styles input:checked")?.value;
  }

  named(name) {
    return this.styles?.find((style) => style.name === name);
  }

  get chosen() {
    return this.named(this.style);
  }

  /** How freely a style is to write: as wished, if it is the one that is chosen; else as suits it. */
  temperatureOf(style) {
    return style.name === this.chosen?.name ? Number(this.form.elements.temperature.value) : null;
  }

  // What the server is asked for; what is left empty the style chooses.
  request() {
    const { bars, key, meter, tempo, instrument, temperature, seed, original } = this.form.elements;
    const number = (field) => (field.value === "" ? null : Number(field.value));
    return {
      kind: "compose",
      style: this.style,
      bars: number(bars),
      key: key.value || null,
      meter: meter.value || null,
      tempo: number(tempo),
      mix: this.mix.shares,
      instruments: instrument.value ? [instrument.value] : [],
      temperature: number(temperature),
      seed: number(seed),
      original: original.checked,
    };
  }
}
