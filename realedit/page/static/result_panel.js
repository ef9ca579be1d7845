// What came of it: the verdict, the report, and how it is taken away. These are methods of the panel.
import { api } from "./api.js";
import { field, h } from "./dom.js";
import { strings } from "./strings.js";
import { t } from "./text.js";

export const resultPanel = {
  verdict(made) {
    const { app } = this, whole = made.kind !== "edit";
    const [id, label, act] = whole ? ["go-on", "goOn", () => app.goOn(made)]
      : ["keep", made.level === "failed" ? "keepAnyway" : "keep", () => app.keep(made)];
    return {
      id: "verdict", key: [made.number],
      build: () => [
        h("h2", {}, t(made.new ? "newTitle" : "resultTitle")),
        whole ? h("p", { class: "quiet" }, t(made.new ? "newTold" : "goOnTold")) : this.told(made),
        h("div", { class: "row" },
          h("button", { id, class: "primary grow", onclick: act }, t(label)),
          h("button", { id: "discard", class: "quiet-button", onclick: () => app.discard() }, t("discard"))),
      ],
    };
  },
  told(made) {
    const shown = ["object", "outside", "old place", "overlap"];
    const line = ([name, said]) => [h("dt", {}, strings.lines[name] ?? name), h("dd", {}, said)];
    const first = made.lines.filter(([name]) => shown.includes(name)), rest = made.details.filter(([name]) => name !== "verdict");
    return h("div", {},
      h("p", { class: `level ${made.level.split(" ")[0]}` }, h("strong", {}, t(made.level))),
      made.reasons.length > 0 && h("ul", { class: "reasons" }, made.reasons.map((reason) => h("li", {}, reason))),
      h("dl", {}, first.map(line)),
      h("details", {}, h("summary", { id: "report-more" }, t("reportMore")), h("dl", {}, rest.map(line))));
  },
  // What is kept, to be taken away.
  kept() {
    const made = this.app.keptResult();
    return made && this.app.doc.pending().edits.length === 0 ? this.taken(made) : null;
  },
  taken(made) {
    const { app } = this, first = made.kind === "edit";
    const other = made.recipe ? ["recipe", "recipe"] : ["sidecar", "sidecar"];
    const needed = [...(made.needs_recipe ? [made.recipe] : []), ...made.files];
    return {
      id: "taken", key: [made.number, app.saving],
      build: () => [
        h("h2", {}, t("downloadTitle")),
        h("a", { id: "download", class: first ? "primary" : "quiet-button", download: "", href: api.fileOf(made.number, "photo", app.savingOptions()) }, t("download", { name: app.savedName(made) })),
        made.losses.map((loss) => h("p", { class: "quiet" }, loss)),
        h("details", {}, h("summary", { id: "save-more" }, t("format")), this.saving()),
        h("div", { class: "row links" },
          h("a", { id: other[0], class: "quiet-button", download: "", href: api.fileOf(made.number, other[0], app.savingOptions()) }, t(other[1])),
          h("a", { id: "everything", class: "quiet-button", download: "", href: api.fileOf(made.number, "all", app.savingOptions()) }, t("everything"))),
        h("h3", {}, t("command")),
        h("div", { class: "command" }, h("code", { id: "command", tabindex: 0 }, app.savedCommand(made)),
          h("button", { id: "copy", class: "quiet-button", onclick: (event) => app.copy(app.savedCommand(made), event.target) }, t("copy"))),
        needed.length > 0 && h("p", { class: "quiet" }, t("commandFiles", { files: needed.join(", ") })),
        made.level && first && app.staged === null && h("details", {}, h("summary", { id: "kept-report" }, t("reportMore")), this.told(made)),
      ],
    };
  },
  saving() {
    const { app } = this, formats = ["", "jpg", "png", "webp", "tif", "avif"];
    return h("div", { class: "stack" },
      field(t("format"), h("select", { id: "format", onchange: (event) => app.setSaving("format", event.target.value) },
        formats.map((format) => h("option", { value: format, selected: (app.saving.format ?? "") === format }, format ? `.${format}` : t("formatOwn"))))),
      h("label", { class: "check" }, h("input", { id: "strip-place", type: "checkbox", checked: app.saving.place === "no", onchange: (event) => app.setSaving("place", event.target.checked ? "no" : "") }), t("stripPlace")),
      h("label", { class: "check" }, h("input", { id: "no-mark", type: "checkbox", checked: app.saving.mark === "no", onchange: (event) => app.setSaving("mark", event.target.checked ? "no" : "") }), t("noMark")),
      app.server.offered.signing && h("label", { class: "check" }, h("input", { id: "sign", type: "checkbox", checked: app.saving.sign === "yes", onchange: (event) => app.setSaving("sign", event.target.checked ? "yes" : "") }), t("sign")));
  },
};
