"use strict";
const known = JSON.parse(document.getElementById("known").textContent);
const by = (id) => document.getElementById(id);
const sound = by("sound");
const clips = [...document.querySelectorAll(".clip")];
const key = `kapelle-quiz-${known.quiz}`;
const total = known.sounds.length;

// What has been said so far. It outlives the page where the browser lets a file keep something.
let state = remembered() || { sitting: id(), listener: known.listener, experience: "", answers: [], heard: [], stopped: false };
let playing = null;
let whole = false;

function id() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
function remembered() {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
}
function keep() {
  try { localStorage.setItem(key, JSON.stringify(state)); } catch { /* the page goes on without */ }
}

function render(focus) {
  const at = state.answers.length;
  const over = state.stopped || at === total;
  by("start").hidden = state.experience !== "";
  by("ask").hidden = state.experience === "" || over;
  by("end").hidden = state.experience === "" || !over;
  if (state.experience === "") return;
  if (over) return finish(focus);
  by("where").textContent = `Pair ${at + 1} of ${total}`;
  by("steps").replaceChildren(...known.sounds.map((_, place) => {
    const step = document.createElement("i");
    step.className = place < at ? "done" : "";
    return step;
  }));
  by("stop").hidden = at === 0;
  const ready = state.heard.length === 2;
  for (const clip of clips) {
    const side = clip.dataset.side, name = side.toUpperCase(), heard = state.heard.includes(side), on = playing === side;
    clip.classList.toggle("playing", on);
    clip.classList.toggle("heard", heard);
    clip.querySelector(".state").textContent = on ? "Playing" : heard ? "Heard" : "Not heard yet";
    clip.querySelector(".play").setAttribute("aria-label", `${on ? "Stop" : "Play"} clip ${name}`);
    clip.querySelector(".pick").disabled = !ready;
    if (!on) clip.querySelector("i").style.width = "0";
  }
  const hint = ready ? `Which one is by ${known.whom}? Your first answer counts.` : "Hear both clips to the end; then you can answer.";
  if (by("hint").textContent !== hint) by("hint").textContent = hint;
  if (focus) by("where").focus();
}

function halt() {
  sound.pause();
  playing = null;
}
function play(side) {
  if (playing === side) { halt(); return render(); }
  halt();
  sound.src = known.sounds[state.answers.length][side === "a" ? 0 : 1];
  playing = side;
  whole = true;
  sound.play().catch((error) => {
    // A clip that another one broke off is no fault.
    if (error.name === "AbortError") return;
    halt();
    render();
    by("hint").textContent = "Your browser cannot play this clip.";
  });
  render();
}
sound.addEventListener("seeking", () => { if (sound.currentTime > 0) whole = false; });
sound.addEventListener("timeupdate", () => {
  const clip = clips.find((each) => each.dataset.side === playing);
  if (clip && sound.duration) clip.querySelector("i").style.width = `${100 * sound.currentTime / sound.duration}%`;
});
sound.addEventListener("ended", () => {
  if (playing && whole && !state.heard.includes(playing)) state.heard.push(playing);
  playing = null;
  keep();
  render();
});

function answer(choice) {
  if (choice !== "skip" && state.heard.length < 2) {
    by("hint").textContent = "Not yet: hear both clips to the end first.";
    return;
  }
  halt();
  state.answers.push({ pair: state.answers.length + 1, heard: [...state.heard].sort(), choice });
  state.heard = [];
  keep();
  render(true);
}

function finish(focus) {
  const reply = { format: known.format, version: known.version, quiz: known.quiz, sitting: state.sitting,
    listener: state.listener, experience: state.experience, answers: state.answers };
  const text = `${JSON.stringify(reply, null, 1)}\n`;
  const skipped = state.answers.filter((each) => each.choice === "skip").length;
  const answered = state.answers.length - skipped;
  by("sum").textContent = `You have answered ${answered} of ${total} pairs${skipped ? ` and skipped ${skipped}` : ""}.`;
  by("save").href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  by("save").download = `quiz-answers-${state.sitting.slice(0, 8)}.json`;
  by("copy").value = text;
  if (focus) by("end").querySelector("h2").focus();
}

by("start").addEventListener("submit", (event) => {
  event.preventDefault();
  state.experience = new FormData(by("start")).get("experience") || document.querySelector("[name=experience]:checked").value;
  state.listener = by("listener").value.trim();
  keep();
  render(true);
});
for (const clip of clips) {
  clip.querySelector(".play").addEventListener("click", () => play(clip.dataset.side));
  clip.querySelector(".pick").addEventListener("click", () => answer(clip.dataset.side));
}
by("skip").addEventListener("click", () => answer("skip"));
by("stop").addEventListener("click", () => { halt(); state.stopped = true; keep(); render(true); });
document.addEventListener("keydown", (event) => {
  if (by("ask").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const act = { 1: () => play("a"), 2: () => play("b"), a: () => answer("a"), b: () => answer("b"), s: () => answer("skip") };
  const chosen = act[event.key.toLowerCase()];
  if (chosen) { event.preventDefault(); chosen(); }
});
render();
