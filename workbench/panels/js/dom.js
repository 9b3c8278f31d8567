// Making elements. `h("p", {class: "a", onclick: f, text: "words"}, child, …)`

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

// Sets a text only where it differs, so that nothing is laid out again for nothing.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let lastId = 0;
export function freshId() {
  lastId += 1;
  return `wb-${lastId}`;
}

// A word with an explanation that shows on hover and on focus, and that screen readers read.
export function term(label, help, className = "") {
  if (!help) return h("span", { className, text: label });
  const id = freshId();
  const tip = h("span", { className: "tip", role: "tooltip", popover: "manual", id, text: help });
  const show = () => {
    tip.showPopover();
    place(tip, word.getBoundingClientRect());
  };
  const hide = () => tip.hidePopover();
  const word = h("span", {
    className: "term-word",
    tabIndex: 0,
    "aria-describedby": id,
    text: label,
    onmouseenter: show,
    onmouseleave: hide,
    onfocus: show,
    onblur: hide,
  });
  return h("span", { className: `term ${className}` }, word, tip);
}

// Below its word where there is room, else above; never past the window's edge.
function place(tip, word) {
  const { width, height } = tip.getBoundingClientRect();
  const below = word.bottom + 6 + height < window.innerHeight;
  tip.style.left = `${Math.max(8, Math.min(word.left, window.innerWidth - width - 8))}px`;
  tip.style.top = `${below ? word.bottom + 6 : word.top - 6 - height}px`;
}
