// Words of the page with values put into them, and the markup that is filled with them.
import { strings } from "./strings.js";

export function t(key, values = {}) {
  return strings[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// Fills what the page's own markup names: data-t is the text, data-t-label the name for screen readers.
export function fillIn(root) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    if (node.tagName === "BUTTON" || node.tagName === "LABEL") node.title = t(node.dataset.tLabel);
  }
  for (const node of root.querySelectorAll("[data-t-example]")) node.placeholder = t(node.dataset.tExample);
}
