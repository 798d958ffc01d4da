// MIDI out: what is played can sound elsewhere, where the browser has Web MIDI.
import { $, complain, make } from "./parts.js";

export function midiOut(player) {
  const select = $("midi-out");
  if (!navigator.requestMIDIAccess) return;
  select.hidden = false;
  let access;

  function show() {
    const chosen = select.value;
    const ports = [...access.outputs.values()];
    select.replaceChildren(make("option", { value: "" }, "Here"), ...ports.map((port) => make("option", { value: port.id }, port.name)));
    if (!ports.length) select.append(make("option", { value: "", disabled: true }, "no MIDI port is there"));
    select.value = ports.some((port) => port.id === chosen) ? chosen : "";
    player.setPort(access.outputs.get(select.value));
  }

  // Browsers ask the user before they give it, so it is asked for when it is wanted, not before.
  select.addEventListener("change", async () => {
    if (select.value !== "ask") {
      player.setPort(access?.outputs.get(select.value));
      return;
    }
    select.value = "";
    try {
      access = await navigator.requestMIDIAccess();
      access.addEventListener("statechange", show);
      show();
    } catch {
      complain(new Error("the browser gives no MIDI to this page; allow it in the settings of the site"));
    }
  });
}
