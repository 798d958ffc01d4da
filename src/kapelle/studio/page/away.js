// Taking a take away: as a file, by a link, or by pulling it out of the page.
import { session } from "./api.js";
import { $, complain, make, toast } from "./parts.js";

const SHORT = { mid: "MIDI", musicxml: "MusicXML", "stems.zip": "Stems", kapelle: "Project" };

export function showForms(take, locked) {
  const forms = session.forms.filter((form) => form.suffix !== "pdf" || session.sheet);
  const links = forms.map((form) => {
    const link = make("a", { href: `/api/takes/${take.id}/files/${form.suffix}`, download: "", draggable: "true",
      title: `${form.name}. Pull it out of the page, or click`, "data-suffix": form.suffix }, SHORT[form.suffix] ?? form.suffix.toUpperCase());
    link.addEventListener("dragstart", (event) => {
      const name = `${take.title.replace(/[^\w -]+/g, " ").trim() || "kapelle"}.${form.suffix}`;
      event.dataTransfer.setData("DownloadURL", `${form.type}:${name}:${link.href}`);
      event.dataTransfer.setData("text/uri-list", link.href);
      event.dataTransfer.effectAllowed = "copy";
    });
    return link;
  });
  const copy = make("button", { class: "link", title: "An address that opens this take on this machine" }, "Copy link");
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(`${location.origin}/#take=${take.id}`);
      toast("The link is copied. It opens this take on this machine, while the studio runs.");
    } catch {
      complain(new Error(`the browser lets nothing be copied; the link is ${location.origin}/#take=${take.id}`));
    }
  });
  $("forms").replaceChildren(make("span", { class: "soft" }, "Take away"), ...links, copy);
  $("forms").hidden = locked;
}
