// The list of edits, and the button that makes them. These are methods of the panel.
import { described } from "./document.js";
import { h } from "./dom.js";
import { t } from "./text.js";

export const editsPanel = {
  edits(busy) {
    const { app } = this, { doc, server } = app;
    const names = doc.now.edits.map((edit) => described(doc, edit, server.others, t));
    const { edits: pending, holds } = doc.pending();
    const fresh = pending.length > 0 || (doc.now.kept !== null && !holds && doc.now.edits.length > 0);
    const stale = app.optionsChanged(), any = doc.now.edits.some((edit) => edit.kind !== "front");
    return {
      id: "edits", key: [names, pending.map((edit) => edit.id), holds, busy, app.current, doc.now.kept, stale],
      build: () => [
        h("h2", {}, t("editsTitle")),
        names.length === 0 && h("p", { class: "quiet" }, t("editsNone")),
        h("ol", { class: "edits" }, doc.now.edits.map((edit, k) => h("li", { class: pending.includes(edit) ? "pending" : "" },
          h("button", { id: `edit-${edit.id}`, class: "link", disabled: busy || !edit.thing, onclick: () => app.pick(edit.thing) }, names[k]),
          pending.includes(edit) ? null : h("span", { class: "tag" }, t("kept")),
          h("button", { id: `drop-${edit.id}`, class: "icon small", disabled: busy, "aria-label": t("editDrop", { edit: names[k] }), title: t("editDrop", { edit: names[k] }), onclick: () => app.drop(edit) }, cross())))),
        !busy && h("button", { id: "make", class: "primary", disabled: !any || !(fresh || stale), onclick: () => app.make() }, t(doc.now.kept !== null && !fresh ? "makeAgain" : "make")),
      ],
    };
  },
};

function cross() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "m5 5 10 10M15 5 5 15");
  svg.append(path);
  return svg;
}
