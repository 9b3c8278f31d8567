import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { address, saveState, search, setTheme } from "../../workbench/panels/js/address.js";

let replaced;

// Simulates a page at `query`, alone in its window or embedded in another page.
function openAt(query, standalone = true) {
  globalThis.document = { getElementById: () => (standalone ? {} : null) };
  globalThis.location = { pathname: "/app", search: query };
}

beforeEach(() => {
  replaced = [];
  globalThis.history = { replaceState: (_state, _title, url) => replaced.push(url) };
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

for (const [query, standalone, state] of [
  ["", true, ""],
  ["?theme=dark&lang=de&token=t", true, ""],
  ["?prune.sparsity=0.5&theme=dark", true, "?prune.sparsity=0.5&theme=dark"],
  ["?prune.sparsity=0.5", false, ""],
]) {
  test(`the state of "${query}", standalone: ${standalone}`, () => {
    openAt(query, standalone);
    assert.equal(search(), state);
  });
}

for (const [query, state, expected] of [
  ["", "a=1", "/app?a=1"],
  ["?a=0", "a=1", "/app?a=1"],
  ["?theme=dark&lang=de&token=t", "a=1", "/app?a=1&theme=dark&lang=de"],
  ["?theme=dark", "", "/app?theme=dark"],
]) {
  test(`the address of "${state}" on a page at "${query}"`, () => {
    openAt(query);
    assert.equal(address(state), expected);
  });
}

test("only the newest of several quick changes is saved", () => {
  openAt("");
  saveState("a=1");
  mock.timers.tick(200);
  saveState("a=2");
  mock.timers.tick(200);
  assert.deepEqual(replaced, []);
  mock.timers.tick(200);
  assert.deepEqual(replaced, ["/app?a=2"]);
});

test("the theme replaces the theme of the address", () => {
  openAt("?a=%2B1&theme=dark");
  setTheme("light");
  assert.deepEqual(replaced, ["/app?a=%2B1&theme=light"]);
});

test("an embedded page does not change the address", () => {
  openAt("?a=1", false);
  saveState("a=2");
  setTheme("dark");
  mock.timers.tick(1000);
  assert.deepEqual(replaced, []);
});
