// The panel beside the photo: what is selected, what shall happen, and what came of it. It draws what `app` knows, and
// calls what `app` does.
import { api } from "./api.js";
import { Sections, field, h } from "./dom.js";
import { described } from "./model.js";
import { strings, t } from "./strings.js";

const percent = (share) => `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;

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
    const { app } = this, { doc, server } = app, busy = app.busy();
    if (!app.photo()) return this.sections.show([]);
    const thing = doc.thing(app.current), staged = app.stagedResult();
    this.sections.show([
      this.trouble(),
      busy && this.progress(app.running() ? server.job : { stage: t("beginning"), step: 0 }),
      !busy && staged && this.verdict(staged),
      !busy && !staged && !thing && this.begin(),
      !busy && !staged && thing && this.selected(thing),
      !busy && !staged && thing && this.actions(thing),
      !staged && this.edits(busy),
      !busy && !staged && this.taken(),
      !busy && !staged && this.options(),
    ]);
  }

  trouble() {
    const { error, note } = this.app;
    return (error || note) && {
      id: "trouble", key: [error, note],
      build: () => [error && h("p", { class: "error", role: "alert", id: "error" }, error), note && h("p", { class: "quiet" }, note)],
    };
  }

  begin() {
    const { app } = this, { words, looking } = app.server;
    const seeking = looking && ["waiting", "running"].includes(looking.state);
    return {
      id: "begin", key: [words, seeking, app.selecting],
      build: () => [
        h("h2", {}, t("startTitle")),
        h("p", { class: "quiet" }, app.selecting ? t("selecting") : t("startHint")),
        seeking && h("p", { class: "quiet" }, t("wordsLooking")),
        words.length > 0 && h("div", { class: "chips", role: "group", "aria-label": t("wordsTitle") }, words.map((word, k) =>
          h("button", { id: `word-${k}`, class: "chip", onclick: () => app.chooseWords(word) }, word))),
        h("button", { id: "insert", class: "link", onclick: () => app.takeFrom("insert") }, t("insertFrom")),
      ],
    };
  }

  selected(thing) {
    const { app } = this, selection = app.selectionOf(thing), marks = thing.words ? null : thing.marks;
    const ways = [["new", "clickNew"], ["more", "clickMore"], ["less", "clickLess"]];
    return {
      id: "selected", key: [thing.id, thing.name, thing.strokes.length, selection?.size, app.clicks, app.selecting, Boolean(marks)],
      build: () => [
        h("div", { class: "row" },
          h("label", { class: "field grow" }, h("span", {}, t("name")), h("input", {
            id: "thing-name", value: thing.name, maxlength: 60, readonly: Boolean(thing.words), autocomplete: "off",
            onchange: (event) => app.rename(thing, event.target.value),
          })),
          h("button", { id: "forget", class: "quiet-button", onclick: () => app.deselect() }, t("forget"))),
        h("p", { class: "quiet" }, app.selecting ? t("selecting") : selection?.box ? t("thingSize", { share: percent(selection.size) }) : ""),
        marks && h("fieldset", { class: "ways" }, h("legend", {}, t("clickMeans")), ways.map(([value, key]) =>
          h("label", {}, h("input", { id: `clicks-${value}`, type: "radio", name: "clicks", value, checked: app.clicks === value, onchange: () => app.setClicks(value) }), h("span", {}, t(key))))),
        thing.strokes.length > 0 && h("button", { id: "undo-stroke", class: "quiet-button", onclick: () => app.undoStroke(thing) }, t("strokesUndo")),
      ],
    };
  }

  actions(thing) {
    const { app } = this, { doc } = app, edit = doc.placeOf(thing.id), own = doc.editsOf(thing.id), selection = app.selectionOf(thing);
    if (!selection?.box) return null;
    const kinds = own.map((each) => each.kind);
    const button = (kind, key, act) => h("button", {
      id: `do-${kind}`, class: "action", "aria-pressed": String(app.asking ? app.asking === kind : kinds.includes(kind)), onclick: act,
    }, t(key));
    return {
      id: "actions", key: [thing.id, own, app.asking, edit, selection.version],
      build: () => [
        h("h2", {}, t("whatTitle")),
        h("div", { class: "actions", role: "group", "aria-label": t("whatTitle") },
          button("move", "doMove", () => app.startPlace("move")),
          button("remove", "doRemove", () => app.toggle({ kind: "remove", thing: thing.id })),
          button("duplicate", "doDuplicate", () => app.startPlace("duplicate")),
          button("restyle", "doRestyle", () => app.ask("restyle")),
          button("transfer", "doTransfer", () => app.takeFrom("transfer")),
          button("swap", "doSwap", () => app.ask("swap"))),
        app.asking === "restyle" && this.restyle(thing, own.find((each) => each.kind === "restyle")),
        app.asking === "swap" && h("p", { class: "hint" }, t("swapPick"), " ", h("button", { id: "no-swap", class: "link", onclick: () => app.ask(null) }, t("swapCancel"))),
        !app.asking && !kinds.includes("remove") && this.numbers(thing, edit),
      ],
    };
  }

  restyle(thing, edit) {
    const { app } = this;
    const input = h("input", { id: "restyle-as", value: edit?.as ?? "", placeholder: t("restyleExample"), maxlength: 120, autocomplete: "off" });
    const apply = (event) => {
      event.preventDefault();
      if (input.value.trim()) app.set({ kind: "restyle", thing: thing.id, as: input.value.trim() });
    };
    return h("form", { class: "row", onsubmit: apply }, field(t("restyleAs"), input), h("button", { id: "restyle-set", class: "quiet-button" }, t("apply")));
  }

  // How far it goes, in pixels of the photo, and how large it becomes: the same by the keyboard.
  numbers(thing, edit) {
    const { app } = this, [width, height] = app.photo().size;
    const d = edit?.d ?? [0, 0], scale = edit?.scale ?? 1;
    const number = (id, label, value, unit, change, least) => h("label", { class: "field number" }, h("span", {}, label),
      h("span", { class: "unit" }, h("input", { id, type: "number", value, min: least, step: 1, onchange: (event) => Number.isFinite(event.target.valueAsNumber) && change(event.target.valueAsNumber) }), unit));
    return h("div", { class: "numbers" }, h("p", { class: "quiet" }, t("moveHint")), h("div", { class: "row" },
      number("move-x", t("right"), Math.round(d[0] * width), t("pixels"), (value) => app.place(thing, [value / width, d[1]], scale)),
      number("move-y", t("down"), Math.round(d[1] * height), t("pixels"), (value) => app.place(thing, [d[0], value / height], scale)),
      number("move-scale", t("size"), Math.round(scale * 100), t("percent"), (value) => app.place(thing, d, Math.max(0.05, value / 100)), 5)));
  }

  edits(busy) {
    const { app } = this, { doc, server } = app;
    const names = doc.now.edits.map((edit) => described(doc, edit, server.others, t));
    const { edits: pending, holds } = doc.pending();
    const fresh = pending.length > 0 || (doc.now.kept !== null && !holds && doc.now.edits.length > 0);
    const stale = app.optionsChanged();
    return {
      id: "edits", key: [names, pending.map((edit) => edit.id), holds, busy, app.current, doc.now.kept, stale],
      build: () => [
        h("h2", {}, t("editsTitle")),
        names.length === 0 && h("p", { class: "quiet" }, t("editsNone")),
        h("ol", { class: "edits" }, doc.now.edits.map((edit, k) => h("li", { class: pending.includes(edit) ? "pending" : "" },
          h("button", { id: `edit-${edit.id}`, class: "link", disabled: busy || !edit.thing, onclick: () => app.pick(edit.thing) }, names[k]),
          pending.includes(edit) ? null : h("span", { class: "tag" }, t("kept")),
          h("button", { id: `drop-${edit.id}`, class: "icon small", disabled: busy, "aria-label": t("editDrop", { edit: names[k] }), title: t("editDrop", { edit: names[k] }), onclick: () => app.drop(edit) }, cross())))),
        !busy && h("button", { id: "make", class: "primary", disabled: names.length === 0 || !(fresh || stale), onclick: () => app.make() }, t(doc.now.kept !== null && !fresh ? "makeAgain" : "make")),
      ],
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

  verdict(made) {
    const { app } = this;
    return {
      id: "verdict", key: [made.number],
      build: () => [
        h("h2", {}, t("resultTitle")),
        this.told(made),
        h("div", { class: "row" },
          h("button", { id: "keep", class: "primary grow", onclick: () => app.keep(made) }, t(made.level === "failed" ? "keepAnyway" : "keep")),
          h("button", { id: "discard", class: "quiet-button", onclick: () => app.discard() }, t("discard"))),
      ],
    };
  }

  told(made) {
    const shown = ["object", "outside", "old place", "overlap"];
    const line = ([name, said]) => [h("dt", {}, strings.lines[name] ?? name), h("dd", {}, said)];
    const first = made.lines.filter(([name]) => shown.includes(name)), rest = made.details.filter(([name]) => name !== "verdict");
    return h("div", {},
      h("p", { class: `level ${made.level.split(" ")[0]}` }, h("strong", {}, t(made.level))),
      made.reasons.length > 0 && h("ul", { class: "reasons" }, made.reasons.map((reason) => h("li", {}, reason))),
      h("dl", {}, first.map(line)),
      h("details", {}, h("summary", { id: "report-more" }, t("reportMore")), h("dl", {}, rest.map(line))));
  }

  // What is kept, to be taken away.
  taken() {
    const { app } = this, made = app.keptResult();
    if (!made || app.doc.pending().edits.length > 0) return null;
    return {
      id: "taken", key: [made.number, app.saving],
      build: () => [
        h("h2", {}, t("downloadTitle")),
        h("a", { id: "download", class: "primary", download: "", href: api.fileOf(made.number, "photo", app.savingOptions()) }, t("download", { name: app.savedName(made) })),
        made.losses.map((loss) => h("p", { class: "quiet" }, loss)),
        h("details", {}, h("summary", { id: "save-more" }, t("format")), this.saving()),
        h("div", { class: "row links" },
          h("a", { id: "recipe", class: "quiet-button", download: "", href: api.fileOf(made.number, "recipe") }, t("recipe")),
          h("a", { id: "everything", class: "quiet-button", download: "", href: api.fileOf(made.number, "all", app.savingOptions()) }, t("everything"))),
        h("h3", {}, t("command")),
        h("div", { class: "command" }, h("code", { id: "command", tabindex: 0 }, app.savedCommand(made)),
          h("button", { id: "copy", class: "quiet-button", onclick: (event) => app.copy(app.savedCommand(made), event.target) }, t("copy"))),
        (made.needs_recipe || made.files.length > 0) && h("p", { class: "quiet" }, t("commandFiles", { files: [...(made.needs_recipe ? [made.recipe] : []), ...made.files].join(", ") })),
        h("details", {}, h("summary", { id: "kept-report" }, t("reportMore")), this.told(made)),
      ],
    };
  }

  saving() {
    const { app } = this, formats = ["", "jpg", "png", "webp", "tif", "avif"];
    return h("div", { class: "stack" },
      field(t("format"), h("select", { id: "format", onchange: (event) => app.setSaving("format", event.target.value) },
        formats.map((format) => h("option", { value: format, selected: (app.saving.format ?? "") === format }, format ? `.${format}` : t("formatOwn"))))),
      h("label", { class: "check" }, h("input", { id: "strip-place", type: "checkbox", checked: app.saving.place === "no", onchange: (event) => app.setSaving("place", event.target.checked ? "no" : "") }), t("stripPlace")),
      h("label", { class: "check" }, h("input", { id: "no-mark", type: "checkbox", checked: app.saving.mark === "no", onchange: (event) => app.setSaving("mark", event.target.checked ? "no" : "") }), t("noMark")));
  }

  options() {
    const { app } = this, { options } = app.doc;
    const choice = (name, values) => h("select", { id: `option-${name}`, onchange: (event) => app.setOption(name, event.target.value) },
      values.map(([value, key]) => h("option", { value, selected: (options[name] ?? "") === value }, key ? t(key) : value)));
    const number = (name, least, most, step, example) => h("input", {
      id: `option-${name}`, type: "number", min: least, max: most, step, value: options[name] ?? "", placeholder: example,
      onchange: (event) => app.setOption(name, event.target.value === "" ? "" : event.target.valueAsNumber),
    });
    return {
      id: "options", key: [app.doc.photo],
      build: () => h("details", { open: app.optionsOpen, ontoggle: (event) => (app.optionsOpen = event.target.open) }, h("summary", { id: "options" }, t("options")),
        h("div", { class: "stack" },
          h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); app.look(event.target.elements[0].value); } },
            field(t("prompt"), h("input", { id: "option-prompt", value: options.prompt ?? "", placeholder: t("promptExample"), maxlength: 300, autocomplete: "off", onchange: (event) => app.setOption("prompt", event.target.value.trim()) })),
            h("button", { id: "look", class: "quiet-button" }, t("look"))),
          field(t("fill"), choice("fill", [["", "fillAuto"], ["photo", "fillPhoto"], ["model", "fillModel"]])),
          field(t("shadow"), choice("shadow", [["", "shadowAuto"], ["none", "shadowNone"]])),
          field(t("mode"), choice("mode", [["", "modeAuto"], ["composite", "modeComposite"], ["regenerate", "modeRegenerate"]])),
          field(t("pitch"), number("pitch", -80, 80, 1, t("pitchAuto"))),
          h("div", { class: "row" }, field(t("steps"), number("steps", 2, 1000, 1, "25")), field(t("seed"), number("seed", 0, undefined, 1, "0")), field(t("feather"), number("feather", 0, 0.2, 0.005, "0.015"))),
          field(t("method"), choice("method", [["", "modeAuto"], ["null-text"], ["negative-prompt"], ["residual"], ["ddim"]])))),
    };
  }
}

export function cross() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "m5 5 10 10M15 5 5 15");
  svg.append(path);
  return svg;
}
