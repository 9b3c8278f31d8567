// @ts-check
// Creates elements: `h("p", { className: "a", onclick: f, text: "label" }, child, …)`

/** @import { Props } from "./types" */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} props
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
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

// A label with an explanation that shows on hover and on focus, and that screen readers read.
/** @type {(label: string, help: string, className?: string) => HTMLElement} */
export function term(label, help, className = "") {
  if (!help) return h("span", { className, text: label });
  const id = uniqueId();
  const tip = h("span", { className: "tip", role: "tooltip", popover: "manual", id, text: help });
  const show = () => {
    tip.showPopover();
    place(tip, target.getBoundingClientRect());
  };
  const hide = () => tip.hidePopover();
  const target = h("span", {
    className: "term-label",
    tabIndex: 0,
    "aria-describedby": id,
    text: label,
    onmouseenter: show,
    onmouseleave: hide,
    onfocus: show,
    onblur: hide,
  });
  return h("span", { className: `term ${className}` }, target, tip);
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
