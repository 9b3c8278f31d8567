import assert from "node:assert/strict";
import { test } from "node:test";
import { Operations } from "../../workbench/panels/js/operations.js";

const message = (number, job, text) => ({ number, job, text });

test("the operation that began last is shown until it ends, then the one before it", () => {
  const operations = new Operations();
  const shown = () => [operations.newest?.job, operations.newest?.text];
  operations.update(message(1, "timing", "a"));
  operations.update(message(2, "download", "b"));
  assert.deepEqual(shown(), ["download", "b"]);
  operations.update(message(1, "timing", "a, later")); // changes no other line
  assert.deepEqual(shown(), ["download", "b"]);
  operations.update(message(2, "download", null));
  assert.deepEqual(shown(), ["timing", "a, later"]);
  operations.update(message(1, "timing", null));
  assert.deepEqual(shown(), [undefined, undefined]);
});

test("the end of an operation does not end another one of the same job", () => {
  const operations = new Operations();
  operations.update(message(1, "download", "first"));
  operations.update(message(2, "download", "second"));
  operations.update(message(1, "download", null));
  assert.equal(operations.newest.text, "second");
});
