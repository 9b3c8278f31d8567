import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { address, getKey, saveState, search, setKey } from "../../workbench/panels/js/address.js";

let replaced;
let pushed;

// Simulates a page at `query`, alone in its window or embedded in another page.
function openAt(query, standalone = true) {
  globalThis.document = { getElementById: () => (standalone ? {} : null) };
  globalThis.location = { pathname: "/app", search: query };
}

beforeEach(() => {
  replaced = [];
  pushed = [];
  globalThis.history = {
    replaceState: (_state, _title, url) => replaced.push(url),
    pushState: (_state, _title, url) => pushed.push(url),
  };
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

for (const [query, standalone, state] of [
  ["", true, ""],
  ["?theme=dark&lang=de&token=t&page=train", true, ""],
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
  ["?theme=dark&lang=de&token=t&page=train", "a=1", "/app?a=1&theme=dark&lang=de&page=train"],
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

test("a view key replaces its old value in the address", () => {
  openAt("?a=%2B1&theme=dark");
  setKey("theme", "light");
  assert.deepEqual(replaced, ["/app?a=%2B1&theme=light"]);
  assert.deepEqual(pushed, []);
});

test("another page is a step in the history of the browser", () => {
  openAt("?a=1&page=compress");
  setKey("page", "train", true);
  assert.deepEqual(pushed, ["/app?a=1&page=train"]);
  assert.deepEqual(replaced, []);
});

test("a view key is read from the address of a standalone page only", () => {
  openAt("?page=train");
  assert.equal(getKey("page"), "train");
  assert.equal(getKey("theme"), null);
  openAt("?page=train", false);
  assert.equal(getKey("page"), null);
});

test("an embedded page does not change the address", () => {
  openAt("?a=1", false);
  saveState("a=2");
  setKey("theme", "dark");
  setKey("page", "train", true);
  mock.timers.tick(1000);
  assert.deepEqual([...replaced, ...pushed], []);
});
