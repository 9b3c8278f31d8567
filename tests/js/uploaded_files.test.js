import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { fileOf, rememberFile } from "../../workbench/panels/js/uploaded_files.js";

/** @param {Record<string, string>} items */
function storageOf(items) {
  return {
    getItem: (/** @type {string} */ key) => items[key] ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => {
      items[key] = value;
    },
  };
}

afterEach(() => {
  delete globalThis.sessionStorage;
});

test("the file and the choices of each model are stored", () => {
  globalThis.sessionStorage = storageOf({});
  rememberFile("custom/a", "a.csv", { target: "x" });
  rememberFile("custom/b", "b.zip", {});
  assert.deepEqual(fileOf("custom/a"), { file: "a.csv", choices: { target: "x" } });
  assert.equal(fileOf("custom/b").file, "b.zip");
  assert.equal(fileOf("custom/c"), null);
});

test("a text of another program is ignored", () => {
  globalThis.sessionStorage = storageOf({ "workbench-files": "{" });
  assert.equal(fileOf("custom/a"), null);
});

test("a browser without storage remembers nothing", () => {
  globalThis.sessionStorage = {
    getItem() {
      throw new Error("denied");
    },
    setItem() {
      throw new Error("denied");
    },
  };
  rememberFile("custom/a", "a.csv", {});
  assert.equal(fileOf("custom/a"), null);
});
