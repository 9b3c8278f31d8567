import assert from "node:assert/strict";
import { test } from "node:test";
import { answerThousands } from "../../workbench/panels/js/decimals.js";

for (const [value, comma, expected] of [
  ["1.500", true, "thousands?"], // 1,500 was typed
  ["20.000", true, "thousands?"],
  ["-1.500", true, "thousands?"],
  ["1.500", false, ""], // with a point
  ["1.5", true, ""],
  ["0.125", true, ""], // no thousands begin with 0
  ["1234.567", true, ""],
  ["1500", true, ""],
  ["", true, ""],
])
  test(`${value}${comma ? ", typed with a comma," : ""} is ${expected || "a number"}`, () => {
    let said;
    const input = { value, dataset: comma ? { comma: "true" } : {}, setCustomValidity: (text) => (said = text) };
    input.validity = { badInput: false };
    answerThousands(input, "thousands?");
    assert.equal(said, expected);
    assert.equal("comma" in input.dataset, comma && value !== "");
  });
