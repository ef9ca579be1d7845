// Whole pictures: what is asked of them, and how that is sent. These are methods of the app.
import { api } from "./api.js";
import { chooseSource } from "./source_photo.js";
import { t } from "./text.js";

export const ENGINES = ["sdedit", "prompt-to-prompt", "plug-and-play", "pix2pix-zero"];
export const GUIDERS = ["rescaled", "interval", "apg"];

// What can be drawn: of the whole photo, or of a thing in it.
export const kindsFor = (thing) => (thing ? ["fill", "redraw"] : ["relook", "relayout", "redraw", "transfer-whole"]);

// What the server is asked to draw; `sel` is the number of what alone may change.
export function asked(whole, sel, options) {
  const lines = (text) => (text ?? "").split("\n").map((line) => line.trim()).filter(Boolean);
  const engine = { kind: whole.engine ?? ENGINES[0] };
  if (engine.kind === "sdedit") Object.assign(engine, { strength: whole.strength, repeats: whole.repeats });
  if (engine.kind === "prompt-to-prompt") Object.assign(engine, { weights: weightsOf(whole.weights), blend: whole.blend });
  if (engine.kind === "pix2pix-zero" && (whole.old || whole.new)) engine.bank = { old: lines(whole.old), new: lines(whole.new) };
  const control = whole.controlnet && whole.map ? { model: whole.controlnet, picture: whole.map, scale: whole.scale } : undefined;
  const said = {
    relook: { guider: whole.guider, control },
    relayout: {},
    redraw: { engine, guider: whole.guider, control, where: sel },
    fill: { fill: whole.fill, repaint: whole.fill === "repaint" ? { jump: whole.jump, repeats: whole.repeats } : undefined, where: sel },
    "transfer-whole": { from: whole.from, from_prompt: whole.fromPrompt },
  }[whole.kind];
  const { prompt, steps, seed, method } = options;
  return { kind: whole.kind, as: whole.as, prompt, steps, seed, method, ...said };
}

// Weights of words as they are typed: "striped=1.5, ball=2".
function weightsOf(text) {
  const pairs = (text ?? "").split(",").map((each) => each.split("=").map((part) => part.trim())).filter((pair) => pair[0] && Number.isFinite(Number(pair[1])));
  return pairs.length ? Object.fromEntries(pairs.map(([phrase, weight]) => [phrase, Number(weight)])) : undefined;
}

export const generation = {
  askWhole(kind) {
    [this.whole, this.asking] = [{ ...this.whole, kind }, "whole"];
    this.done();
    document.getElementById("draw")?.scrollIntoView({ block: "nearest" });
  },
  setWhole(name, value) {
    this.whole = { ...this.whole, [name]: value === "" ? undefined : value };
    this.done();
  },
  draw() {
    this.input.settle();
    const sel = this.doc.thing(this.current)?.sel;
    return this.startJob("draw", asked(this.whole, sel, this.doc.options));
  },
  drawFromWords(prompt) {
    this.doc.options.prompt = prompt;
    return this.startJob("draw", { kind: "generate", prompt });
  },
  // The look of the whole of another photo.
  async takeWholeLook() {
    const chosen = await chooseSource(this.server.others, (wanted) => this.once(wanted), true);
    if (chosen) this.whole = { ...this.whole, from: chosen.other.name, fromPrompt: chosen.words };
    this.done();
  },
  takeMap(file) {
    return file && this.attempt(async () => {
      const { number } = await api.addOther(file);
      const state = await this.once((now) => now.others.some((each) => each.number === number));
      this.setWhole("map", state.others.find((each) => each.number === number).name);
    });
  },
  // The result becomes the photo that is edited.
  goOn(made) {
    return this.attempt(() => api.goOn(made.number)).then(() => this.say(t("goneOn", { name: made.name }), true));
  },
};
