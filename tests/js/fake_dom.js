// @ts-check
// A document as far as the classes of the page need it in tests: elements with attributes, texts, children, listeners
// and the focus. It has no layout, and events do not bubble.

class FakeElement extends EventTarget {
  /** @type {(FakeElement | string)[]} */ childNodes = [];
  /** @type {FakeElement | null} */ parent = null;
  /** @type {Record<string, string>} */ dataset = {};
  /** @type {Map<string, string>} */ attributes = new Map();
  validity = { badInput: false };
  classes = new Set();
  clientWidth = 0;
  className = "";
  id = "";
  value = "";
  type = "";
  title = "";
  hidden = false;
  checked = false;
  open = false;
  noValidate = false;
  /** @type {any} */ files = null;
  max = 0;
  tabIndex = -1;

  /** @param {string} tag */
  constructor(tag) {
    super();
    this.tagName = tag.toUpperCase();
    this.style = { setProperty: (/** @type {string} */ name, /** @type {string} */ value) => ({ name, value }) };
    this.classList = {
      toggle: (/** @type {string} */ name, /** @type {boolean} */ on) =>
        on ? this.classes.add(name) : this.classes.delete(name),
      add: (/** @type {string} */ name) => this.classes.add(name),
      remove: (/** @type {string} */ name) => this.classes.delete(name),
      contains: (/** @type {string} */ name) => this.classes.has(name),
    };
  }

  get children() {
    return this.childNodes.filter((node) => node instanceof FakeElement);
  }

  get childElementCount() {
    return this.children.length;
  }

  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  get isConnected() {
    return this.parent !== null;
  }

  get ariaInvalid() {
    return this.getAttribute("aria-invalid");
  }

  /** @returns {string} */
  get textContent() {
    return this.childNodes.map((node) => (typeof node === "string" ? node : node.textContent)).join("");
  }

  set textContent(text) {
    this.replaceChildren(text);
  }

  get text() {
    return this.textContent;
  }

  get options() {
    return this.querySelectorAll("option");
  }

  get selectedOptions() {
    return this.options.filter(({ value }) => value === this.value);
  }

  /** @type {(name: string, value: string) => void} */
  setAttribute(name, value) {
    this.attributes.set(name, value);
    const key = name.slice("data-".length).replace(/-(.)/g, (_match, letter) => letter.toUpperCase());
    if (name.startsWith("data-")) this.dataset[key] = value;
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  /** @param {string} name */
  removeAttribute(name) {
    this.attributes.delete(name);
  }

  /** @param {(FakeElement | string)[]} nodes */
  append(...nodes) {
    this.insert(this.childNodes.length, nodes);
  }

  /** @param {(FakeElement | string)[]} nodes */
  prepend(...nodes) {
    this.insert(0, nodes);
  }

  /** @param {(FakeElement | string)[]} nodes */
  replaceChildren(...nodes) {
    for (const child of this.children) child.parent = null;
    this.childNodes = [];
    this.insert(0, nodes);
  }

  /** @type {(place: number, nodes: (FakeElement | string)[]) => void} */
  insert(place, nodes) {
    for (const node of nodes) {
      if (typeof node === "string") continue;
      node.remove();
      node.parent = this;
    }
    this.childNodes.splice(place, 0, ...nodes);
  }

  remove() {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter((node) => node !== this);
    this.parent = null;
  }

  /** @type {(node: FakeElement | null) => boolean} */
  contains(node) {
    return node === this || (node !== null && this.contains(node.parent));
  }

  // Selectors of one tag, class or attribute, and of a child.
  /** @type {(selector: string) => FakeElement[]} */
  querySelectorAll(selector) {
    const own = selector.startsWith(":scope > ");
    const matches = matcher(own ? selector.slice(":scope > ".length) : selector);
    const nodes = own ? this.children : this.descendants();
    return nodes.filter(matches);
  }

  /** @param {string} selector */
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  /** @returns {FakeElement[]} */
  descendants() {
    return this.children.flatMap((node) => [node, ...node.descendants()]);
  }

  focus() {
    /** @type {any} */ (document).activeElement = this;
  }

  click() {
    this.dispatchEvent(new Event("click"));
  }

  showModal() {
    this.open = true;
  }

  close() {
    this.open = false;
  }

  scrollIntoView() {}
}

/** @type {(selector: string) => (node: FakeElement) => boolean} */
function matcher(selector) {
  const [, name, value] = /^\[([\w-]+)(?:="(.*)")?\]$/.exec(selector) ?? [];
  if (name)
    return (node) => node.attributes.has(name) && (value ?? node.getAttribute(name)) === node.getAttribute(name);
  if (selector.startsWith(".")) return (node) => node.className.split(" ").includes(selector.slice(1));
  return (node) => node.tagName === selector.toUpperCase();
}

// Replaces the document and what belongs to it.
export function installDom() {
  const document = Object.assign(new EventTarget(), {
    activeElement: null,
    createElement: (/** @type {string} */ tag) => new FakeElement(tag),
    getElementById: () => null,
  });
  const observer = class {
    observe() {}
  };
  const globals = {
    document,
    Node: FakeElement,
    HTMLElement: FakeElement,
    HTMLInputElement: FakeElement,
    ResizeObserver: observer,
    CSS: { escape: (/** @type {string} */ text) => text },
    matchMedia: () => ({ matches: false }),
  };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value: { platform: "Linux x86_64" }, configurable: true });
}

// A channel that keeps what the page sends; `tell` is a message of Python.
export class FakeChannel {
  /** @type {any[][]} */ acts = [];
  /** @type {Record<string, (message: any) => void>} */ handlers = {};

  /** @type {(name: string, handler: (message: any) => void) => void} */
  on(name, handler) {
    this.handlers[name] = handler;
  }

  /** @param {any[]} act */
  act(...act) {
    this.acts.push(act);
  }

  /** @type {(name: string, message: any) => void} */
  tell(name, message) {
    this.handlers[name](message);
  }
}

/** Texts of the page: each is its own key. */
export const LABELS = /** @type {any} */ (new Proxy({}, { get: (_target, key) => String(key) }));
