// @ts-check
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */
/** @typedef {Text & { parentElement: HTMLElement }} ShownText */

/**
 * Returns the pairs of visible texts below the elements of `selector` whose boxes overlap, the texts
 * that are wider than their block, and the number of boxes. Boxes are cut to what scrolled elements inside show, and
 * to the height of their letters.
 * @param {string} selector
 */
(selector) => {
  /** @type {{ node: ShownText, box: Box }[]} */
  const boxes = [];
  /** @type {(box: Box, by: Box) => Box} */
  const cut = (box, by) => ({
    left: Math.max(box.left, by.left),
    right: Math.min(box.right, by.right),
    top: Math.max(box.top, by.top),
    bottom: Math.min(box.bottom, by.bottom),
  });
  /** @param {Box} box */
  const isEmpty = (box) => box.right - box.left < 1 || box.bottom - box.top < 1;
  /** @param {ShownText} node */
  const visible = (node) =>
    node.data.trim() &&
    !node.parentElement.closest(".off-screen, .announcement, style, [popover]") &&
    node.parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  /** @type {(root: Element, node: ShownText, rect: DOMRect) => Box} */
  const shown = (root, node, rect) => {
    const letters = rect.height / 5;
    /** @type {Box} */
    let box = { left: rect.left + 1, right: rect.right - 1, top: rect.top + letters, bottom: rect.bottom - letters };
    for (let up = node.parentElement; up !== root; up = /** @type {HTMLElement} */ (up.parentElement)) {
      if (getComputedStyle(up).overflow !== "visible") box = cut(box, up.getBoundingClientRect());
    }
    return box;
  };

  /** @type {(node: ShownText, rect: DOMRect) => boolean} */
  const isWider = (node, rect) => {
    /** @type {HTMLElement} */
    let block = node.parentElement;
    while (/inline$|contents/.test(getComputedStyle(block).display))
      block = /** @type {HTMLElement} */ (block.parentElement);
    return !block.closest("svg, select") && rect.right > block.getBoundingClientRect().right + 1;
  };

  /** @type {string[]} */
  const wide = [];
  for (const root of document.querySelectorAll(selector)) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = /** @type {ShownText} */ (walker.currentNode);
      if (!visible(node)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        const box = shown(root, node, rect);
        if (isEmpty(box)) continue;
        boxes.push({ node, box });
        if (isWider(node, rect)) wide.push(node.data.trim());
      }
    }
  }
  const found = [];
  for (const [number, one] of boxes.entries()) {
    for (const other of boxes.slice(number + 1)) {
      if (one.node !== other.node && !isEmpty(cut(one.box, other.box))) {
        found.push(`${one.node.data.trim()} / ${other.node.data.trim()}`);
      }
    }
  }
  return { found, wide, count: boxes.length };
}
