// The options of edits, folded away. These are methods of the panel.
import { choice, field, h, numberInput, wordsInput } from "./dom.js";
import { t } from "./text.js";

export const optionsPanel = {
  options() {
    const { app } = this, { options } = app.doc, { fillers, segmenters } = app.server.offered;
    const list = (name, values) => choice(`option-${name}`, values, options[name], (value) => app.setOption(name, value));
    const amount = (name, range, example) => numberInput(`option-${name}`, range, options[name], example, (value) => app.setOption(name, value));
    const fills = [["", t("fillAuto")], ["migan", t("fillMigan")], ["photo", t("fillPhoto")], ["model", t("fillModel")], ["repaint", t("fillRepaint")], ...offered(fillers)];
    return {
      id: "options", key: [app.doc.photo],
      build: () => h("details", { open: app.optionsOpen, ontoggle: (event) => (app.optionsOpen = event.target.open) }, h("summary", { id: "options" }, t("options")),
        h("div", { class: "stack" },
          h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); app.look(event.target.elements[0].value); } },
            field(t("prompt"), wordsInput("option-prompt", options.prompt, t("promptExample"), (value) => app.setOption("prompt", value))),
            h("button", { id: "look", class: "quiet-button" }, t("look"))),
          segmenters.length > 0 && field(t("segmenter"), choice("segmenter", [["", t("segmenterOwn")], ...offered(segmenters)], app.segmenter, (value) => app.setSegmenter(value))),
          field(t("fill"), list("fill", fills)),
          field(t("shadow"), list("shadow", [["", t("shadowAuto")], ["none", t("shadowNone")]])),
          field(t("mode"), list("mode", [["", t("modeAuto")], ["composite", t("modeComposite")], ["regenerate", t("modeRegenerate")], ["pixels", t("modePixels")]])),
          field(t("pitch"), amount("pitch", [-80, 80, 1], t("pitchAuto"))),
          h("div", { class: "row" }, field(t("steps"), amount("steps", [2, 1000, 1], "25")), field(t("seed"), amount("seed", [0, undefined, 1], "0")), field(t("feather"), amount("feather", [0, 0.2, 0.005], "0.015"))),
          field(t("method"), list("method", [["", t("modeAuto")], ...["null-text", "negative-prompt", "residual", "ddim"].map((name) => [name, name])])))),
    };
  },
};

// Models by the last part of their names, as far as that tells them apart.
export function offered(models) {
  const short = (name) => name.split("/").at(-1);
  return models.map((name) => [name, models.filter((each) => short(each) === short(name)).length > 1 ? name : short(name)]);
}
