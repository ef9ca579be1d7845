// What the page shows of what it knows. These are methods of the app.
import { api, loadImage } from "./api.js";
import { t } from "./text.js";

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
  async showPhoto(photo) {
    const other = photo?.number !== this.shown?.number;
    if (other && this.doc.photo !== (photo?.number ?? null)) this.forget(photo);
    this.shown = photo && { number: photo.number, ready: photo.ready };
    if (photo && (photo.ready || photo.browser)) {
      try {
        this.view = await loadImage(api.viewOf(photo));
        this.masks.clear();
      } catch { /* a browser that cannot show the file itself waits for the view */ }
    }
    $("file-name").textContent = photo?.name ?? "";
    $("file-size").textContent = photo ? `${photo.size[0]} × ${photo.size[1]}` : "";
    this.note = photo?.notes.join(". ") ?? "";
    if (photo) requestAnimationFrame(() => this.stage.resize());
  },
  async loadMasks() {
    if (!this.view || !this.server.photo?.ready) return;
    const needed = this.doc.now.things.filter((thing) => thing.sel).map((thing) => this.known.get(thing.sel));
    await Promise.all(needed.filter((each) => each && each.of === this.server.photo.number && !this.masks.get(each)).map((each) => this.masks.load(each, this.view).catch(() => {})));
    for (const thing of this.doc.now.things.filter((each) => each.of !== this.server.photo.number)) await this.loadOther(thing);
  },
  async loadOther(thing) {
    const selection = this.known.get(thing.sel), photo = this.server.others.find((each) => each.number === thing.of);
    if (selection && photo?.ready && !this.masks.get(selection)) await this.masks.load(selection, await loadImage(api.viewOf(photo)));
  },
};
