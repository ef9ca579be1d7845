// Small tools to build the page's parts.

// An element: properties that begin with "on" are listeners, others attributes; null and false are left out.
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === false || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function field(label, input, hint) {
  return h("label", { class: "field" }, h("span", {}, label), input, hint ? h("span", { class: "quiet" }, hint) : null);
}

// A list to choose from: pairs of a value and its text.
export function choice(id, values, chosen, change) {
  const options = values.map(([value, text]) => h("option", { value, selected: value === (chosen ?? "") }, text));
  return h("select", { id, onchange: (event) => change(event.target.value) }, options);
}

// A number; nothing where it is left empty, which `example` then says.
export function numberInput(id, [min, max, step], value, example, change) {
  const changed = (event) => change(event.target.value === "" ? "" : event.target.valueAsNumber);
  return h("input", { id, type: "number", min, max, step, value: value ?? "", placeholder: example, onchange: changed });
}

export function wordsInput(id, value, example, change) {
  const changed = (event) => change(event.target.value.trim());
  return h("input", { id, value: value ?? "", placeholder: example, maxlength: 300, autocomplete: "off", onchange: changed });
}

// Sections of a panel, of which one is built anew only when what it shows has changed; what has the focus keeps it.
export class Sections {
  constructor(root) {
    this.root = root;
    this.known = new Map();
  }

  show(list) {
    const focused = document.activeElement?.id;
    const within = this.root.contains(document.activeElement);
    const nodes = list.filter(Boolean).map(({ id, key, build }) => {
      const text = JSON.stringify(key);
      const old = this.known.get(id);
      if (old?.text === text) return old.node;
      const node = h("section", { id: `part-${id}` }, build());
      this.known.set(id, { text, node });
      return node;
    });
    const same = nodes.length === this.root.children.length && nodes.every((node, k) => node === this.root.children[k]);
    if (same) return;
    const scroll = this.root.scrollTop;
    this.root.replaceChildren(...nodes);
    this.root.scrollTop = scroll;
    if (within && focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}
