// How photos come to the page: chosen, dropped or pasted. These are methods of the app.
import { api } from "./api.js";
import { t } from "./text.js";

const $ = (id) => document.getElementById(id);

export const opening = {
  wire() {
    const file = $("file");
    for (const id of ["choose", "open"]) $(id).addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      if (file.files[0]) this.openFile(file.files[0]);
      file.value = "";
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("dragenter", () => document.body.classList.add("over"));
    addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.classList.remove("over"));
    addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("over");
      this.take(event.dataTransfer);
    });
    addEventListener("paste", (event) => event.clipboardData.files.length && this.take(event.clipboardData));
    $("from-words").addEventListener("submit", (event) => {
      event.preventDefault();
      const prompt = $("words").value.trim();
      if (prompt) this.begun.then(() => this.drawFromWords(prompt));
    });
    $("undo").addEventListener("click", () => this.step(-1));
    $("redo").addEventListener("click", () => this.step(1));
    $("split").addEventListener("input", (event) => this.split(event.target.value / 1000));
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=range])")) return;
      if (event.key === "z" || event.key === "y") {
        event.preventDefault();
        this.step(event.key === "y" || event.shiftKey ? 1 : -1);
      }
    });
  },
  take(data) {
    const [first, ...more] = data.files;
    if (!first) return this.photo() ? this.fail(t("notPhoto")) : ($("open-error").textContent = t("notPhoto"));
    if (document.getElementById("other").open) return;
    this.openFile(first);
    if (more.length) this.flash(t("tooMany", { name: first.name }));
  },
  async openFile(file) {
    $("open-error").textContent = "";
    this.note = t("opening", { name: file.name || "photo" });
    document.body.classList.add("opening");
    try {
      await this.begun;
      await api.open(file);
    } catch (problem) {
      $("open-error").textContent = problem.message;
      this.fail(problem.message);
    } finally {
      document.body.classList.remove("opening");
      this.render();
    }
  },
};
