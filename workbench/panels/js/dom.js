// Creates elements: `h("p", { className: "a", onclick: f, text: "label" }, child, …)`

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

// Sets a text only if it differs, to avoid a layout.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let lastId = 0;
export function uniqueId() {
  lastId += 1;
  return `wb-${lastId}`;
}

// A label with an explanation that shows on hover and on focus, and that screen readers read.
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

// Below the label if there is room, else above; always inside the window.
function place(tip, label) {
  const { width, height } = tip.getBoundingClientRect();
  const below = label.bottom + 6 + height < window.innerHeight;
  tip.style.left = `${Math.max(8, Math.min(label.left, window.innerWidth - width - 8))}px`;
  tip.style.top = `${below ? label.bottom + 6 : label.top - 6 - height}px`;
}
