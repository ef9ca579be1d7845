// What is selected, and what shall happen to it. These are methods of the panel.
import { field, h } from "./dom.js";
import { t } from "./text.js";

const percent = (share) => `${share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;

export const selectionPanel = {
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
        h("button", { id: "whole", class: "link", onclick: () => app.askWhole("relook") }, t("wholeAsk")),
      ],
    };
  },
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
        !marks && !thing.words && thing.strokes.length > 0 && h("button", { id: "find-under", class: "quiet-button", onclick: () => app.findUnder(thing) }, t("findUnder")),
        thing.strokes.length > 0 && h("button", { id: "undo-stroke", class: "quiet-button", onclick: () => app.undoStroke(thing) }, t("strokesUndo")),
      ],
    };
  },
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
        h("details", { open: app.moreOpen, ontoggle: (event) => (app.moreOpen = event.target.open) }, h("summary", { id: "more-ways" }, t("moreWays")),
          h("div", { class: "actions" },
            button("fill", "doFill", () => app.askWhole("fill")),
            button("redraw", "doRedraw", () => app.askWhole("redraw")),
            button("front", "doFront", () => app.toggle({ kind: "front", thing: thing.id })))),
        app.asking === "restyle" && this.restyle(thing, own.find((each) => each.kind === "restyle")),
        app.asking === "swap" && h("p", { class: "hint" }, t("swapPick"), " ", h("button", { id: "no-swap", class: "link", onclick: () => app.ask(null) }, t("swapCancel"))),
        !app.asking && !kinds.includes("remove") && this.numbers(thing, edit),
      ],
    };
  },
  restyle(thing, edit) {
    const { app } = this;
    const input = h("input", { id: "restyle-as", value: edit?.as ?? "", placeholder: t("restyleExample"), maxlength: 120, autocomplete: "off" });
    const apply = (event) => {
      event.preventDefault();
      if (input.value.trim()) app.set({ kind: "restyle", thing: thing.id, as: input.value.trim() });
    };
    return h("form", { class: "row", onsubmit: apply }, field(t("restyleAs"), input), h("button", { id: "restyle-set", class: "quiet-button" }, t("apply")));
  },
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
  },
};
