// @ts-check
// Creates elements: `h("p", { className: "a", onclick: f, text: "label" }, child, …)`

/** @import { Props } from "./types" */

// JupyterLab runs its shortcuts for what has the focus, such as → on a slider, unless it has this attribute.
const WITHOUT_SHORTCUTS = "data-lm-suppress-shortcuts";
const FOCUSABLE = new Set(["a", "button", "input", "select", "summary", "textarea"]);

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} props
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  if (FOCUSABLE.has(tag) || "tabIndex" in props) node.setAttribute(WITHOUT_SHORTCUTS, "true");
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = String(value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name in node && name !== "list" && name !== "form") Object.assign(node, { [name]: value });
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** @type {WeakSet<HTMLButtonElement>} */
const guarded = new WeakSet();

// Disables a button that may have the focus. `disabled` would take it away from users of the keyboard.
/** @type {(button: HTMLButtonElement, disabled: boolean) => void} */
export function setDisabled(button, disabled) {
  button.setAttribute("aria-disabled", String(disabled));
  if (guarded.has(button)) return;
  guarded.add(button);
  const refuse = (/** @type {Event} */ event) => {
    if (button.getAttribute("aria-disabled") !== "true") return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  button.addEventListener("click", refuse, { capture: true });
}

// Sets a text only if it differs, to avoid a layout.
/** @type {(node: Node, text: string) => void} */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const ID_PREFIX = Math.random().toString(36).slice(2); // each widget of a notebook has its own modules
let lastId = 0;
export function uniqueId() {
  lastId += 1;
  return `wb-${ID_PREFIX}-${lastId}`;
}

// A label with an explanation that shows on hover. It is not a tab stop: `describe` shows it when a
// control is focused, and `explanations` lists those of labels without a control.
/** @type {(label: string, help: string, className?: string) => HTMLElement} */
export function term(label, help, className = "") {
  if (!help) return h("span", { className, text: label });
  const tip = h("span", { className: "tip", role: "tooltip", popover: "manual", id: uniqueId(), text: help });
  const target = h("span", { className: "term-label", text: label });
  target.addEventListener("mouseenter", () => showTip(tip, target));
  target.addEventListener("mouseleave", () => tip.hidePopover());
  return h("span", { className: `term ${className}` }, target, tip);
}

// A group of controls under a title. It is no fieldset: Chromium rebuilds a fieldset when one of its
// children appears, which would end the drag of a slider in it.
/** @type {(title: string, head: HTMLElement, props: Props, ...children: (Node | null)[]) => HTMLElement} */
export function group(title, head, props, ...children) {
  head.classList.add("group-title");
  return h("div", { role: "group", "aria-label": title, ...props }, head, ...children);
}

// Lets the explanation of a label describe a control: for screen readers, and on screen while the
// control has the keyboard focus and is not used yet.
/** @type {(control: HTMLElement, label: HTMLElement) => void} */
export function describe(control, label) {
  const tip = label.querySelector(".tip");
  if (!(tip instanceof HTMLElement)) return;
  control.setAttribute("aria-describedby", tip.id);
  control.addEventListener("focusin", () => {
    if (document.activeElement?.matches(":focus-visible")) showTip(tip, control);
  });
  for (const event of ["focusout", "input", "change"]) control.addEventListener(event, () => tip.hidePopover());
  control.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidePopover();
  });
}

// A button that lists explanations, for the keyboard and for screen readers.
/** @type {(label: string, terms: { label: string, help: string }[]) => HTMLElement} */
export function explanations(label, terms) {
  const list = h(
    "dl",
    { className: "explanations", popover: "auto", id: uniqueId() },
    ...terms.flatMap((item) => [h("dt", { text: item.label }), h("dd", { text: item.help })]),
  );
  const button = h("button", {
    type: "button",
    className: "quiet explain",
    text: "?",
    title: label,
    "aria-label": label,
  });
  button.popoverTargetElement = list;
  list.addEventListener("toggle", () => place(list, button.getBoundingClientRect()));
  return h("span", { className: "term" }, button, list);
}

/** @type {(tip: HTMLElement, near: HTMLElement) => void} */
function showTip(tip, near) {
  tip.showPopover();
  place(tip, near.getBoundingClientRect());
}

/** @type {(tip: HTMLElement, label: DOMRect) => void} */
function place(tip, label) {
  const { left, top } = tipPosition(label, tip.getBoundingClientRect(), window.innerWidth, window.innerHeight);
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

// Below the label if there is room, else above; always inside the window.
/**
 * @param {{left: number, top: number, bottom: number}} label
 * @param {{width: number, height: number}} tip
 * @param {number} windowWidth
 * @param {number} windowHeight
 */
export function tipPosition(label, tip, windowWidth, windowHeight) {
  const below = label.bottom + 6 + tip.height < windowHeight;
  return {
    left: Math.max(8, Math.min(label.left, windowWidth - tip.width - 8)),
    top: below ? label.bottom + 6 : label.top - 6 - tip.height,
  };
}
