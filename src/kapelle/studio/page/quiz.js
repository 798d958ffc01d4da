// The listening test: two clips, one of them by a composer; both are heard, the first answer counts.
import { ask } from "./api.js";
import { $, complain, count, make, memory, showIcon } from "./parts.js";

const KINDS = { S: "the soprano", A: "the alto", T: "the tenor", B: "the bass", AT: "alto and tenor", ATB: "all but the soprano", SATB: "everything" };
const percent = (share) => `${Math.round(100 * share)} %`;

export class View {
  constructor() {
    this.sound = new Audio();
    this.sound.addEventListener("ended", () => this.heard().catch(complain));
    this.sound.addEventListener("timeupdate", () => this.showTime());
    this.sound.addEventListener("seeking", () => { if (this.sound.currentTime > 0) this.whole = false; });
    this.clips = [...document.querySelectorAll("#quiz-ask .clip")];
    for (const clip of this.clips) {
      const { side } = clip.dataset;
      clip.querySelector(".play").addEventListener("click", () => this.play(side).catch(complain));
      clip.querySelector(".pick").addEventListener("click", () => this.act({ do: "answer", side }).catch(complain));
    }
    $("quiz-form").addEventListener("submit", (event) => { event.preventDefault(); this.begin().catch(complain); });
    $("quiz-skip").addEventListener("click", () => this.act({ do: "skip" }).catch(complain));
    $("quiz-again").addEventListener("click", () => this.showStart());
    $("quiz-style").addEventListener("change", () => this.look().catch(complain));
    addEventListener("keydown", (event) => this.key(event));
  }

  async enter() {
    this.here = true;
    const { styles, experiences, needs_music21: needs } = await ask("/api/quiz");
    this.styles = styles;
    $("quiz-none").hidden = styles.length > 0 && !needs;
    $("quiz-form").hidden = !styles.length;
    const before = memory.get("quiz", {});
    $("quiz-style").replaceChildren(...styles.map((style) => make("option", { value: style.name }, style.title)));
    if (styles.some((style) => style.name === before.style)) $("quiz-style").value = before.style;
    $("quiz-experience").replaceChildren(...Object.entries(experiences).map(([name, line]) =>
      make("label", { class: "choice" }, make("input", { type: "radio", name: "experience", value: name, required: true, checked: name === (before.experience ?? "novice") }),
        make("span", {}, make("b", {}, name[0].toUpperCase() + name.slice(1)), make("small", {}, line)))));
    if (styles.length) await this.look();
  }

  leave() {
    this.here = false;
    this.halt();
  }

  get style() { return $("quiz-style").value; }
  get whom() { return this.styles.find((style) => style.name === this.style)?.whom ?? "a composer"; }

  // -- asking and answering -----------------------------------------------------------------------

  async ask(request) {
    const state = await ask(`/api/quiz/${encodeURIComponent(this.style)}`, { method: "POST", json: { sitting: this.sitting ?? "", ...request } });
    this.sitting = state.sitting;
    return state;
  }

  // Goes on with what was begun, also after a reload.
  async look() {
    const turn = this.turn = (this.turn ?? 0) + 1;
    this.sitting = memory.get("quiz", {}).sitting ?? "";
    $("quiz-wait").hidden = false;
    const state = await this.ask({ do: "look" });
    // Another style was chosen meanwhile, or a round begun.
    if (turn !== this.turn) return;
    if (state.question) await this.show(state);
    else {
      this.showStart();
      this.showRows(state);
    }
  }

  async begin() {
    this.turn += 1;
    const experience = $("quiz-form").elements.experience.value;
    const pairs = Number($("quiz-pairs").value);
    $("quiz-form").hidden = true;
    $("quiz-wait").hidden = false;
    const state = await this.ask({ do: "begin", pairs, experience, sitting: "" });
    memory.set("quiz", { style: this.style, experience, sitting: this.sitting });
    await this.show(state);
  }

  async act(request) {
    this.halt();
    await this.show(await this.ask(request));
  }

  async show(state) {
    const { question } = state;
    $("quiz-form").hidden = true;
    $("quiz-end").hidden = Boolean(question);
    // While it goes on, sums would tell what was right.
    $("quiz-results").hidden = true;
    if (!question) {
      this.showRows(state);
      $("quiz-ask").hidden = $("quiz-wait").hidden = true;
      this.showEnd(state);
      return;
    }
    this.heardSides = new Set(question.heard);
    if (this.number !== question.number || !this.sounds) {
      this.number = question.number;
      $("quiz-ask").hidden = true;
      $("quiz-wait").hidden = false;
      this.sounds = undefined;
      const [a, b] = await Promise.all(["a", "b"].map((side) => ask(`/api/quiz/${encodeURIComponent(this.style)}/clips/${side}.mp3`)));
      const url = (data) => URL.createObjectURL(new Blob([data], { type: "audio/mpeg" }));
      this.sounds = { a: url(a), b: url(b) };
    }
    this.total = question.total;
    $("quiz-wait").hidden = true;
    $("quiz-ask").hidden = false;
    this.showQuestion();
  }

