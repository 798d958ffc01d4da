// The keyboard.
import { $, complain } from "./parts.js";

export function listenToKeys({ piece, choose, isHere }) {
  const { roll } = piece;
  addEventListener("keydown", (event) => {
    const inField = event.target.matches("input:not([type=range], [type=checkbox], [type=radio]), select, textarea");
    if (inField || !piece.take || !isHere()) return;
    if (act(event) !== false) event.preventDefault();
  });

  function act(event) {
    const { key, shiftKey, altKey } = event;
    const control = event.ctrlKey || event.metaKey;
    const onRoll = event.target === roll.box;
    const onButton = event.target.matches("button, a, summary, input, audio");
    if (control) return withControl(key.toLowerCase(), shiftKey, onRoll);
    if (key === " " && !onButton) return piece.playOrPause().catch(complain);
    if (onRoll) {
      const done = inRoll(key, shiftKey, altKey);
      if (done !== false) return done;
    }
    if (altKey) return false;
    if (key === "Escape") {
      roll.select([]);
      return roll.chooseBars();
    }
    const letters = {
      v: () => choose("select"), b: () => choose("draw"), l: () => $("loop").click(), r: () => $("regenerate").click(),
      "+": () => roll.zoom(1.4), "-": () => roll.zoom(1 / 1.4), 0: () => roll.fit(), Home: () => piece.rewind(),
    };
    return letters[key] ? letters[key]() : false;
  }

  function withControl(key, shiftKey, onRoll) {
    if (key === "z") return shiftKey ? roll.redo() : roll.undo();
    if (key === "y") return roll.redo();
    if (key === "a" && onRoll) return roll.selectAll();
    return false;
  }

  function inRoll(key, shiftKey, altKey) {
    const moves = { ArrowLeft: [-roll.step, 0], ArrowRight: [roll.step, 0], ArrowUp: [0, shiftKey ? 12 : 1], ArrowDown: [0, shiftKey ? -12 : -1] };
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (altKey && moves[key]) return roll.move(...moves[key]);
    if (steps[key]) return roll.stepTo(steps[key]);
    if (["ArrowUp", "ArrowDown"].includes(key) && roll.selected.size) return roll.move(...moves[key]);
    if (["Delete", "Backspace"].includes(key)) return roll.remove();
    // The bar of the chosen note, and with it those up to it.
    if (key === "[" || key === "]") {
      const bar = roll.barOf([...roll.selected].at(-1)?.onset ?? roll.playhead);
      return key === "[" || !roll.chosenBars ? roll.chooseBars(bar) : roll.chooseBars(roll.chosenBars[0], bar);
    }
    return false;
  }
}
