// Files that are dropped on the page or chosen: where they go depends on the view.
import { ask, session } from "./api.js";
import { $, complain } from "./parts.js";

const MOST_FILES = 50;

export async function bringIn(files, own) {
  const list = [...files].slice(0, MOST_FILES);
  if (files.length > MOST_FILES) {
    complain(new Error(`${MOST_FILES} files at once are what the studio takes; the other ${files.length - MOST_FILES} were left out. To learn from many, open Train.`));
  }
  for (const file of list) {
    try {
      if (file.size > session.max_bytes) throw new Error(`${file.name}: expected at most ${session.max_bytes >> 20} MB, got ${Math.ceil(file.size / 2 ** 20)}`);
      own(await ask(`/api/imports?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file }));
    } catch (error) {
      complain(error);
    }
  }
}

// Calls `onDrop` with what was dropped, its files and what can read folders, and where.
export function dropping(onDrop) {
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  const hide = () => { depth = 0; $("drop").hidden = true; };
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; $("drop").hidden = false; } });
  addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) hide(); });
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    hide();
    onDrop(event.dataTransfer, event);
  });
}