  // -- what is shown ------------------------------------------------------------------------------

  showStart() {
    $("quiz-form").hidden = false;
    $("quiz-ask").hidden = $("quiz-wait").hidden = $("quiz-end").hidden = true;
    for (const each of document.querySelectorAll(".whom")) each.textContent = this.whom;
  }

  showQuestion() {
    for (const each of document.querySelectorAll(".whom")) each.textContent = this.whom;
    $("quiz-where").textContent = `Pair ${this.number + 1} of ${this.total}`;
    $("quiz-steps").replaceChildren(...Array.from({ length: this.total }, (_, at) => make("i", { class: at < this.number ? "done" : at === this.number ? "now" : "" })));
    const ready = this.heardSides.size === 2;
    for (const clip of this.clips) {
      const { side } = clip.dataset;
      const on = this.playing === side;
      clip.classList.toggle("playing", on);
      showIcon(clip.querySelector(".play"), on ? "stop" : "play");
      clip.querySelector(".play").setAttribute("aria-label", `${on ? "Stop" : "Play"} clip ${side.toUpperCase()}`);
      clip.querySelector(".state").textContent = on ? "Playing" : this.heardSides.has(side) ? "Heard" : "Not heard yet";
      clip.querySelector(".pick").disabled = !ready;
      if (!on) clip.querySelector("i").style.width = "0";
    }
    $("quiz-hint").textContent = ready ? `Which one is by ${this.whom}? Your first answer counts.` : "Hear both clips to the end; then you can answer.";
  }

  showTime() {
    const clip = this.clips.find((each) => each.dataset.side === this.playing);
    if (clip && this.sound.duration) clip.querySelector("i").style.width = `${(100 * this.sound.currentTime) / this.sound.duration}%`;
  }

  showEnd({ mine, answers }) {
    const told = mine ? `You found ${this.whom} in ${mine.right} of ${count(mine.answers, "pair")}.` : "You skipped all of them.";
    $("quiz-sum").textContent = told;
    $("quiz-means").textContent = mine ? `Who hears as you do finds it ${percent(mine.low)} to ${percent(mine.high)} of the time; guessing is 50 %. So far: ${mine.verdict}.` : "";
    $("quiz-answers").replaceChildren(...answers.map((each) => make("li", { class: each.right === null ? "skipped" : each.right ? "right" : "wrong" },
      make("b", {}, each.right === null ? "–" : each.right ? "✓" : "✗"),
      `Pair ${each.number + 1}: ${KINDS[each.kind] ?? each.kind} was composed`)));
  }

  showRows({ rows }) {
    $("quiz-results").hidden = !rows.length;
    $("quiz-rows").replaceChildren(...rows.map((row) => {
      const bar = make("span", { class: "interval", role: "img", "aria-label": `${percent(row.low)} to ${percent(row.high)}` }, make("i"), make("b"));
      bar.querySelector("i").style.cssText = `left: ${100 * row.low}%; width: ${100 * (row.high - row.low)}%`;
      bar.querySelector("b").style.left = `${100 * row.share}%`;
      const kind = row.name.replace("composed: ", "");
      const name = KINDS[kind] ? `composed: ${KINDS[kind]}` : row.name;
      return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, `${row.right} of ${row.answers}`), make("td", {}, bar), make("td", {}, row.verdict));
    }));
  }

  // -- hearing ------------------------------------------------------------------------------------

  async play(side) {
    const again = this.playing === side;
    this.halt();
    if (!again) {
      this.sound.src = this.sounds[side];
      this.playing = side;
      this.whole = true;
      await this.sound.play();
    }
    this.showQuestion();
  }

  halt() {
    this.sound.pause();
    this.playing = undefined;
  }

  async heard() {
    const { playing, whole } = this;
    this.halt();
    if (playing && whole && !this.heardSides.has(playing)) {
      this.heardSides.add(playing);
      this.showQuestion();
      await this.ask({ do: "hear", side: playing });
    } else this.showQuestion();
  }

  key(event) {
    if (!this.here || $("quiz-ask").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const press = { 1: "[data-side=a] .play", 2: "[data-side=b] .play", a: "[data-side=a] .pick", b: "[data-side=b] .pick", s: "#quiz-skip" }[event.key.toLowerCase()];
    if (!press) return;
    event.preventDefault();
    $("quiz-ask").querySelector(press).click();
  }
}

