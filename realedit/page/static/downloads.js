// How results are taken away: their files, and the command that makes the same. These are methods of the app.
import { t } from "./text.js";

export const downloads = {
  setSaving(name, value) {
    this.saving = { ...this.saving, [name]: value };
    this.render();
  },
  savingOptions() { return Object.fromEntries(Object.entries(this.saving).filter(([, value]) => value)); },
  savedName(made) {
    return this.saving.format ? made.name.replace(/\.\w+$/, `.${this.saving.format}`) : made.name;
  },
  savedCommand(made) {
    const said = { place: "--strip-gps", mark: "--no-mark", sign: this.server.offered.signing };
    const more = Object.entries(this.savingOptions()).map(([name, value]) => (name === "format" ? ` --format ${value}` : ` ${said[name]}`));
    return made.command + more.join("");
  },
  async copy(text, button) {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
    setTimeout(() => (button.textContent = t("copy")), 1500);
  },
};
