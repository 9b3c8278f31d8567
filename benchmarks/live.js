// Runs in the page: moves controls as a user would, and measures when the DOM has changed.

window.bench = (() => {
  const card = () => document.querySelector(".card").dataset;
  const plot = () => document.querySelector(".stage .plot").dataset;
  const sent = () => document.querySelector(".wb").dataset.sent || "0";
  const text = (name) => document.querySelector(`[data-number="${name}"]`).textContent;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Resolves with the time at which `condition()` first holds; it is checked after every DOM change.
  function when(condition) {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return false;
        observer.disconnect();
        resolve(performance.now());
        return true;
      };
      const observer = new MutationObserver(check);
      observer.observe(document.body, {
        attributes: true, childList: true, characterData: true, subtree: true,
      });
      check();
    });
  }

  function move(name, value) {
    const slider = document.querySelector(`.settings input[aria-label="${name}"]`);
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }

  const slide = (value) => move("pruning: sparsity", value);

  async function label(steps, gap) {
    const handle = document.querySelector(".widget-slider .noUi-handle");
    const output = document.querySelector(".plain-label");
    const times = [];
    for (let step = 0; step < steps; step += 1) {
      const before = output.textContent;
      const start = performance.now();
      handle.dispatchEvent(
        new KeyboardEvent("keydown", { key: "ArrowRight", keyCode: 39, bubbles: true }),
      );
      times.push((await when(() => output.textContent !== before)) - start);
      await pause(Math.max(0, gap - (performance.now() - start)));
    }
    return times;
  }

  // For each value: milliseconds until text and figure show it, and the texts themselves.
  async function cached(values, gap) {
    const times = [];
    for (const value of values) {
      const start = performance.now();
      slide(value);
      const id = sent();
      const texts = when(() => card().seq === id && card().exact === "true");
      const drawn = when(() => plot().seq === id);
      const textAt = await texts;
      const shown = { bytes: text("bytes"), accuracy: text("accuracy") };
      times.push({ value, text: textAt - start, plot: (await drawn) - start, ...shown });
      await pause(Math.max(0, gap - (performance.now() - start)));
    }
    return times;
  }

  // For each stop of the temperature: milliseconds until text and figure show its student.
  async function temperatures(stops, gap) {
    const times = [];
    for (const stop of stops) {
      const start = performance.now();
      move("distillation: temperature", stop);
      const id = sent();
      const texts = when(() => card().seq === id && /\d/.test(text("accuracy")));
      const drawn = when(() => plot().seq === id);
      times.push({ text: (await texts) - start, plot: (await drawn) - start });
      await pause(Math.max(0, gap - (performance.now() - start)));
    }
    return times;
  }

  async function uncached(values, gap) {
    const times = [];
    for (const value of values) {
      const start = performance.now();
      slide(value);
      const id = sent();
      const size = (await when(() => card().seq === id)) - start;
      const first = (await when(() => card().seq === id && /\d/.test(text("accuracy")))) - start;
      const exact = (await when(() => card().seq === id && card().exact === "true")) - start;
      times.push({ value, size, first, exact, bytes: text("bytes"), accuracy: text("accuracy") });
      await pause(gap);
    }
    return times;
  }

  // Sends one event per value, evenly over `span` ms; resolves when the last result is exact.
  async function burst(values, span) {
    for (const value of values) {
      slide(value);
      await pause(span / values.length);
    }
    const last = Date.now();
    const start = performance.now();
    const id = sent();
    const exact = await when(() => card().seq === id && card().exact === "true");
    return { last: last / 1000, exact: exact - start };
  }

  // Drags over `values`, one every `gap` ms. Counts the results that a frame shows, in numbers and
  // point, and measures the time from the release to the exact result.
  async function drag(values, gap) {
    const frames = [];
    const started = performance.now();
    let dragging = true;
    const record = () => {
      const { x, y } = document.querySelector(".stage .live .you").dataset;
      frames.push(`${card().seq} ${x} ${y}`);
      if (dragging) requestAnimationFrame(record);
    };
    window.dispatchEvent(new Event("pointerdown"));
    requestAnimationFrame(record);
    for (const value of values) {
      slide(value);
      await pause(gap);
    }
    dragging = false;
    const seconds = (performance.now() - started) / 1000;
    window.dispatchEvent(new Event("pointerup"));
    const released = Date.now() / 1000;
    const start = performance.now();
    const id = sent();
    const exact = await when(() => card().seq === id && card().exact === "true");
    return { rate: (new Set(frames).size - 1) / seconds, exact: exact - start, released };
  }

  async function cancel(values, wait) {
    const times = [];
    for (const value of values) {
      slide(value);
      await when(() => card().busy === "true");
      await pause(wait);
      if (card().busy !== "true") continue;
      const start = performance.now();
      document.querySelector(".progress-bar button").click();
      times.push((await when(() => card().busy === "false")) - start);
    }
    return times;
  }

  return { label, cached, temperatures, uncached, burst, drag, cancel };
})();
