// What the page shows of what it knows. These are methods of the app.
import { api, loadImage } from "./api.js";
import { t } from "./strings.js";

const $ = (id) => document.getElementById(id);

export const view = {
  // What is shown
  split(value) {
    this.stage.split = value;
    $("split").value = Math.round(value * 1000);
    this.stage.redraw();
  },
  async pictureOf(number) {
    if (!this.pictures.has(number)) this.pictures.set(number, await loadImage(api.resultOf(number)));
    return this.pictures.get(number);
  },
  render() {
    if (!this.server) return;
    const { model } = this.server, state = { done: "modelReady", failed: "modelFailed" }[model.state] ?? "modelLoading";
    $("model-text").textContent = t(state, { name: model.name });
    $("model").dataset.state = model.state;
    $("model").title = model.error ?? "";
    $("undo").disabled = !this.doc.canUndo || this.busy() || this.staged !== null;
    $("redo").disabled = !this.doc.canRedo || this.busy() || this.staged !== null;
    this.showPictures();
    this.input.tools();
    this.panel.render();
  },
  showPictures() {
    const staged = this.stagedResult(), kept = this.keptResult(), open = Boolean(this.photo() || this.busy() || staged);
    if ((document.body.dataset.state === "open") !== open) {
      document.body.dataset.state = open ? "open" : "empty";
      requestAnimationFrame(() => this.stage.resize());
    }
    if (!this.photo() && staged) return this.showDrawn(staged);
    if (!this.photo() || !this.view) return this.stage.clear();
    const size = this.photo().size;
    $("compare").hidden = !staged;
    document.body.dataset.mode = staged ? "compare" : this.busy() ? "busy" : "edit";
    const need = staged?.number ?? (kept && this.doc.pending().holds ? kept.number : null);
    if (need !== null && !this.pictures.has(need)) this.pictureOf(need).then(() => this.render()).catch(() => {});
    const picture = this.pictures.get(need) ?? null;
    const shown = !staged && picture ? picture : this.view;
    this.stage.after = staged ? picture : null;
    const now = this.busy() && this.preview ? this.preview : shown;
    if (this.stage.image !== now || this.stage.size[0] !== size[0]) this.stage.show(now, size);
    this.stage.redraw();
  },
  // A picture that is drawn from words alone has no photo before it.
  showDrawn(made) {
    document.body.dataset.mode = "edit";
    $("compare").hidden = true;
    const picture = this.pictures.get(made.number);
    if (!picture) return this.pictureOf(made.number).then(() => this.render()).catch(() => {});
    this.stage.after = null;
    this.stage.show(picture, made.size);
  },
};
