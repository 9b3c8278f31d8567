// Runs in the page: moves controls as a hand would, and notes when what they change is in the DOM.

window.bench = (() => {
  const card = () => document.querySelector(".card").dataset;
  const plot = () => document.querySelector(".stage .plot").dataset;
  const sent = () => document.querySelector(".wb").dataset.sent || "0";
  const text = (name) => document.querySelector(`[data-number="${name}"]`).textContent;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // Resolves with the time at which `holds()` was first true, looking after every DOM change.
  function when(holds) {
    return new Promise((done) => {
      const look = () => {
        if (!holds()) return false;
        watch.disconnect();
        done(performance.now());
        return true;
      };
      const watch = new MutationObserver(look);
      watch.observe(document.body, {
        attributes: true, childList: true, characterData: true, subtree: true,
      });
      look();
    });
  }

  function slide(value) {
    const slider = document.querySelector('.settings input[aria-label="sparsity"]');
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function label(steps, gap) {
    const handle = document.querySelector(".widget-slider .noUi-handle");
    const words = document.querySelector(".bare-label");
    const taken = [];
    for (let step = 0; step < steps; step += 1) {
      const before = words.textContent;
      const start = performance.now();
      handle.dispatchEvent(
        new KeyboardEvent("keydown", { key: "ArrowRight", keyCode: 39, bubbles: true }),
      );
      taken.push((await when(() => words.textContent !== before)) - start);
      await pause(Math.max(0, gap - (performance.now() - start)));
    }
    return taken;
  }

  // For each value: milliseconds until text and picture answer it, and the texts themselves.
  async function known(values, gap) {
    const taken = [];
    for (const value of values) {
      const start = performance.now();
      slide(value);
      const mine = sent();
      const texts = when(() => card().seq === mine && card().exact === "true");
      const drawn = when(() => plot().seq === mine);
      const textAt = await texts;
      const shown = { bytes: text("bytes"), accuracy: text("accuracy") };
      taken.push({ value, text: textAt - start, plot: (await drawn) - start, ...shown });
      await pause(Math.max(0, gap - (performance.now() - start)));
    }
    return taken;
  }

  async function unseen(values, gap) {
    const taken = [];
    for (const value of values) {
      const start = performance.now();
      slide(value);
      const mine = sent();
      const size = (await when(() => card().seq === mine)) - start;
      const first = (await when(() => card().seq === mine && /\d/.test(text("accuracy")))) - start;
      const exact = (await when(() => card().seq === mine && card().exact === "true")) - start;
      taken.push({ value, size, first, exact, bytes: text("bytes"), accuracy: text("accuracy") });
      await pause(gap);
    }
    return taken;
  }

  // As many events as there are values, evenly over `span`; resolves when the last one is exact.
  async function burst(values, span) {
    for (const value of values) {
      slide(value);
      await pause(span / values.length);
    }
    const last = Date.now();
    const start = performance.now();
    const mine = sent();
    const exact = await when(() => card().seq === mine && card().exact === "true");
    return { last: last / 1000, exact: exact - start };
  }

  async function cancel(values, wait) {
    const taken = [];
    for (const value of values) {
      slide(value);
      await when(() => card().busy === "true");
      await pause(wait);
      if (card().busy !== "true") continue;
      const start = performance.now();
      document.querySelector(".progress-bar button").click();
      taken.push((await when(() => card().busy === "false")) - start);
    }
    return taken;
  }

  return { label, known, unseen, burst, cancel };
})();
