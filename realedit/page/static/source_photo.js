// The dialog in which a thing of another photo is chosen: the photo, then a click or a box in it.
import { api, loadImage } from "./api.js";
import { field, h } from "./dom.js";
import { follow } from "./gestures.js";
import { Masks } from "./masks.js";
import { Stage } from "./stage.js";
import { t } from "./text.js";

// Asks for a thing of another photo; gives {other, selection, marks} or {other, words}, or null if none is chosen. Of a
// `whole` photo the words say what it shows.
export function chooseSource(known, openState, whole = false) {
  const dialog = document.getElementById("other"), masks = new Masks();
  const error = h("p", { class: "error", role: "alert" });
  let photo = null, selection = null, marks = null, image = null, box = null, stage = null, finish;

  const file = h("input", { type: "file", accept: "image/*,.heic,.heif,.tif,.tiff", hidden: true, "aria-label": t("otherChoose") });
  const words = h("input", { id: "other-words", maxlength: 120, autocomplete: "off", oninput: () => refresh() });
  const take = h("button", { id: "other-take", class: "primary", disabled: true, onclick: () => close({ other: photo, selection, marks, image, words: words.value.trim(), masks }) }, t("otherTake"));
  const element = h("div", { id: "other-stage", class: "stage small", tabindex: 0, "aria-label": t("otherClick"), role: "application" }, h("canvas", { class: "base" }), h("canvas", { class: "over" }));
  const chips = h("div", { class: "chips" }, known.map((each) => h("button", { class: "chip", onclick: () => use(each) }, each.name)));
  dialog.replaceChildren(...[
    h("h2", { id: "other-title" }, t("otherTitle")),
    h("div", { class: "row" }, h("button", { id: "other-choose", class: "quiet-button", onclick: () => file.click() }, t("otherChoose")), chips, file),
    whole ? null : h("p", { class: "quiet" }, t("otherClick")), element, field(t(whole ? "otherShows" : "otherWords"), words), error,
    h("div", { class: "row end" }, h("button", { id: "other-cancel", class: "quiet-button", onclick: () => close(null) }, t("cancel")), take),
  ].filter(Boolean));

  const refresh = () => { take.disabled = !photo || !(selection?.box || words.value.trim()); };
  const failed = (problem) => { error.textContent = problem.message; };

  async function use(found) {
    [photo, selection, marks, error.textContent] = [found, null, null, ""];
    image = await loadImage(api.viewOf(photo));
    stage.show(image, photo.size);
    refresh();
  }

  async function select(wanted) {
    if (!photo || whole) return;
    error.textContent = "";
    try {
      const found = await api.select({ of: photo.number, ...wanted });
      await masks.load(found, image);
      [selection, marks] = [found, wanted];
    } catch (problem) {
      failed(problem);
    }
    stage.redraw(false);
    refresh();
  }

  file.addEventListener("change", async () => {
    if (!file.files[0]) return;
    try {
      const { number } = await api.addOther(file.files[0]);
      const state = await openState((now) => now.others.some((each) => each.number === number && each.ready));
      await use(state.others.find((each) => each.number === number));
    } catch (problem) {
      failed(problem);
    }
  });

  const inside = (place) => stage.toPhoto(place).map((value) => Math.min(0.99999, Math.max(0, value)));
  dialog.showModal();
  stage = new Stage(element, 0);
  stage.scene = (pen) => {
    const cutout = masks.get(selection);
    if (cutout) stage.drawOutline(pen, cutout, stage.boxOn(cutout, [0, 0], [0, 0], 1), "#fff", "#1d5c63");
    if (box) drawBox(pen, box);
  };
  follow(stage, {
    grab: () => null,
    hover: () => {},
    wheel: () => false,
    tap: (place) => select({ points: [inside(place)] }),
    box: (from) => ({
      move(here) { box = [from, here]; stage.redraw(false); },
      end(here) {
        box = null;
        const [a, b] = [inside(from), inside(here)];
        select({ box: [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])] });
      },
      cancel() { box = null; stage.redraw(false); },
    }),
  });

  function close(result) {
    finish(result);
    dialog.close();
  }
  dialog.oncancel = () => finish(null);
  return new Promise((resolve) => { finish = resolve; });
}

export function drawBox(pen, [from, to]) {
  pen.lineWidth = 1.5;
  for (const [colour, dash] of [["rgba(0,0,0,.6)", []], ["#fff", [6, 5]]]) {
    pen.strokeStyle = colour;
    pen.setLineDash(dash);
    pen.strokeRect(from[0], from[1], to[0] - from[0], to[1] - from[1]);
  }
  pen.setLineDash([]);
}
