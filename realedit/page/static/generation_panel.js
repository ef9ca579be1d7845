// The form in which a whole picture, or what is marked of it, is asked to be drawn. These are methods of the panel.
import { choice, field, h, numberInput, wordsInput } from "./dom.js";
import { ENGINES, GUIDERS, kindsFor } from "./generation.js";
import { offered } from "./options_panel.js";
import { t } from "./text.js";

export const generationPanel = {
  generation(thing) {
    const { app } = this, { whole } = app, { controlnets, fillers } = app.server.offered;
    return {
      id: "generation", key: [whole, thing?.id, app.server.others.map((each) => each.name)],
      build: () => h("form", { class: "stack", onsubmit: (event) => { event.preventDefault(); app.draw(); } },
        h("h2", {}, thing ? t("wholeTitleOf", { name: thing.name }) : t("wholeTitle")),
        h("fieldset", { class: "ways" }, h("legend", {}, t("wholeWay")), kindsFor(thing).map((kind) =>
          h("label", {}, h("input", { id: `kind-${kind}`, type: "radio", name: "kind", value: kind, checked: whole.kind === kind, onchange: () => app.setWhole("kind", kind) }), h("span", {}, t(`kind-${kind}`))))),
        h("p", { class: "quiet" }, t(`told-${whole.kind}`)),
        this.generationWords(whole),
        whole.kind !== "relayout" && whole.kind !== "transfer-whole" && h("details", { open: app.wholeOpen, ontoggle: (event) => (app.wholeOpen = event.target.open) },
          h("summary", { id: "whole-more" }, t("wholeMore")),
          h("div", { class: "stack" }, whole.kind === "redraw" && this.engine(whole), whole.kind === "fill" && this.filling(whole, fillers),
            whole.kind !== "fill" && field(t("guider"), choice("whole-guider", [["", t("guiderPlain")], ...GUIDERS.map((name) => [name, name])], whole.guider, (value) => app.setWhole("guider", value))),
            whole.kind !== "fill" && controlnets.length > 0 && this.control(whole, controlnets))),
        h("div", { class: "row" },
          h("button", { id: "draw", class: "primary grow" }, t("draw")),
          h("button", { id: "no-whole", class: "quiet-button", type: "button", onclick: () => app.ask(null) }, t("cancel")))),
    };
  },
  generationWords(whole) {
    const { app } = this;
    if (whole.kind === "transfer-whole") {
      return h("button", { id: "whole-from", type: "button", class: "quiet-button", onclick: () => app.takeWholeLook() }, whole.from ? t("wholeFrom", { name: whole.from }) : t("otherChoose"));
    }
    return whole.kind !== "relayout" && field(t(`words-${whole.kind}`), wordsInput("whole-as", whole.as, t("promptExample"), (value) => app.setWhole("as", value)));
  },
  engine(whole) {
    const { app } = this, said = (name) => (value) => app.setWhole(name, value);
    const name = whole.engine ?? ENGINES[0];
    const text = (id, label) => field(t(label), h("textarea", { id, rows: 3, onchange: (event) => app.setWhole(id, event.target.value) }, whole[id] ?? ""));
    const own = {
      "sdedit": () => h("div", { class: "row" },
        field(t("strength"), numberInput("strength", [0.05, 1, 0.05], whole.strength, "0.5", said("strength"))),
        field(t("repeats"), numberInput("repeats", [1, 20, 1], whole.repeats, "3", said("repeats")))),
      "prompt-to-prompt": () => [
        field(t("weights"), wordsInput("weights", whole.weights, t("weightsExample"), said("weights"))),
        field(t("only"), wordsInput("blend", whole.blend, t("restyleExample"), said("blend")))],
      "pix2pix-zero": () => [text("old", "sentencesOld"), text("new", "sentencesNew")],
      "plug-and-play": () => [],
    }[name];
    return [field(t("engine"), choice("engine", ENGINES.map((each) => [each, t(`engine-${each}`)]), name, said("engine"))), own()];
  },
  filling(whole, fillers) {
    const { app } = this, said = (name) => (value) => app.setWhole(name, value);
    const ways = [["", t("fillAuto")], ["migan", t("fillMigan")], ["photo", t("fillPhoto")], ["repaint", t("fillModel")], ...offered(fillers)];
    return [
      field(t("fillWith"), choice("whole-fill", ways, whole.fill, said("fill"))),
      whole.fill === "repaint" && h("div", { class: "row" },
        field(t("jump"), numberInput("jump", [1, undefined, 1], whole.jump, "10", said("jump"))),
        field(t("repeats"), numberInput("repeats", [1, 50, 1], whole.repeats, "10", said("repeats"))))];
  },
  // A map of edges or depths that the picture follows.
  control(whole, controlnets) {
    const { app } = this;
    const file = h("input", { type: "file", accept: "image/*", hidden: true, "aria-label": t("controlChoose"), onchange: (event) => app.takeMap(event.target.files[0]) });
    return [
      field(t("control"), choice("controlnet", [["", t("controlNone")], ...offered(controlnets)], whole.controlnet, (value) => app.setWhole("controlnet", value))),
      whole.controlnet && h("div", { class: "row" }, file,
        h("button", { id: "map", type: "button", class: "quiet-button", onclick: () => file.click() }, whole.map ?? t("controlChoose")),
        field(t("strength"), numberInput("control-scale", [0, 5, 0.1], whole.scale, "1", (value) => app.setWhole("scale", value))))];
  },
};
