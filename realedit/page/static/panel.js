// The panel beside the photo: what is selected, what shall happen, and what came of it. It draws what `app` knows, and
// calls what `app` does.
import { Sections, h } from "./dom.js";
import { editsPanel } from "./edits_panel.js";
import { generationPanel } from "./generation_panel.js";
import { optionsPanel } from "./options_panel.js";
import { resultPanel } from "./result_panel.js";
import { selectionPanel } from "./selection_panel.js";
import { t } from "./text.js";

export class Panel {
  constructor(app, root) {
    this.app = app;
    this.sections = new Sections(root);
    // While a button is pressed nothing is built anew: what a field says when it is left must not take the button away.
    this.pressed = this.late = false;
    root.addEventListener("pointerdown", () => (this.pressed = true));
    for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => setTimeout(() => this.released()));
  }

  released() {
    const late = this.late;
    this.pressed = this.late = false;
    if (late) this.render();
  }

  render() {
    if (this.pressed) return (this.late = true);
    const { app } = this, { doc, server } = app, busy = app.busy(), staged = app.stagedResult();
    if (!app.photo() && !busy && !staged) return this.sections.show([]);
    const thing = doc.thing(app.current), free = !busy && !staged && app.photo();
    this.sections.show([
      this.trouble(),
      busy && this.progress(app.running() ? server.job : { stage: t("beginning"), step: 0 }),
      !busy && staged && this.verdict(staged),
      !busy && staged && staged.kind !== "edit" && this.taken(staged),
      free && app.asking !== "whole" && !thing && this.begin(),
      free && app.asking !== "whole" && thing && this.selected(thing),
      free && app.asking !== "whole" && thing && this.actions(thing),
      free && app.asking === "whole" && this.generation(thing),
      !staged && app.photo() && app.asking !== "whole" && this.edits(busy),
      free && app.asking !== "whole" && this.kept(),
      free && this.options(),
    ]);
  }

  trouble() {
    const { error, note } = this.app;
    return (error || note) && {
      id: "trouble", key: [error, note],
      build: () => [error && h("p", { class: "error", role: "alert", id: "error" }, error), note && h("p", { class: "quiet" }, note)],
    };
  }

  progress(job) {
    const { app } = this;
    const waits = job.state === "waiting" && job.ahead > 0;
    const stage = waits ? t("waiting", { count: job.ahead }) : job.stage;
    return {
      id: "progress", key: [stage, job.step, app.stopping],
      build: () => [
        h("div", { class: "progress", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }),
          h("span", { class: "grow" }, app.stopping ? t("stopping") : stage, job.step > 0 && !app.stopping ? h("span", { class: "quiet" }, ` · ${t("stepsDone", { count: job.step })}`) : null)),
        h("button", { id: "stop", class: "quiet-button wide", disabled: app.stopping, onclick: () => app.stop() }, t("stop")),
      ],
    };
  }
}

Object.assign(Panel.prototype, editsPanel, generationPanel, optionsPanel, resultPanel, selectionPanel);
