// Runs in the page: drags the sparsity slider and counts the results that become visible.

window.visit = (() => {
  const card = () => document.querySelector(".card").dataset;
  const accuracy = () => document.querySelector('[data-number="accuracy"]').textContent;
  const frame = () => new Promise(requestAnimationFrame);

  const slider = () => document.querySelector('.settings input[type="range"][aria-label*="sparsity"]');
  const point = (type) => slider().dispatchEvent(new PointerEvent(type, { bubbles: true }));

  function slide(value) {
    slider().value = value;
    slider().dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Moves through `values` in `seconds`, and returns how many results were shown.
  async function drag(values, seconds) {
    const shown = new Set();
    slider().focus(); // loads what measuring needs, as a hand on the slider does
    point("pointerdown");
    const start = performance.now();
    let position = -1;
    for (let share = 0; share < 1; share = (performance.now() - start) / (1000 * seconds)) {
      const next = Math.floor(share * values.length);
      if (next !== position) slide(values[next]);
      position = next;
      await frame();
      if (/\d/.test(accuracy())) shown.add(card().seq);
    }
    return shown.size - 1; // without the one from before
  }

  // Returns the seconds until the result of `value` is exact.
  async function release(value) {
    const start = performance.now();
    slide(value);
    point("pointerup");
    const { sent } = document.querySelector(".wb").dataset;
    while (card().seq !== sent || card().exact !== "true" || card().busy !== "false") await frame();
    return (performance.now() - start) / 1000;
  }

  return { drag, release };
})();
