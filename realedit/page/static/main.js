// Where the page begins.
import { App } from "./app.js";
import { t } from "./text.js";

const $ = (id) => document.getElementById(id);
const app = new App();
globalThis.realedit = app;
app.begin().catch((problem) => {
  $("veil").hidden = false;
  $("veil").textContent = problem.status === 404 || !problem.status ? t("gone") : problem.message;
});
